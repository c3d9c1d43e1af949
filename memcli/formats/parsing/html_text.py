"""HTML converted to text."""

from io import BytesIO

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import EndTag, StartTag, parse_html

LARGEST_TEXT = 16 << 20  # characters of one message
LONGEST_TARGET = 2_000  # characters of a link's target; longer ones are left out

_BLOCK_TAGS = ("br", "p", "div", "li", "ul", "ol", "tr", "table", "pre", "blockquote", "hr")
_HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LINE_BREAK_TAGS = frozenset((*_BLOCK_TAGS, *_HEADING_TAGS))


class HtmlTextBuilder:
    """A builder of text from HTML: one line for each block; code keeps its spaces.

    With `has_targets`, the target of a link follows its words, unless they are the target itself.
    """

    def __init__(self, *, has_targets: bool = False) -> None:
        self._has_targets = has_targets
        self._target, self._words = "", ""  # of the link that is open
        self._lines: list[str] = []
        self._line: list[str] = []
        self._length = 0
        self._pre_depth = 0  # number of open <pre> tags

    def add(self, token: StartTag | EndTag | str) -> None:
        """Add a tag or a text; texts after LARGEST_TEXT characters are dropped."""
        if isinstance(token, str):
            parts = token.split("\n") if self._pre_depth else [token]
            for part in parts[:-1]:
                self._append(part)
                self._end_line()
            self._append(parts[-1])
            if self._target:
                self._words += token
        elif self._has_targets and token.tag == "a":
            self._end_link()
            if isinstance(token, StartTag):
                self._target = _link_target(token)
        elif token.tag in _LINE_BREAK_TAGS:
            self._end_line()
            if token.tag == "pre":
                change = 1 if isinstance(token, StartTag) else -1
                self._pre_depth = max(0, self._pre_depth + change)

    def lines(self) -> list[str]:
        """Return the lines that are not blank."""
        self._end_link()
        self._end_line()
        return self._lines

    def _end_link(self) -> None:
        words = self._words.strip()
        if words and _address(words) != _address(self._target):
            self._append(f" ({self._target})")
        self._target, self._words = "", ""

    def _append(self, text: str) -> None:
        if self._length < LARGEST_TEXT:
            self._line.append(text)
            self._length += len(text)

    def _end_line(self) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._pre_depth else " ".join(text.split())
        if text.strip():
            self._lines.append(text)
        self._line = []


def _link_target(tag: StartTag) -> str:
    """Return the target of a link to a page, "" for any other link."""
    target = tag.attributes.get("href", "").strip()
    is_page = target.startswith(("http://", "https://"))
    return target if is_page and len(target) <= LONGEST_TARGET else ""


def _address(link: str) -> str:
    """Return a link without what people leave out."""
    return link.partition("://")[2].removeprefix("www.").rstrip("/") or link.rstrip("/")


def html_to_text(html: str, *, has_targets: bool = False) -> str:
    """Return the text of a piece of HTML, with one line for each block.

    Args:
        html: the piece.
        has_targets: whether the target of a link follows its words, unless they are the same.

    Raises:
        InputError: a tag has no end.
    """
    builder = HtmlTextBuilder(has_targets=has_targets)
    raw = html.encode("utf-8", "replace")
    for token in parse_html(Document("a piece of HTML", lambda: BytesIO(raw))):
        builder.add(token)
    return "\n".join(builder.lines())
