"""From a question, or many, to what is printed of each."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import typer

from memcli.cli.json_output.session_documents import (
    ask_document,
    ranked_session_json,
    search_document,
)
from memcli.cli.output.answer_stream import answered, tell
from memcli.cli.output.console import console, nobody_reads, note, print_json, print_jsonl, safe
from memcli.cli.output.formats import (
    CONTEXT_TOKENS,
    answer_markdown,
    evidence_rows,
    print_csv,
    print_text,
)
from memcli.cli.output.live_view import watching
from memcli.cli.output.session_view import heading, print_answer, stage_line
from memcli.cli.stdin_questions import STDIN, questions
from memcli.deadline import deadline, seconds_left
from memcli.errors import ExitCode, UsageError
from memcli.memories.profile import profile
from memcli.protocols import Chat
from memcli.search.answer import Reply
from memcli.search.context import context, estimated
from memcli.search.dialogue import Dialogue, keep_dialogue, last_dialogue
from memcli.search.model_speed import Speeds
from memcli.search.results import Answer
from memcli.search.stages import Models
from memcli.search.stages import ask as rank_sessions
from memcli.store import Filters, Store

PRINTING = 0.3  # seconds of a budget that starting and printing take
RANKING = 0.5  # of a budget, where an answer is to follow
PROFILE_SHARE = 4  # a context's part that who the person is may take
NO_PROFILE = "nothing about you is accepted yet: `mem memories accept ID`, or `mem memories add`"
SMALL = "nothing about you fits: let it take more with `--context-tokens`"


@dataclass
class Asker:
    """Models and limits that questions are asked with."""

    models: Models
    chat: Chat | None
    filters: Filters
    limit: int
    least: float | None = None
    budget: float | None = None  # seconds for each question
    speeds: Speeds = field(default_factory=Speeds)
    began: float = field(default_factory=monotonic)  # when the first budget did

    def ask(
        self,
        question: str,
        store: Store,
        printer: "Printer",
        *,
        null: bool = False,
        continued: bool = False,
    ) -> None:
        """Ask one question, or with `-` those on standard input, and print what comes of each.

        Raises:
            typer.Exit: nothing relevant was found, to none of them.
            BackendError: a model failed; what there was by then was printed.
        """
        dialogue = last_dialogue(store.cache) if continued else Dialogue()
        if continued and not dialogue.exchanges:
            note("there is no question to go on from: this one stands alone")
        several = question == STDIN
        found = False
        for one in questions(null=null) if several else [question]:
            answer, reply = self._answered(one, store, printer, dialogue, several=several)
            found = found or answer.verdict == "found"
            grown = dialogue.grown(answer, reply.text if reply else "")
            dialogue = grown if continued or not several else dialogue
            if printer.command == "ask" and (continued or not several):
                keep_dialogue(store.cache, dialogue)
            if nobody_reads():
                return
        if not found:
            raise typer.Exit(ExitCode.NOTHING_FOUND)

    def _answered(
        self, question: str, store: Store, printer: "Printer", dialogue: Dialogue, *, several: bool
    ) -> tuple[Answer, Reply | None]:
        spent = PRINTING if several else PRINTING + monotonic() - self.began  # opening models
        left = math.inf if self.budget is None else self.budget - spent
        reply = None
        try:
            with deadline(left):
                answer = self._ranked(question, store, printer, dialogue, several=several)
                printer.ranked(answer, self.models, store, several=several, more=bool(self.chat))
                if self.chat and answer.verdict == "found" and not answer.stopped:
                    reply = answered(
                        answer,
                        self.chat,
                        dialogue=dialogue,
                        think=self.models.thought_tokens,
                        speeds=self.speeds,
                        quiet=printer.quiet or several,
                        printed=printer.form == "text",
                    )
        finally:
            self.speeds.save()
        printer.done(answer, reply, several=several)
        return answer, reply

    def _ranked(
        self, question: str, store: Store, printer: "Printer", dialogue: Dialogue, *, several: bool
    ) -> Answer:
        quiet = printer.quiet or several or printer.form != "text"
        with (
            deadline(seconds_left() * (RANKING if self.chat else 1)),
            watching(quiet=quiet) as listener,
        ):
            return rank_sessions(
                question,
                store,
                self.models,
                self.filters,
                limit=self.limit,
                least=self.least,
                dialogue=dialogue,
                listener=listener,
                speeds=self.speeds,
            )


@dataclass
class Printer:
    """Prints rankings and answers in one form; what is beside the result goes to stderr."""

    command: str
    form: str
    tokens: int | None = None
    profiled: bool = False
    whole_trace: bool = False
    quiet: bool = False
    verbose: bool = False
    _printed: int = 0

    def ranked(
        self, answer: Answer, models: Models, store: Store, *, several: bool, more: bool
    ) -> None:
        """Print a ranking, as soon as it is there if people read it."""
        self._tell(answer)
        found = answer.verdict == "found"
        if found and self.form == "text":
            if several:
                gap = "\n" * bool(self._printed)
                console().print(f"{gap}{safe(answer.question)}\n", style="bold", soft_wrap=True)
            print_answer(answer, whole_trace=self.whole_trace)
            if more:
                console().print()
        elif found and self.form == "context":
            counting = models.sifter or models.reranker
            self._print_context(answer, store, counting.count if counting else estimated)
        self._printed += found

    def done(self, answer: Answer, reply: Reply | None, *, several: bool) -> None:
        """Print what is printed in one piece, and end where something ended it.

        Raises:
            BackendError: a model failed.
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        if reply and self.verbose:
            note(stage_line(reply.stage))
        self._print(answer, reply, several=several)
        if reply:
            tell(reply)
        stopped = answer.stopped or (reply.stopped if reply else None)
        if stopped:
            raise stopped
        if answer.verdict == "nothing":
            _tell_nothing(answer, several=several)

    def _print_context(self, answer: Answer, store: Store, count: Callable[[str], int]) -> None:
        """Print turns as a context; before the first of several, who the person is."""
        room = self.tokens or CONTEXT_TOKENS
        head = ""
        if self.profiled and not self._printed:
            head = profile(store, room // PROFILE_SHARE, count)
            if not head:
                note(SMALL if profile(store, sys.maxsize, count) else NO_PROFILE)
        shown = context(answer.results, count, room, head=head)
        if not shown.text:
            raise UsageError(f"no turn fits into {room} tokens")
        print_text("\n" * bool(self._printed) + shown.text)

    def _print(self, answer: Answer, reply: Reply | None, *, several: bool) -> None:
        sessions = (
            ranked_session_json(rank, one) for rank, one in enumerate(answer.results, start=1)
        )
        if self.form == "json" or (self.form == "jsonl" and several):
            print_json(
                ask_document(answer, reply) if self.command == "ask" else search_document(answer)
            )
        elif answer.verdict == "nothing":
            return
        elif self.form == "jsonl":
            print_jsonl(sessions)
        elif self.form == "csv":
            print_csv(evidence_rows(answer.question, sessions), head=self._printed == 1)
        elif self.form == "markdown":
            print_text("\n" * (self._printed > 1) + answer_markdown(answer, reply))

    def _tell(self, answer: Answer) -> None:
        if self.verbose:
            for stage in answer.stages:
                note(stage_line(stage))
        if self.verbose or answer.out_of_time:
            for what in answer.left_out:
                note(what)


def _tell_nothing(answer: Answer, *, several: bool) -> None:
    question = f" for `{' '.join(answer.question.split())}`" if several else ""
    if answer.results:
        best = answer.results[0].session
        note(f"nothing relevant found{question}; nearest is {best.id}, {heading(best)}")
    else:
        note(f"nothing found{question}")
