"""Databases from before one embedder could follow another."""

import apsw
import pytest

from memcli.errors import StoreError
from memcli.store import Store
from memcli.store.sqlite import migrations


@pytest.fixture
def before(tmp_path, monkeypatch):
    """A database of the eighth step, with the vectors of one embedder."""
    path = tmp_path / "mem.db"
    db = apsw.Connection(str(path))
    with monkeypatch.context() as then:
        then.setattr(migrations, "STEPS", migrations.STEPS[:8])
        migrations.migrate(db)
    db.execute("insert into embedders values (3, 'print', 'bge-m3', 1024)")
    db.close()
    return path


def test_the_embedder_of_an_older_database_serves_on(before):
    with Store(before) as store:
        served = store.vector_sets.active_embedder()

        assert (served.name, served.fingerprint) == ("bge-m3", "print")
        assert store.vector_sets.active_embedder_name() is None
        assert store.vector_sets.incomplete_embedder_name() is None


def test_two_embedders_never_serve_at_once(before):
    with Store(before) as store, pytest.raises(StoreError):
        store._database.rows(
            "insert into embedders (fingerprint, name, dimensions) values ('b', 'b', 3)"
        )
