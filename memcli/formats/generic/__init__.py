"""Parsers of forms that no single program owns, and of mem's own export."""
