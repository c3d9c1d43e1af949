"""One memory written out, and another that reads it."""

import json

from parsing import document

from memcli.formats.base import Reading
from memcli.formats.memcli import FORMAT, written
from memcli.pipeline.absorb import Absorber, Tally
from memcli.store import Filters, Store


def exported(store, filters=None):
    """What `mem export` writes."""
    return "".join(
        json.dumps(written(session, kept), ensure_ascii=False) + "\n"
        for session, kept in store.archive.sessions(filters or Filters())
    )


def read_back(text, store, *, batch=3, included=()):
    """Read an export into a store, a few sessions a transaction; return what became of them."""
    absorber, tally = Absorber(store, None, included), Tally()
    parsed = list(FORMAT.parse(document(text), Reading()))
    for first in range(0, len(parsed), batch):
        absorber.take(parsed[first : first + batch], tally)
    return tally


def again(text, path):
    """What a new memory writes that has read an export."""
    with Store(path) as store:
        read_back(text, store)
        return exported(store)
