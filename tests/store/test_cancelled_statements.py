"""A statement that nobody waits for any more stops."""

import pytest

from memcli.store import Filters, Store

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"


def test_a_statement_stops_when_it_is_cancelled_and_the_next_one_runs(tmp_path):
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > 100

    with Store(tmp_path / "mem.db") as store:
        with pytest.raises(KeyboardInterrupt), store.cancel_when(cancelled):
            store._database.rows(ENDLESS)

        assert len(asked) == 101
        assert list(store.sessions.summaries(Filters())) == []
