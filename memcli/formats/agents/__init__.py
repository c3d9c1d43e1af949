"""Parsers of coding agents' logs."""
