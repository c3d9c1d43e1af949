"""Finding sessions: a question's way through the stages retrieve, rerank, sift and answer.

Read `stages` first: it runs the stages in a row. The package is handed its models and opens none.

- `stages`: ranks sessions by as many stages as there are models and time for.
- `question`: facts of a question: people, words for now and before.
- `query`: prepares a question for the first stage: terms, weights, a vector, named days.
- `signals`: the signals of the first stage, each from the question to scores of sessions.
- `retrieve`: the first stage; weighs and adds the signals and picks the evidence.
- `evidence`: the confidence, the turns that are shown, and the reasons.
- `turn_search`: ranks single turns by the same signals.
- `memory_search`: finds memories, and the turns behind them.
- `rerank`: the second stage; a reranker judges passages.
- `sift`: the third stage; a sifter reads, thinks and ranks.
- `answer`: the last stage; a chat model answers from the ranking, with references to turns.
- `results`: the values that the stages return, and callbacks for their progress.
- `budget`, `model_speed`: the work that there is time for, by learned speeds of models.
- `packing`, `context`: sessions as texts of so many tokens, for a sifter and for other models.
- `dialogue`: earlier questions that a question goes on from.
- `fusion`: arithmetic that makes one score of several.
"""
