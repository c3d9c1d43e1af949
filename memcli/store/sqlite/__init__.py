"""The connection to SQLite, migrations, filters and tokenizing for full text."""
