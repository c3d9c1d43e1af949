"""The work: ingest conversations, find the sessions that answer a question."""
