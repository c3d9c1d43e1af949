"""Everything that speaks for a result.

- `confidence`: the probability that the best session has to do with the question at all.
- `candidates`: the sessions that may answer, with everything that speaks for each.
- `turns`: the turns that are shown with a session, replies included.
- `reasons`: the reasons for a session, in words.
- `masking`: a ranking with its secrets masked.
"""
