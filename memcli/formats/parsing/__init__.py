"""Readers of file types that several parsers share: JSON, XML, HTML, SQLite, lines of text."""
