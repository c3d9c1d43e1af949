"""The answer of a chat model while it is written: on a terminal wrapped between words."""

import re
from collections import deque
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from memcli.cli.output.console import console, note, printable
from memcli.cli.output.live_view import live_ranking
from memcli.cli.output.session_view import RenderStyle
from memcli.cli.output.styling.hyperlinks import highlight_references
from memcli.protocols import Chat
from memcli.search.answer import Answer, AnswerStage
from memcli.search.dialogue import Dialogue
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import Ranking
from memcli.text.scripts import BREAKABLE_ANYWHERE

if TYPE_CHECKING:
    from rich.console import Console

# Scripts without spaces may break anywhere. The pattern is compiled at its first use (3 ms).
_WORDS = rf"\n|[^\S\n]+|[{BREAKABLE_ANYWHERE}]|[^\s{BREAKABLE_ANYWHERE}]+"


def generate_answer(
    ranking: Ranking,
    chat: Chat,
    *,
    dialogue: Dialogue,
    think: int,
    speeds: ModelSpeeds,
    quiet: bool,
    printed: bool,
) -> Answer:
    """Let a model answer from a ranking, and return the answer.

    Args:
        ranking: a ranking that found something.
        chat: the model.
        dialogue: the questions before this one.
        think: the most tokens that the model thinks.
        speeds: the speeds of models on this machine; this run is added to them.
        quiet: whether to show nothing while the model reads and thinks.
        printed: whether to print the answer while it is written.
    """
    with live_ranking(quiet=quiet or not printed) as listener:
        stage = AnswerStage(
            ranking.question,
            ranking.results,
            chat,
            dialogue=dialogue,
            thought_tokens=think,
            listener=listener,
            speeds=speeds,
        )
        pieces = stage.stream()
        first = next(pieces, "")
    rest = chain([first], pieces)
    if printed:
        _print(rest)
    else:
        deque(rest, maxlen=0)
    return stage.answer


def warn_about_answer(answer: Answer) -> None:
    """Warn if an answer was cut short, or refers to turns that the model was not shown."""
    if answer.out_of_time and answer.text:
        note("the answer is cut short: the time was up")
    elif answer.out_of_time:
        note("there was no time for an answer")
    unknown = [one.turn for one in answer.references if not one.known]
    if unknown:
        note(f"the answer refers to turns that the model was not shown: {', '.join(unknown)}")


def _print(pieces: Iterable[str]) -> None:
    out = console()
    if not out.is_terminal:
        for piece in pieces:
            out.file.write(printable(piece))
            out.file.flush()
        out.file.write("\n")
        out.file.flush()  # before a note is written to stderr
        return
    _WordWrapper(out).print(pieces)


class _WordWrapper:
    """Prints words as they come, each unbroken on one line if it is short enough."""

    def __init__(self, out: "Console") -> None:
        self._out, self._style = out, RenderStyle.of(out)
        self._column = 0
        self._space = ""  # the space before the next word, unless that begins a line

    def print(self, pieces: Iterable[str]) -> None:
        unfinished = ""  # the last word so far, which the next piece may continue
        for piece in pieces:
            *words, unfinished = re.findall(_WORDS, unfinished + printable(piece)) or [""]
            for word in words:
                self._print_word(word)
        self._print_word(unfinished)
        self._out.print()

    def _print_word(self, word: str) -> None:
        from rich.cells import cell_len
        from rich.text import Text

        if word == "\n":
            self._break_line()
        elif word.isspace() or not word:
            self._space = word if self._column else ""
        else:
            width = cell_len(self._space + word)
            if self._column and self._column + width > self._style.width:
                self._break_line()
            text = highlight_references(Text(self._space + word), links=self._style.links)
            self._out.print(text, end="", soft_wrap=True)
            self._out.file.flush()
            self._column += cell_len(text.plain)
            self._space = ""

    def _break_line(self) -> None:
        self._out.print()
        self._column, self._space = 0, ""
