"""Tombstones: keyed digests of what was forgotten, by which an import knows not to take it again.

Without the key, which never leaves the database but in an export of everything, a digest confirms
no guess. Digests that come from another database keep that one's key.
"""

import json
from collections.abc import Collection, Iterable

from memcli.domain import Tombstone, fingerprint
from memcli.store.sqlite.connection import Database

_FIRST_KEYED = "k"  # keyed digests begin with it; those of older databases sort before it
_MARK_LENGTH = 9  # characters of a keyed digest that tell its key


class TombstoneTable:
    """The table of tombstones. Its methods take plain digests, and store only keyed ones."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def is_empty(self) -> bool:
        """Return whether nothing was ever forgotten."""
        return not self._db.rows("select 1 from forgotten limit 1")

    def find(self, digests: Iterable[str]) -> set[str]:
        """Return those of these digests that are tombstones."""
        stored = self._stored_forms(digests)
        rows = self._db.rows(
            "select digest from forgotten where digest in (select value from json_each(?))",
            json.dumps(list(stored)),
        )
        return {stored[digest] for (digest,) in rows}

    def add(self, digests: Iterable[str]) -> None:
        """Store digests of what was forgotten."""
        own_key = self._own_key()
        self._insert(_key_digest(own_key, digest) for digest in digests)

    def key_plain_digests(self) -> None:
        """Replace the digests of an older database, which anybody could compute, by keyed ones."""
        if not self._db.rows("select 1 from forgotten where digest < ? limit 1", _FIRST_KEYED):
            return
        with self._db.transaction():
            rows = self._db.rows("select digest from forgotten where digest < ?", _FIRST_KEYED)
            self.add(digest for (digest,) in rows)
            self._db.rows("delete from forgotten where digest < ?", _FIRST_KEYED)

    def list_all(self) -> list[Tombstone]:
        """Return all tombstones, each with its key."""
        keys = {_mark(key): key for (key,) in self._db.rows("select key from tombstone_keys")}
        rows = self._db.rows("select digest from forgotten order by digest")
        return [Tombstone(digest, keys.get(digest[:_MARK_LENGTH])) for (digest,) in rows]

    def add_foreign(
        self, tombstones: Collection[Tombstone], items: Collection[str], copies: Collection[str]
    ) -> int:
        """Store the tombstones of another database, except those of items that are stored here.

        Args:
            tombstones: as the other database exported them.
            items: the plain digests of the stored items, if they were forgotten.
            copies: the plain digests by which their copies would be known again.

        Returns:
            The number of items that stay.
        """
        keys = dict.fromkeys(one.key for one in tombstones if one.key)
        here = {*items, *(_key_digest(key, digest) for digest in items for key in keys)}
        beside = {_key_digest(key, digest) for digest in copies for key in keys}
        kept = [one.digest for one in tombstones if one.digest not in here | beside]
        self._db.many(
            "insert or ignore into tombstone_keys (key) values (?)", [(key,) for key in keys]
        )
        self._insert(digest for digest in kept if digest.startswith(_FIRST_KEYED))
        self.add(digest for digest in kept if not digest.startswith(_FIRST_KEYED))
        return len({one.digest for one in tombstones} & here)

    def _stored_forms(self, digests: Iterable[str]) -> dict[str, str]:
        """Return the plain digest by each form that may be stored."""
        plain = list(digests)
        keys = [key for (key,) in self._db.rows("select key from tombstone_keys")]
        forms = {digest: digest for digest in plain}
        return forms | {_key_digest(key, digest): digest for digest in plain for key in keys}

    def _own_key(self) -> str:
        [(key,)] = self._db.rows("select key from tombstone_keys order by id limit 1")
        return str(key)

    def _insert(self, stored: Iterable[str]) -> None:
        self._db.many(
            "insert or ignore into forgotten (digest) values (?)",
            [(digest,) for digest in sorted(stored)],
        )


def _key_digest(key: str, digest: str) -> str:
    return _mark(key) + fingerprint(key, digest)


def _mark(key: str) -> str:
    return _FIRST_KEYED + fingerprint("tombstone key", key)[: _MARK_LENGTH - 1]
