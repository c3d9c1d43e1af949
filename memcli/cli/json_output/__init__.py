"""JSON that commands print, and its schemas."""
