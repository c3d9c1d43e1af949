import pytest

from memcli.store import Store
from memcli.store.tables import model_cache as cache_module


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def test_what_is_put_can_be_got(store):
    store.cache.put({"a": 0.5, "b": {"order": [1, 0]}})

    assert store.cache.get("a") == 0.5
    assert store.cache.get("b") == {"order": [1, 0]}
    assert store.cache.get("c") is None


def test_it_outlives_the_process(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        store.cache.put({"a": 0.5})

    with Store(tmp_path / "mem.db") as store:
        assert store.cache.get("a") == 0.5


def test_only_so_many_are_kept_the_latest(store, monkeypatch):
    monkeypatch.setattr(cache_module, "MAX_CACHED_ANSWERS", 3)

    for number in range(6):
        store.cache.put({f"k{number}": number})
    store.cache.put({"k3": 33})  # said again, it is new again
    store.cache.put({"k6": 6})

    assert [store.cache.get(f"k{number}") for number in range(7)] == [
        None, None, None, 33, None, 5, 6,
    ]  # fmt: skip


@pytest.mark.parametrize("damaged", ["", "{", "nul", "[" * 100_000])
def test_a_damaged_value_is_a_miss(tmp_path, store, damaged):
    store.cache.put({"a": 0.5})
    store.cache._db.rows("update answers set value = ? where key = 'a'", damaged)

    assert store.cache.get("a") is None
    store.cache.put({"a": 0.7})
    assert store.cache.get("a") == 0.7


def test_while_another_process_writes_nothing_is_kept_and_nobody_waits(tmp_path, store):
    with Store(tmp_path / "mem.db") as other, other.transaction():
        store.cache.put({"a": 0.5})

    assert store.cache.get("a") is None


def test_where_nothing_can_be_written_the_answer_is_not_lost(store):
    store.cache._db.rows("pragma query_only = on")

    store.cache.put({"a": 0.5})

    assert store.cache.get("a") is None
