"""An answer as it is written: on a terminal word by word, wrapped between words."""

import re
from collections import deque
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from memcli.cli.output.console import console, note, safe
from memcli.cli.output.hyperlinks import linked
from memcli.cli.output.live_view import watching
from memcli.cli.output.session_view import Look
from memcli.protocols import Chat
from memcli.search.answer import Answering, Reply
from memcli.search.dialogue import Dialogue
from memcli.search.model_speed import Speeds
from memcli.search.results import Answer
from memcli.text.scripts import BREAKABLE_ANYWHERE

if TYPE_CHECKING:
    from rich.console import Console

# Unspaced scripts may break anywhere. Compiled when it is first used, which takes 3 ms.
_WORDS = rf"\n|[^\S\n]+|[{BREAKABLE_ANYWHERE}]|[^\s{BREAKABLE_ANYWHERE}]+"


def answered(
    answer: Answer,
    chat: Chat,
    *,
    dialogue: Dialogue,
    think: int,
    speeds: Speeds,
    quiet: bool,
    printed: bool,
) -> Reply:
    """Let a model answer from a ranking.

    Args:
        answer: the ranking; it found something.
        chat: the model.
        dialogue: what was asked before.
        think: most tokens of its thought.
        speeds: of the models on this machine; learns.
        quiet: whether nothing is told while it reads and thinks.
        printed: whether to print the answer while it is written.
    """
    with watching(quiet=quiet or not printed) as listener:
        work = Answering(
            answer.question,
            answer.results,
            chat,
            dialogue=dialogue,
            thought_tokens=think,
            listener=listener,
            speeds=speeds,
        )
        pieces = work.pieces()
        first = next(pieces, "")
    rest = chain([first], pieces)
    if printed:
        _print(rest)
    else:
        deque(rest, maxlen=0)
    return work.reply


def tell(reply: Reply) -> None:
    """Say what an answer lacks, and what it refers to that nobody showed it."""
    if reply.cut:
        note("the answer is cut: there was no more time for it" if reply.text else
             "there was no time for an answer")  # fmt: skip
    strange = [one.turn for one in reply.references if not one.known]
    if strange:
        note(f"the answer refers to what it was not shown: {', '.join(strange)}")


def _print(pieces: Iterable[str]) -> None:
    out = console()
    if not out.is_terminal:
        for piece in pieces:
            out.file.write(safe(piece))
            out.file.flush()
        out.file.write("\n")
        out.file.flush()  # before anything is noted
        return
    _Wrapped(out).print(pieces)


class _Wrapped:
    """Prints words as they come, each whole on a line if one can hold it."""

    def __init__(self, out: "Console") -> None:
        self._out, self._look = out, Look.of(out)
        self._column = 0
        self._space = ""  # before the next word, unless it begins a line

    def print(self, pieces: Iterable[str]) -> None:
        held: list[str] = []  # a word that may go on
        for piece in pieces:
            *whole, last = re.findall(_WORDS, "".join(held) + safe(piece)) or [""]
            for word in whole:
                self._word(word)
            held = [last]
        self._word("".join(held))
        self._out.print()

    def _word(self, word: str) -> None:
        from rich.cells import cell_len
        from rich.text import Text

        if word == "\n":
            self._break()
        elif word.isspace() or not word:
            self._space = word if self._column else ""
        else:
            if self._column + cell_len(self._space + word) > self._look.width and self._column:
                self._break()
            text = linked(Text(self._space + word), links=self._look.links)
            self._out.print(text, end="", soft_wrap=True)
            self._out.file.flush()
            self._column += cell_len(text.plain)
            self._space = ""

    def _break(self) -> None:
        self._out.print()
        self._column, self._space = 0, ""
