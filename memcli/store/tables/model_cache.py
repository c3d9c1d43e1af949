"""What models said before: asked again, they need not think again."""

import json
from typing import Any

from memcli.errors import BusyError, StoreError
from memcli.store.sqlite.connection import Database

MOST_ANSWERS = 100_000  # about 20 MB, if most are probabilities


class Cache:
    """Values as JSON by a digest of everything they depend on. Losing one costs only time."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, key: str) -> Any:  # whatever was put
        """Return a value, None where there is none or it is damaged."""
        rows = self._db.rows("select value from answers where key = ?", key)
        try:
            return json.loads(rows[0][0]) if rows else None
        except (ValueError, RecursionError):
            return None

    def put(self, values: dict[str, Any]) -> None:  # whatever JSON holds
        """Keep values and drop the oldest beyond MOST_ANSWERS.

        Where another process is writing, or nobody can (a full disk, a database to be read only),
        they are lost, and not the answer that they are of.
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
                    MOST_ANSWERS,
                )
        except (BusyError, StoreError):
            return
