"""Making memories of sessions: MemReader reads what is unread, thinks, and calls tools.

Read `read` first: a run over sessions, one segment after the other.

- `read`: a run, its options, and its report.
- `unread`: the next segment of a session, as it follows from the store.
- `segments`: cuts the unread part of a session into segments.
- `tool_loop`: the loop of thoughts and tool calls about one segment.
- `tools`: MemReader's system message and tools.
- `workers`: runs the loops of sessions with one reader, in turn or several at once.
"""
