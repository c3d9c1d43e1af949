"""HTML exports, read as they come: tags and the text between them, in bounded memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import TextIOWrapper

from memcli.errors import InputError
from memcli.formats.parsing.document import Document

_BLOCK = 1 << 16  # characters
_LONGEST_TAG = 4 << 20  # characters; more without an end is no HTML
_SILENT = frozenset({"script", "style", "template", "noscript"})


@dataclass(frozen=True, slots=True)
class Start:
    """A tag that opens something."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> frozenset[str]:
        """The classes it has."""
        return frozenset(self.attributes.get("class", "").split())


@dataclass(frozen=True, slots=True)
class End:
    """A tag that closes something."""

    tag: str


def tokens(document: Document) -> Iterator[Start | End | str]:
    """Yield the tags of an HTML document and the text between them; not scripts and styles.

    Raises:
        InputError: a tag has no end.
    """
    parser = _Parser()
    with document.open() as stream, TextIOWrapper(stream, "utf-8-sig", "replace") as text:
        while block := text.read(_BLOCK):
            parser.feed(block)
            yield from parser.taken()
            if len(parser.rawdata) > _LONGEST_TAG:
                raise InputError(f"{document.name} is no HTML: a tag does not end")
    parser.close()
    yield from parser.taken()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[Start | End | str] = []
        self._silent = ""

    def taken(self) -> list[Start | End | str]:
        found, self._found = self._found, []
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent = tag
        elif not self._silent:
            self._found.append(Start(tag, {name: value or "" for name, value in attrs}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent = "" if tag == self._silent else self._silent
        else:
            self._found.append(End(tag))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._found.append(data)
