"""Fetching from a model hub: listing, pinned revisions, resumable downloads."""
