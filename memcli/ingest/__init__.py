"""The way of an export into the database: find, recognise, parse, merge, cut, index.

Begin with `import_exports`: it takes paths and returns a report for each document.

- `import_exports`: paths to documents to batches of conversations; remembers the paths.
- `paths`: paths that are found, remembered, and read again where they have changed.
- `parse_process`: a large document is parsed by a process of its own.
- `import_conversations`: the steps of a batch of conversations, in one transaction.
- `shared_turns`: turns that several conversations hold: copies, and threads.
- `cutting`: the rules by which a chat is cut into sessions.
- `merge`: stored and imported turns to one conversation.
- `session_writer`: replaces the sessions that differ; their passages, full text and vectors.
- `import_counts`, `import_progress`: counts and reports; bytes that are done.
- `restore`: memories, readings and deletions of another database's export.
- `own_facts`: facts, edits and imported memories of the person.
- `recut`: the stored sessions that an import may change; sessions that are cut again.
- `reindex`: makes full text and vectors again, or of another embedder.
"""
