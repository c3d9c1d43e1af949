"""An import's words are written by another thread while its vectors are made."""

import threading

import pytest
from helpers.builders import talk
from helpers.keyword_models import WordEmbedder

from memcli.errors import BackendError
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.store import Filters, Store

TALKS = [talk(f"Talk {number}", f"me: apple{number} pear", "ai: plum") for number in range(300)]


class BrokenEmbedder(WordEmbedder):
    """An embedder that fails at the last of many passages."""

    def embed(self, texts, **keywords):
        if any("apple299" in text for text in texts):
            raise BackendError("out of memory")
        return super().embed(texts, **keywords)


def test_every_row_is_written_however_many_there_are_at_once(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        ConversationImporter(store, WordEmbedder()).import_batch(TALKS, ImportTally())

        assert store.health.check_full_text() == store.health.check_vectors() == []
        for number in (0, 127, 128, 299):
            for grain in ("session", "turn", "passage"):
                [found] = store.index.match_terms(grain, [f"apple{number}"], Filters(), 9)
                assert store.sessions.by_number(found.session).title == f"Talk {number}"


def test_a_model_that_fails_leaves_nothing_of_the_batch(tmp_path):
    with Store(tmp_path / "mem.db") as store:
        with pytest.raises(BackendError, match="out of memory"):
            ConversationImporter(store, BrokenEmbedder()).import_batch(TALKS, ImportTally())

        assert not list(store.sessions.summaries(Filters()))
        assert store.health.check_full_text() == []
        assert threading.active_count() == 1
        ConversationImporter(store, WordEmbedder()).import_batch(TALKS[:3], ImportTally())
        assert store.health.check_full_text() == store.health.check_vectors() == []
