"""Facts about a question beside its words: people, wording, and other words for the same.

- `people`: the speakers and assistants that a question names, in any script.
- `other_words`: other words for what it asks about, as terms of an index.
- `thesaurus`: words of the same meaning, narrower and related ones, in 14 languages.
- `answer_type`: the type of the answer that it expects: money, a time, a day, a duration.
- `exact`: quoted phrases, and ids.
- `vectors`: the vector of a question, and how much each of its terms says.
- `phrases`: words and phrases in a question.
- `wording`: words for now and before, and questions that go on.
- `type_ahead`: sessions found while a question is typed, whose last word lacks its end.
"""
