"""The cache of model outputs, so that a model computes each of them once."""

import json
from typing import Any

from memcli.errors import BusyError, StoreError
from memcli.store.sqlite.connection import Database

MAX_CACHED_ANSWERS = 100_000  # about 20 MB if most are probabilities


class ModelCache:
    """Values as JSON, by a digest of everything they depend on. Losing one costs only time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, key: str) -> Any:  # any JSON value
        """Return a value, or None if there is none or it is damaged."""
        rows = self._db.rows("select value from answers where key = ?", key)
        try:
            return json.loads(rows[0][0]) if rows else None
        except (ValueError, RecursionError):
            return None

    def put(self, values: dict[str, Any]) -> None:  # any JSON values
        """Store values, and delete the oldest beyond MAX_CACHED_ANSWERS.

        If another process is writing, or writing is impossible (a full disk, a read-only database),
        the values are not stored, and no error is raised: the caller has its answer already.
        """
        if not values:
            return
        try:
            with self._db.transaction(wait=False):
                self._db.many(
                    "insert or replace into answers (key, value) values (?, ?)",
                    [(key, json.dumps(value)) for key, value in values.items()],
                )
                self._db.rows(
                    "delete from answers where id <= (select max(id) from answers) - ?",
                    MAX_CACHED_ANSWERS,
                )
        except (BusyError, StoreError):
            return
