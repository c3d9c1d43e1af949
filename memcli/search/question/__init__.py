"""Facts about a question beside its words: the people it names, and its wording.

- `people`: the speakers and assistants that a question names, in any script.
- `exact`: quoted phrases, and ids.
- `vectors`: the vector of a question, and how much each of its terms says.
- `wording`: words for now and before, and questions that go on.
- `type_ahead`: sessions found while a question is typed, whose last word lacks its end.
"""
