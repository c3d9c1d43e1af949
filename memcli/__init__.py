"""A personal memory for your conversations, on your own machine."""

__version__ = "0.1.0"
