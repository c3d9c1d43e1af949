"""The benchmarks of `mem bench`: they open models, hand them to `evaluation`, and print tables.

Begin with `measure_dataset`.

- `measure_dataset`: retrieval quality on a data set, kept in a journal as it goes.
- `bench_stages`: the stages that are compared, as `evaluation.runner` wants them.
- `chat_answers`: a chat model that answers from what is ranked.
- `dataset_view`: the tables of a data set.
- `measure_speed`: speed of models, commands and imports.
- `speed_view`: the tables of speeds.
"""
