"""Parsers of assistants' exports."""
