"""Manifests of exports that come in several files: no conversations, but what should be there.

ChatGPT's `export_manifest.json` names the shards of `conversations.json`; one that is missing
would otherwise be missed by nobody. Claude's manifest is what its mail links to: it holds the
addresses of the zips that hold the conversations.
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from memcli.domain import Skipped
from memcli.formats.format import Format, Parsed, Reading
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.json_stream import Broken, elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, sequence, string

_MOST_LINKS = 1_000  # of one manifest; real ones have a handful
_DEEPEST = 6  # of a link inside a manifest


def _recognises(sample: Sample) -> bool:
    named = PurePath(sample.name).name.startswith("manifest-")
    return bool(_shards(mapping(sample.json))) or (named and bool(_zips(sample.json)))


def _parse(document: Document, reading: Reading) -> Iterator[Parsed]:
    zips: list[str] = []
    for value in elements(document, ""):
        if isinstance(value, Broken):
            yield Skipped("the manifest", value.why)
            continue
        zips += _zips(value)
        for shard in _shards(mapping(value)):
            if document.beside(shard) is None:
                yield Skipped(shard, "is named by the export's manifest, and is not there")
    if zips:
        names = ", ".join(dict.fromkeys(zips))
        yield Skipped("the manifest", f"only has links: download {names}, and ingest those")


def _shards(top: Any) -> list[str]:
    """Return the names of the files that make up ChatGPT's conversations."""
    logical = mapping(mapping(top.get("logical_files")).get("conversations.json"))
    return [name for file in sequence(logical.get("files")) if (name := string(file))]


def _zips(value: Any, depth: int = 0) -> list[str]:
    """Return the names of the zips that a manifest links to, wherever in it."""
    if isinstance(value, str):
        name = value.partition("?")[0].rpartition("/")[2]
        return [name] if value.startswith("https://") and name.endswith(".zip") else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    found = (name for one in inner if depth < _DEEPEST for name in _zips(one, depth + 1))
    return list(dict.fromkeys(found))[:_MOST_LINKS]


FORMAT = Format(
    name="export_manifests",
    title="manifest of a ChatGPT or Claude export",
    recognises=_recognises,
    parse=_parse,
)
