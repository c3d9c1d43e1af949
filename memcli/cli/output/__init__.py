"""Rendering: results as text for a terminal or a pipe."""
