"""A personal memory for your conversations, on your own machine."""

__version__ = "0.1.0"
RELEASED = "2026-11-21"  # the day of that version, which the manual bears
