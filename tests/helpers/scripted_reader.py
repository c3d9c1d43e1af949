"""A served reader that says what a test wants: a real server on loopback, its replies a script."""

import json
from contextlib import contextmanager

from helpers.hostile_server import chat, serving
from helpers.keyword_models import WordEmbedder
from memcli.backends.server import Limits, open_reader, parse_endpoint
from memcli.extraction.read import ExtractionOptions, ExtractionRun
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.memories.remember import MemoryWriter
from memcli.protocols import Sampling
from memcli.store import Filters, MemoryFilters

QUICK = Limits(connect_timeout=2, idle_timeout=5, total_timeout=10, attempts=1, first_pause=0.01)


def said(name, thought="hm", **arguments):
    """A reply that thinks and calls a tool."""
    return said_at_once((name, arguments), thought=thought)


def said_at_once(*calls, thought="hm"):
    """A reply that calls several tools."""
    pieces = [
        {
            "tool_calls": [
                {"index": at, "function": {"name": name, "arguments": json.dumps(arguments)}}
            ]
        }
        for at, (name, arguments) in enumerate(calls)
    ]
    return chat(f"<think>{thought}</think>\n\n", *pieces, finish="tool_calls")


def fact(key, value, memory_type="UserMemory", tags=()):
    return {"key": key, "memory_type": memory_type, "value": value, "tags": list(tags)}


def add(*facts, summary="kept", **others):
    return said("add_memory", memory_list=list(facts), summary=summary, **others)


def search(query, **others):
    return said("search_memory", query=query, **others)


def buffer(reason="more may come", **others):
    return said("buffer_memory", reason=reason, **others)


def ignore(reason="chitchat", **others):
    return said("ignore_memory", reason=reason, **others)


class Bench:
    """A store with conversations in it, to be read."""

    def __init__(self, store):
        self.store, self.embedder = store, WordEmbedder()
        self.memories = MemoryWriter(store, self.embedder)

    def ingest(self, *conversations):
        """Take conversations in, as `mem ingest` does."""
        ConversationImporter(self.store, self.embedder).import_batch(
            list(conversations), ImportTally(), unique_keys=False
        )

    def read(self, reader, *, heard=lambda _: None, newest=False, limit=None, **how):
        """Read with any reader; return the report."""
        run = self.run(reader, **how)
        return run.run(run.unread_sessions(Filters(), newest=newest, limit=limit), heard)

    def run(self, reader, **how):
        how = {"thought_tokens": 64, **how}
        return ExtractionRun(
            self.store, reader, self.memories, self.embedder, ExtractionOptions(**how)
        )

    def reads(self, *script, context=8192, **how):
        """Let a served reader follow a script; return the report and the bodies of its requests."""
        with serving(*script) as served, reader_at(served, context=context) as reader:
            report = self.read(reader, **how)
        return report, [request.body for request in served.requests]

    @property
    def facts(self):
        """Every current memory as key and value, by key."""
        found = self.store.memories.find(MemoryFilters())
        return {one.fact.key: one.fact.value for one in found if one.current}

    @property
    def readings(self):
        """Every reading in order: outcome, reason, keys of its turns."""
        rows = self.store.readings._db.rows("select id, outcome, reason from readings order by id")
        return [
            (
                outcome,
                reason,
                [
                    key
                    for (key,) in self.store.readings._db.rows(
                        "select key from read_turns where reading_id = ? order by key", number
                    )
                ],
            )
            for number, outcome, reason in rows
        ]


@contextmanager
def reader_at(served, *, context=8192):
    reader = open_reader(
        parse_endpoint(f"{served.url}#reader", limits=QUICK),
        context=context,
        sampling=Sampling(temperature=0.2),
    )
    yield reader
    reader.close()


def asked_in(body):
    """Return the user message of a request."""
    return body["messages"][1]["content"]


def offered_in(body):
    """Return the names of the tools of a request."""
    return [tool["function"]["name"] for tool in body["tools"]]
