"""Printing a ranking, and the answer to it, in the format that was chosen."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from memcli.cli.output.console import console, note, print_json, print_jsonl, printable
from memcli.cli.output.session_view import ShowPage, print_ranking, session_heading, stage_line
from memcli.lazy_dataclasses import dataclass
from memcli.search.results import Ranking

if TYPE_CHECKING:
    from memcli.search.answer import Answer


@dataclass
class AnswerPrinter:
    """Prints rankings and answers in one format; everything beside the result goes to stderr."""

    command: str  # `ask` or `search`: the name of the JSON document
    format: str
    whole_trace: bool = False
    quiet: bool = False
    verbose: bool = False
    on_list: Callable[[Sequence[str]], None] | None = None  # takes the ids of a list for people
    show_page: ShowPage | None = None  # shows a single list that is longer than the terminal
    listed: int = 0  # sessions of the last list that was printed for people
    _printed: int = 0  # rankings that found something

    def report_stages(self, ranking: Ranking) -> None:
        """Report on stderr what there was no time for, and with `--verbose` what each stage did."""
        if self.verbose:
            for stage in ranking.stages:
                note(stage_line(stage))
        if self.verbose or not self.quiet:
            for left_out in ranking.left_out:
                note(left_out)

    def print_ranking(
        self, ranking: Ranking, *, context: str, several: bool, answer_follows: bool
    ) -> None:
        """Print a ranking at once if people or a language model read it.

        Args:
            ranking: the ranking.
            context: its turns as one block, for the format `context`.
            several: whether there may be more than one question.
            answer_follows: whether a model writes an answer afterwards.
        """
        if ranking.corrections and self.format == "text":
            words = (f"`{new}` instead of `{old}`" for old, new in ranking.corrections.items())
            note(f"searched for {', '.join(words)}")
        for phrase in ranking.missing_phrases if self.format == "text" else ():
            note(f"no session has the phrase `{printable(phrase)}`")
        if ranking.verdict != "found":
            return
        if self.format == "text":
            if several:
                self._print_question(ranking.question)
            self._print_list(ranking, show_page=None if several else self.show_page)
            if answer_follows:
                console().print()
        elif self.format == "context":
            from memcli.cli.output.markdown_csv import print_text

            print_text(f"\n{context}" if self._printed else context)
        self._printed += 1

    def finish(self, ranking: Ranking, answer: "Answer | None", *, several: bool) -> None:
        """Print the formats that are printed in one piece, and raise the error that ended the work.

        Raises:
            BackendError: a model failed.
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        if answer and self.verbose:
            note(stage_line(answer.stage))
        self._print_document(ranking, answer, several=several)
        if answer:
            from memcli.cli.output.answer_stream import warn_about_answer

            warn_about_answer(answer)
        if ranking.verdict == "nothing":
            self._report_nothing_found(ranking, several=several)
        stopped = ranking.stopped_by or (answer.stopped_by if answer else None)
        if stopped:
            raise stopped

    def _print_list(
        self,
        ranking: Ranking,
        stream: TextIO | None = None,
        show_page: ShowPage | None = None,
    ) -> None:
        print_ranking(ranking, whole_trace=self.whole_trace, stream=stream, show_page=show_page)
        self.listed = len(ranking.results)
        if self.on_list:
            self.on_list([result.session.id for result in ranking.results])

    def _report_nothing_found(self, ranking: Ranking, *, several: bool) -> None:
        """Say that nothing was found; for people, show the nearest sessions below it.

        All of it goes to stderr, so that a script that reads stdout never takes them for a result.
        """
        question = f" for `{' '.join(ranking.question.split())}`" if several else ""
        if not ranking.results:
            note(f"nothing found{question}")
        elif self.format == "text":
            note(f"nothing relevant found{question}; these are nearest, but unlikely to answer")
            self._print_list(ranking, sys.stderr)
        else:
            best = ranking.results[0].session
            heading = session_heading(best)
            note(f"nothing relevant found{question}; nearest is {best.id}, {heading}")

    def _print_question(self, question: str) -> None:
        gap = "\n" if self._printed else ""
        console().print(f"{gap}{printable(question)}\n", style="bold", soft_wrap=True)

    def _print_document(self, ranking: Ranking, answer: "Answer | None", *, several: bool) -> None:
        """Print the formats that programs read, whole at the end."""
        if self.format in ("text", "context"):
            return
        from memcli.cli.json_output.session_documents import (
            ask_document,
            ranked_session_json,
            search_document,
        )
        from memcli.cli.output.markdown_csv import (
            evidence_rows,
            print_csv,
            print_text,
            ranking_markdown,
        )

        sessions = (
            ranked_session_json(rank, one) for rank, one in enumerate(ranking.results, start=1)
        )
        if self.format == "json" or (self.format == "jsonl" and several):
            is_ask = self.command == "ask"
            print_json(ask_document(ranking, answer) if is_ask else search_document(ranking))
        elif ranking.verdict == "nothing":
            return
        elif self.format == "jsonl":
            print_jsonl(sessions)
        elif self.format == "csv":
            print_csv(evidence_rows(ranking.question, sessions), header=self._printed == 1)
        elif self.format == "markdown":
            document = ranking_markdown(ranking, answer)
            print_text(f"\n{document}" if self._printed > 1 else document)
