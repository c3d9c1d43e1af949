"""The nearest passages are found by bits and ranked by bytes, and older databases are made so."""

import apsw
import numpy as np
import pytest
import sqlite_vec
from helpers.builders import BEGIN, MINUTE, keep, talk

from memcli.domain import Passage
from memcli.store import Filters, Store
from memcli.store.index import passage_vectors
from memcli.store.index.quantization import quantize_vector, quantize_vectors
from memcli.store.sqlite import migrations

DIMENSIONS = 60  # no whole number of bytes as bits
PASSAGES = 400
RANDOM = np.random.default_rng(0)


class RandomEmbedder:
    """Vectors of no meaning, some nearer to one another than others."""

    name = fingerprint = "random"
    dimensions = DIMENSIONS


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


VECTORS = unit(RANDOM.standard_normal((PASSAGES, DIMENSIONS)))
QUERY = unit(VECTORS[:1] + 0.3 * unit(RANDOM.standard_normal((1, DIMENSIONS))))[0]
COSINES = VECTORS @ QUERY


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mem.db"


@pytest.fixture
def store(path):
    """Two sessions of many passages, the second a day later."""
    with Store(path) as opened:
        later = talk("Later", "me: tea", at=BEGIN + 1440 * MINUTE)
        for number, vectors in zip(
            keep(opened, talk("First", "me: tea"), later), np.split(VECTORS, 2), strict=True
        ):
            cut = [Passage(1, 1)] * len(vectors)
            made = opened.index.add(number, opened.sessions.by_number(number), cut)
            places = [(one, 0) for one in made]
            opened.index.add_vectors(places, vectors, RandomEmbedder())
        yield opened


def near(store, filters=None, limit=10):
    found = store.index.nearest_passages(
        QUERY.tobytes(), RandomEmbedder(), filters or Filters(), limit
    )
    return [(each.session, each.score) for each in found]


def nearest(count, least=0):
    """The session and the cosine of the nearest passages, from a number of passage on."""
    ranked = [at for at in np.argsort(-COSINES).tolist() if at >= least][:count]
    return [(1 + at // (PASSAGES // 2), pytest.approx(COSINES[at], abs=0.01)) for at in ranked]


@pytest.fixture(params=["by bytes alone", "by bits first"])
def way(request, monkeypatch):
    if request.param == "by bits first":
        monkeypatch.setattr(passage_vectors, "EXACT_LIMIT", 100)
        monkeypatch.setattr(passage_vectors, "MAX_CANDIDATES", 100)


@pytest.mark.usefixtures("way")
def test_the_nearest_are_found_with_their_cosines_up_to_rounding(store):
    assert near(store, limit=1) == nearest(1)
    assert [score for _, score in near(store, limit=5)] == sorted(
        (score for _, score in near(store, limit=5)), reverse=True
    )


@pytest.mark.usefixtures("way")
def test_only_passages_of_sessions_that_pass_are_near(store):
    later = Filters(since=BEGIN + 1440 * MINUTE)

    assert {session for session, _ in near(store, later)} == {2}
    assert near(store, later, limit=1) == nearest(1, least=PASSAGES // 2)
    assert near(store, Filters(among=())) == []


def test_by_bits_most_of_the_nearest_are_found(store, monkeypatch):
    exact = near(store, limit=20)
    monkeypatch.setattr(passage_vectors, "EXACT_LIMIT", 100)
    monkeypatch.setattr(passage_vectors, "MAX_CANDIDATES", 100)

    by_bits = near(store, limit=400)

    assert 50 <= len(by_bits) <= 150  # a quarter, as the sample tells
    assert len(set(exact) & set(by_bits)) >= 12  # by chance there would be 5


def test_by_bits_it_is_looked_at_everything_where_few_passages_pass(store, monkeypatch):
    monkeypatch.setattr(passage_vectors, "EXACT_LIMIT", 300)
    monkeypatch.setattr(passage_vectors, "MAX_CANDIDATES", 10)

    assert len(near(store, Filters(since=BEGIN + 1440 * MINUTE), limit=400)) == PASSAGES // 2


def test_one_vector_is_quantized_as_many_are():
    rows = np.vstack([VECTORS, np.zeros((3, DIMENSIONS), np.float32)])
    rows[-2, 7], rows[-1, 9] = np.nan, np.inf

    assert quantize_vectors(rows)[-3:] == [bytes(64)] * 3
    assert [quantize_vector(row.tobytes()) for row in rows] == quantize_vectors(rows)
    assert {len(row) for row in quantize_vectors(rows)} == {64}


def test_vectors_of_an_older_database_are_found_as_before(path, monkeypatch):
    with monkeypatch.context() as then:
        then.setattr(migrations, "STEPS", migrations.STEPS[:11])
        db = apsw.Connection(str(path))
        migrations.migrate(db)
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.execute(f"insert into embedders values (3, 'random', 'random', {DIMENSIONS}, 1, null)")
    db.execute(
        f"create virtual table vectors_3 using vec0(embedding float[{DIMENSIONS}]"
        " distance_metric=cosine)"
    )
    db.execute("insert into conversations (source, key, endless) values ('chat', 'a', 0)")
    db.execute("insert into sessions values (1, 's_1', 1, '', 0, 0, 0, '[]')")
    for number, vector in enumerate(VECTORS, start=1):
        db.execute("insert into passages values (?, 1, 1, 1, 0, null)", [number])
        db.execute("insert into vectors_3 (rowid, embedding) values (?, ?)", [number, vector])
    db.close()

    with Store(path) as store:
        assert [score for _, score in near(store)] == [score for _, score in nearest(10)]
        assert store.statistics.vectors_by_embedder()[0].count == PASSAGES
        assert store.health.check_vectors() == []
