"""What speaks for a result: the turns that are shown, and the confidence in it."""
