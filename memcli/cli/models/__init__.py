"""Opening, listing, pulling and verifying of models for the commands."""
