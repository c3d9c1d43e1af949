"""Text without styles, for pipes: it prints what rich would print there, and loads nothing.

`PlainText` and `PlainConsole` have the methods of rich's `Text` and `Console` that the views use.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.text import Text

_TAB = 8  # columns between the stops that a tab leads to


class PlainText:
    """A text whose styles are forgotten."""

    __slots__ = ("plain",)

    def __init__(self, text: str = "", *_style: str, **_styles: object) -> None:
        self.plain = text

    @classmethod
    def assemble(
        cls, *parts: "str | tuple[str, str] | PlainText", **_styles: object
    ) -> "PlainText":
        """Return the parts as one text; a part may have a style."""
        return cls("".join(_plain(part) for part in parts))

    def join(self, parts: Iterable["PlainText"]) -> "PlainText":
        """Return the parts with this text between them."""
        return PlainText(self.plain.join(part.plain for part in parts))

    def append(self, text: str, *_style: str) -> "PlainText":
        """Add a text at the end."""
        self.plain += text
        return self

    def append_text(self, text: "PlainText") -> "PlainText":
        """Add a text at the end."""
        return self.append(text.plain)

    def stylize(self, *_style: str | int) -> None:
        """Forget a style."""

    def __rich__(self) -> "Text":
        """Return the text as rich prints it."""
        from rich.text import Text

        return Text(self.plain)


class PlainConsole:
    """A console for a stream that is no terminal."""

    is_terminal = False
    is_dumb_terminal = False

    def __init__(self, stream: TextIO, width: int) -> None:
        self.file = stream
        self.width = width  # columns of a table; lines of text may be longer
        self.height = 25
        self._captured: list[str] | None = None

    def print(self, *things: Any, soft_wrap: bool = False, **options: Any) -> None:
        """Print texts, a line each, as rich does without colours and other styles.

        Args:
            things: texts, or things that only rich can print, such as tables.
            soft_wrap: whether lines may be longer than the console.
            options: those of rich's.
        """
        texts = [_plain_lines(one) for one in things]
        lines = [line for text in texts for line in text or ()]
        if None in texts or not (soft_wrap or all(len(line) <= self.width for line in lines)):
            self._print_by_rich(things, {"soft_wrap": soft_wrap, **options})
            return
        text = "\n".join(line.expandtabs(_TAB) if "\t" in line else line for line in lines)
        self._write(text + str(options.get("end", "\n")))

    @contextmanager
    def capture(self) -> Iterator["CapturedText"]:
        """Keep what the block prints."""
        self._captured = []
        captured = CapturedText(self._captured)
        try:
            yield captured
        finally:
            self._captured = None

    def _write(self, text: str) -> None:
        if self._captured is None:
            self.file.write(text)
        else:
            self._captured.append(text)

    def _print_by_rich(self, things: Iterable[Any], options: dict[str, Any]) -> None:
        from memcli.cli.output.console import rich_console

        out = rich_console(self.file)
        with out.capture() as captured:
            out.print(*things, **options)
        self._write(captured.get())


class CapturedText:
    """The text that was printed while a block ran."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts

    def get(self) -> str:
        """Return the text."""
        return "".join(self._parts)


def _plain(part: "str | tuple[str, str] | PlainText") -> str:
    if isinstance(part, tuple):
        return part[0]
    return part if isinstance(part, str) else part.plain


def _plain_lines(thing: Any) -> list[str] | None:
    """Return the lines of a text, or of a list of them; None of anything else."""
    if isinstance(thing, list):
        each = [_plain_lines(one) for one in thing]
        return None if None in each else [line for lines in each for line in lines or ()]
    text = thing if isinstance(thing, str) else getattr(thing, "plain", None)
    return None if text is None else text.split("\n")
