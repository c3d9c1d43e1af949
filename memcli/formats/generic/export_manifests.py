"""Manifests of exports in several files: they list files and hold no conversations.

ChatGPT's `export_manifest.json` names the shards of `conversations.json`; without it a missing
shard would stay unnoticed. Claude's mail links to its manifest, which holds the addresses of the
zips with the conversations. QQChatExporter's `manifest.json` names the chunks of a long chat.
Snapchat's `chat_history.html` links to the pages of the chats, which its JSON also has.
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from memcli.domain import Skipped
from memcli.formats.account_data.snapchat_html import is_other_page
from memcli.formats.format import Format, ParsedItem, ParseOptions
from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import is_html
from memcli.formats.parsing.json_stream import BrokenValue, read_elements
from memcli.formats.parsing.sample import Sample
from memcli.formats.parsing.values import mapping, sequence, string

_MAX_LINKS = 1_000  # of one manifest; real ones have a few
_MAX_DEPTH = 6  # of a link inside a manifest


def _recognises(sample: Sample) -> bool:
    if sample.text.lstrip().startswith("<"):
        return is_other_page(sample)
    is_manifest = PurePath(sample.name).name.startswith("manifest-")
    top = mapping(sample.json)
    return bool(_shards(top) or _chunks(top)) or (is_manifest and bool(_zips(sample.json)))


def _parse(document: Document, options: ParseOptions) -> Iterator[ParsedItem]:
    if is_html(document):
        return
    zips: list[str] = []
    for value in read_elements(document, ""):
        if isinstance(value, BrokenValue):
            yield Skipped("the manifest", value.reason)
            continue
        zips += _zips(value)
        for shard in (*_shards(mapping(value)), *_chunks(mapping(value))):
            if document.find_file(shard) is None:
                yield Skipped(shard, "is named by the export's manifest, and is not there")
    if zips:
        names = ", ".join(dict.fromkeys(zips))
        yield Skipped("the manifest", f"only has links: download {names}, and ingest those")


def _shards(top: Any) -> list[str]:
    """Return the names of the files with ChatGPT's conversations."""
    logical = mapping(mapping(top.get("logical_files")).get("conversations.json"))
    return [name for file in sequence(logical.get("files")) if (name := string(file))]


def _chunks(top: Any) -> list[str]:
    """Return the names of the files with QQChatExporter's messages."""
    chunks = map(mapping, sequence(mapping(top.get("chunked")).get("chunks")))
    names = (string(chunk.get("relativePath")) or string(chunk.get("file")) for chunk in chunks)
    return [name for name in names if name]


def _zips(value: Any, depth: int = 0) -> list[str]:
    """Return the names of the zips that a manifest links to, at any depth."""
    if isinstance(value, str):
        name = value.partition("?")[0].rpartition("/")[2]
        return [name] if value.startswith("https://") and name.endswith(".zip") else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    names = (name for child in inner if depth < _MAX_DEPTH for name in _zips(child, depth + 1))
    return list(dict.fromkeys(names))[:_MAX_LINKS]


FORMAT = Format(name="export_manifests", recognises=_recognises, parse=_parse, is_index=True)
