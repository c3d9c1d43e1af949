"""HTML read as a stream of tags and the text between them, in bounded memory."""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from io import TextIOWrapper

from memcli.errors import InputError
from memcli.formats.parsing.document import Document, strip_byte_order_mark
from memcli.lazy_dataclasses import dataclass, field

_BLOCK_CHARACTERS = 1 << 16
_MAX_TAG_CHARACTERS = 4 << 20  # a file with a longer unclosed tag is not HTML
_INVISIBLE_TAGS = frozenset({"script", "style", "template", "noscript"})


@dataclass(frozen=True, slots=True)
class StartTag:
    """An opening tag."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> frozenset[str]:
        """The CSS classes of the tag."""
        return frozenset(self.attributes.get("class", "").split())


@dataclass(frozen=True, slots=True)
class EndTag:
    """A closing tag."""

    tag: str


def is_html(document: Document) -> bool:
    """Return whether a document begins with a tag."""
    with document.open() as stream:
        return strip_byte_order_mark(stream.read(1024)).lstrip().startswith(b"<")


def parse_html(document: Document) -> Iterator[StartTag | EndTag | str]:
    """Yield the tags of an HTML document and the text between them, without scripts and styles.

    Raises:
        InputError: a tag has no end.
    """
    parser = _Parser()
    with document.open() as stream, TextIOWrapper(stream, "utf-8-sig", "replace") as text:
        while block := text.read(_BLOCK_CHARACTERS):
            parser.feed(block)
            yield from parser.take_tokens()
            if len(parser.rawdata) > _MAX_TAG_CHARACTERS:
                raise InputError(f"{document.name} is not HTML: a tag has no end")
    parser.close()
    yield from parser.take_tokens()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._tokens: list[StartTag | EndTag | str] = []
        self._invisible_tag = ""  # the open tag whose content is left out

    def take_tokens(self) -> list[StartTag | EndTag | str]:
        tokens, self._tokens = self._tokens, []
        return tokens

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _INVISIBLE_TAGS:
            self._invisible_tag = tag
        elif not self._invisible_tag:
            self._tokens.append(StartTag(tag, {name: value or "" for name, value in attrs}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._invisible_tag:
            self._invisible_tag = "" if tag == self._invisible_tag else self._invisible_tag
        else:
            self._tokens.append(EndTag(tag))

    def handle_data(self, data: str) -> None:
        if not self._invisible_tag:
            self._tokens.append(data)
