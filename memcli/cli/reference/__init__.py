"""Generated reference: man pages, schemas, the table of commands."""
