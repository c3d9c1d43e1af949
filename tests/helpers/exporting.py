"""One memory written out, and another that reads it."""

import json

from helpers.keyword_models import WordEmbedder
from helpers.parsing import document
from memcli.domain import Conversation
from memcli.formats.format import ParseOptions
from memcli.formats.generic.memcli import (
    FORMAT,
    forgotten_record,
    memory_record,
    reading_record,
    session_record,
)
from memcli.ingest.import_conversations import ConversationImporter
from memcli.ingest.import_counts import ImportTally
from memcli.ingest.restore import ArchiveRestorer
from memcli.store import Filters, Store


def exported(store, filters=None):
    """What `mem export` writes."""
    lines = [session_record(*each) for each in store.export.sessions(filters or Filters())]
    lines += [memory_record(*each) for each in store.export.memories()]
    lines += map(reading_record, store.export.readings())
    lines += map(forgotten_record, store.export.tombstones())
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def read_back(text, store, *, batch=3, included=()):
    """Read an export into a store, a few sessions a transaction; return what became of them."""
    importer, tally = ConversationImporter(store, None, included), ImportTally()
    restoring = ArchiveRestorer(store, WordEmbedder())
    parsed = list(FORMAT.parse(document(text), ParseOptions()))
    for first in range(0, len(parsed), batch):
        some = parsed[first : first + batch]
        importer.import_batch([one for one in some if isinstance(one, Conversation)], tally)
        restoring.restore(some)
    list(restoring.finish("export"))
    return tally


def again(text, path):
    """What a new memory writes that has read an export."""
    with Store(path) as store:
        read_back(text, store)
        return exported(store)
