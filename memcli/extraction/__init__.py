"""MemReader's loop over unread sessions: it thinks, calls a tool, and a memory is kept."""
