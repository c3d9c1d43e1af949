"""Full text and vectors, which are rebuilt from the turns."""
