"""The checks of `mem doctor`, each with its remedy. Begin with `run_checks`.

- `run_checks`: all checks in their order; with `--fix` the repairs, and the checks again.
- `health_check`: the result of one check.
- `database_checks`: the database file, its index and its sources.
- `environment_checks`: settings, models, embedder, servers, hardware.
- `doctor_view`: the table.
"""
