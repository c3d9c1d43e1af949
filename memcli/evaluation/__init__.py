"""The measurements of `mem bench`: retrieval quality on data sets, and speed.

Models, backends and the importer are handed in. Begin with `runner`: it asks a data set's
questions; `summary` turns its results into the report that is printed.

- `datasets`: questions and haystacks of LoCoMo and LongMemEval.
- `runner`: every question, put to its archive.
- `journal`: results kept as they come, for a run that is stopped.
- `metrics`, `confidence`: metrics of one ranking; intervals and tests of their means.
- `answer_quality`: scores of a chat model that answers from a ranking.
- `summary`: figures by stage and category, and the report of a data set.
- `speed`, `latency`, `import_speed`: speed of models, of commands, of imports.
- `early_stopping`: passages that a reranker need not judge.
- `llama_server`: llama.cpp's own server, which reranking is compared with.
- `synthetic_exports`: exports of any size, for `import_speed`.
- `speed_report`: the report of all speeds.
"""
