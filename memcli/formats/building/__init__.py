"""Building blocks of conversations that several parsers share."""
