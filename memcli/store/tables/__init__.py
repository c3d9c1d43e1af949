"""Rows of sessions, conversations, sources, memories and readings."""
