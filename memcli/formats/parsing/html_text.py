"""HTML converted to text."""

from io import BytesIO

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import EndTag, StartTag, parse_html

LARGEST_TEXT = 16 << 20  # characters of one message

_BLOCK_TAGS = ("br", "p", "div", "li", "ul", "ol", "tr", "table", "pre", "blockquote", "hr")
_HEADING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LINE_BREAK_TAGS = frozenset((*_BLOCK_TAGS, *_HEADING_TAGS))


class HtmlTextBuilder:
    """A builder of text from HTML: one line for each block; code keeps its spaces."""

    def __init__(self) -> None:
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
        elif token.tag in _LINE_BREAK_TAGS:
            self._end_line()
            if token.tag == "pre":
                change = 1 if isinstance(token, StartTag) else -1
                self._pre_depth = max(0, self._pre_depth + change)

    def lines(self) -> list[str]:
        """Return the lines that are not blank."""
        self._end_line()
        return self._lines

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


def html_to_text(html: str) -> str:
    """Return the text of a piece of HTML, with one line for each block.

    Raises:
        InputError: a tag has no end.
    """
    builder = HtmlTextBuilder()
    raw = html.encode("utf-8", "replace")
    for token in parse_html(Document("a piece of HTML", lambda: BytesIO(raw))):
        builder.add(token)
    return "\n".join(builder.lines())
