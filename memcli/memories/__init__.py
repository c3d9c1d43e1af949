"""Facts worth keeping: stored with the turns that support them, checked, and recalled.

Read `remember` first. `memcli.search.memory_search` finds memories by words and meaning.

- `remember`: keeps a fact as a memory, with its sources.
- `grounding`: finds the names, numbers and dates of a fact that its sources do not support.
- `recall`: the result of a reader's search for known memories.
- `profile`: the facts about the person, for the head of a context.
"""
