"""The texts of stored sessions, for those who need nothing else of their turns."""

from memcli.errors import StoreError
from memcli.store.sqlite.connection import Database
from memcli.store.tables.packed_texts import recover_texts, unpack_texts


def load_texts(database: Database, session: int) -> list[str]:
    """Return the texts of the turns of a session in order.

    Args:
        database: the database.
        session: the number of the session.

    Raises:
        StoreError: they are damaged or missing.
    """
    try:
        return unpack_texts(_load_packed(database, session))
    except ValueError as error:
        raise StoreError(
            f"{database.path} is damaged in session {session}",
            hint="`mem doctor` says what can be repaired",
        ) from error


def load_undamaged_texts(database: Database, session: int) -> list[str]:
    """Return the texts of the turns of a session in order, up to the place that is damaged."""
    packed = _load_packed(database, session)
    try:
        return unpack_texts(packed)
    except ValueError:
        return [text.decode("utf-8", "replace") for text in recover_texts(packed)]


def _load_packed(database: Database, session: int) -> bytes:
    rows = database.rows("select packed from texts where session_id = ?", session)
    return bytes(rows[0][0]) if rows else b""
