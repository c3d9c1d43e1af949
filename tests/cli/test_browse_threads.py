"""The threads of `mem browse`: only the newest job counts."""

import asyncio
from threading import Event

import pytest
from helpers.small_exports import talk

from memcli.cli.browse.store_thread import JobCancelledError, StoreThread
from memcli.errors import StoreError
from memcli.store import Filters

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"


def titles(store):
    return [one.title for one in store.sessions.summaries(Filters())]


def run(database, use):
    """Use a thread in an event loop, and close it."""

    async def main():
        thread = StoreThread(database)
        try:
            return await asyncio.wait_for(use(thread), 60)
        finally:
            thread.close()

    return asyncio.run(main())


def test_a_newer_job_stops_the_sql_of_the_one_before(mem):
    mem.remembers(talk("Zebra", "me: A zebra."))

    async def use(thread):
        begun = Event()

        def endless(store):
            begun.set()
            store._database.rows(ENDLESS)

        first = asyncio.ensure_future(thread.run(endless))
        await asyncio.to_thread(begun.wait)
        second = await thread.run(titles)
        with pytest.raises(JobCancelledError):
            await first
        return second

    assert run(mem.database, use) == ["Zebra"]


def test_a_caller_that_is_cancelled_stops_its_job(mem):
    mem.remembers(talk("Zebra", "me: A zebra."))

    async def use(thread):
        begun = Event()

        def endless(store):
            begun.set()
            store._database.rows(ENDLESS)

        caller = asyncio.ensure_future(thread.run(endless))
        await asyncio.to_thread(begun.wait)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        return await thread.run(titles)

    assert run(mem.database, use) == ["Zebra"]


def test_nothing_can_be_written(mem):
    mem.remembers(talk("Zebra", "me: A zebra."))

    async def use(thread):
        await thread.run(lambda store: store._database.rows("delete from sessions"))

    with pytest.raises(StoreError, match="cannot be written to"):
        run(mem.database, use)


def test_the_error_of_a_job_reaches_who_waits_for_it(mem):
    with pytest.raises(StoreError, match="nothing was ingested yet"):
        run(mem.folder / "none.db", lambda thread: thread.run(titles))
