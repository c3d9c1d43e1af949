"""HTML to text."""

from io import BytesIO

from memcli.formats.parsing.document import Document
from memcli.formats.parsing.html_events import End, Start, tokens

LARGEST_TEXT = 16 << 20  # characters of one message

_LINES = ("br", "p", "div", "li", "ul", "ol", "tr", "table", "pre", "blockquote", "hr")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BREAKS = frozenset((*_LINES, *_HEADINGS))


class Text:
    """Text out of HTML: a line for what stands on a line of its own; code keeps its spaces."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._length = 0
        self._code = 0  # <pre> inside each other

    def add(self, token: Start | End | str) -> None:
        """Take in a tag, or text; past LARGEST_TEXT characters, nothing more."""
        if isinstance(token, str):
            parts = token.split("\n") if self._code else [token]
            for part in parts[:-1]:
                self._put(part)
                self._break()
            self._put(parts[-1])
        elif token.tag in _BREAKS:
            self._break()
            if token.tag == "pre":
                self._code = max(0, self._code + (1 if isinstance(token, Start) else -1))

    def lines(self) -> list[str]:
        """Return the lines that are not blank."""
        self._break()
        return self._lines

    def _put(self, text: str) -> None:
        if self._length < LARGEST_TEXT:
            self._line.append(text)
            self._length += len(text)

    def _break(self) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._code else " ".join(text.split())
        if text.strip():
            self._lines.append(text)
        self._line = []


def text_of(html: str) -> str:
    """Return the text of a piece of HTML, a line for what stands on a line of its own.

    Raises:
        InputError: a tag has no end.
    """
    found = Text()
    raw = html.encode("utf-8", "replace")
    for token in tokens(Document("a piece of HTML", lambda: BytesIO(raw))):
        found.add(token)
    return "\n".join(found.lines())
