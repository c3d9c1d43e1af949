"""The rows that all else is derived from. Read `sessions` first.

conversations   conversations and revisions, by source and key
sessions        sessions with their turns; session_rows converts the rows of turns
memories        memories and their filters
memory_sources  the turns that memories came from
memory_loader   memories loaded with all that decides which are current
memory_rows     conversion of rows to memories
supersession    the decision which of several memories with one key is current
readings        the turns that reader models read
source_files    imported paths and the state of their files
model_cache     outputs of models
"""
