"""Parsers of research data sets."""
