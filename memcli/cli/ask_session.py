"""Asking: from a question, or many from standard input, to what is printed for each."""

import math
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from memcli.cli.input_text import STDIN, read_questions
from memcli.cli.language_hint import note_other_language
from memcli.cli.models.open import open_models
from memcli.cli.models.resolve import BUILTIN
from memcli.cli.option_groups import StageOptions
from memcli.cli.output.answer_printer import AnswerPrinter
from memcli.cli.output.console import note, stdout_closed
from memcli.cli.output.live_view import live_ranking
from memcli.deadline import deadline, seconds_left
from memcli.errors import EarlyExit, ExitCode, ModelNotFoundError, UsageError
from memcli.lazy_dataclasses import dataclass, field
from memcli.protocols import Chat
from memcli.search.dialogue import Dialogue, load_dialogue, save_dialogue
from memcli.search.model_speed import ModelSpeeds
from memcli.search.results import Ranking
from memcli.search.stages import RankingModels
from memcli.search.stages import rank_sessions as rank_sessions
from memcli.settings import NO_MODEL
from memcli.store import Filters, Store

if TYPE_CHECKING:
    from memcli.search.answer import Answer

OVERHEAD = 0.3  # seconds of a budget reserved for starting and printing
RANKING_SHARE = 0.5  # the part of a budget that ranking may take if an answer follows
CONTEXT_TOKENS = 4000  # the size of a context if no option says how large it may be
PROFILE_SHARE = 4  # a profile may take one part in this many of a context
NO_PROFILE = (
    "no memory about you is accepted yet: `mem memories accept ID`, or `mem memories add KEY VALUE`"
)
PROFILE_TOO_LARGE = "the profile does not fit: allow more tokens with `--context-tokens`"


@dataclass
class AskSession:
    """The store, the models and the limits that questions are asked with."""

    store: Store
    models: RankingModels
    filters: Filters
    limit: int
    chat: Chat | None = None
    min_score: float | None = None
    budget: float | None = None  # seconds for each question
    context_tokens: int | None = None
    masks_secrets: bool = False  # whether they are masked in what is printed
    with_profile: bool = False  # whether the first context begins with a profile of the person
    speeds: ModelSpeeds = field(default_factory=ModelSpeeds)
    started: float = field(default_factory=monotonic)  # when the budget of the first question began
    _first_context: bool = True  # whether no context has been made yet

    def ask(
        self,
        question: str,
        printer: AnswerPrinter,
        *,
        null: bool = False,
        continued: bool = False,
    ) -> None:
        """Ask one question, or with `-` those on standard input, and print each result.

        Args:
            question: the question, or `-`.
            printer: the printer of results.
            null: whether questions on standard input end with NUL.
            continued: whether the question continues the dialogue that is kept in the store.

        Raises:
            EarlyExit: nothing relevant was found for any question.
            BackendError: a model failed; the results up to then were printed.
        """
        dialogue = load_dialogue(self.store.cache) if continued else Dialogue()
        if continued and not dialogue.exchanges:
            note("there is no earlier question to continue from: this one is asked alone")
        several = question == STDIN
        found = False
        for one in read_questions(null=null) if several else [question]:
            ranking, answer = self._answer(one, printer, dialogue, several=several)
            found = found or ranking.verdict == "found"
            grown = dialogue.with_exchange(ranking, answer.text if answer else "")
            dialogue = grown if continued or not several else dialogue
            if printer.command == "ask" and (continued or not several):
                save_dialogue(self.store.cache, dialogue)
            if stdout_closed():
                return
        if not found:
            raise EarlyExit(ExitCode.NOTHING_FOUND)

    def _answer(
        self, question: str, printer: AnswerPrinter, dialogue: Dialogue, *, several: bool
    ) -> "tuple[Ranking, Answer | None]":
        """Rank sessions, let the chat model answer if there is one, and print both."""
        # A single question pays for opening the models; of several, they are open already.
        spent = OVERHEAD if several else OVERHEAD + monotonic() - self.started
        left = math.inf if self.budget is None else self.budget - spent
        answer = None
        try:
            with deadline(left):
                ranking = self._rank(question, printer, dialogue, several=several)
                if self.masks_secrets:
                    from memcli.search.evidence.masking import mask_ranking

                    ranking = mask_ranking(ranking)
                printer.report_stages(ranking)
                found = ranking.verdict == "found"
                text = self._context(ranking) if found and printer.format == "context" else ""
                printer.print_ranking(
                    ranking, context=text, several=several, answer_follows=bool(self.chat)
                )
                if self.chat and found and not ranking.stopped_by:
                    from memcli.cli.output.answer_stream import generate_answer

                    answer = generate_answer(
                        ranking,
                        self.chat,
                        dialogue=dialogue,
                        think=self.models.answer_thought_tokens,
                        speeds=self.speeds,
                        quiet=printer.quiet or several,
                        printed=printer.format == "text",
                    )
        finally:
            self.speeds.save()
        if printer.format == "text" and not several and self.models.embedder.name in BUILTIN:
            note_other_language(ranking, self.store)
        printer.finish(ranking, answer, several=several)
        return ranking, answer

    def _rank(
        self, question: str, printer: AnswerPrinter, dialogue: Dialogue, *, several: bool
    ) -> Ranking:
        quiet = printer.quiet or several or printer.format != "text" or self.masks_secrets
        with (
            deadline(seconds_left() * (RANKING_SHARE if self.chat else 1)),
            live_ranking(quiet=quiet) as listener,
        ):
            return rank_sessions(
                question,
                self.store,
                self.models,
                self.filters,
                limit=self.limit,
                least_score=self.min_score,
                dialogue=dialogue,
                listener=listener,
                speeds=self.speeds,
            )

    def _context(self, ranking: Ranking) -> str:
        """Return turns of the best sessions as one block; the first may begin with a profile.

        Raises:
            UsageError: not even one turn fits.
        """
        from memcli.memories.profile import describe_person
        from memcli.search.context import build_context, estimate_text_tokens

        counter = self.models.sifter or self.models.reranker
        count = counter.count if counter else estimate_text_tokens
        tokens = self.context_tokens or CONTEXT_TOKENS
        about_user = ""
        if self.with_profile and self._first_context:
            about_user = describe_person(self.store, tokens // PROFILE_SHARE, count)
            if not about_user:
                any_accepted = describe_person(self.store, sys.maxsize, count)
                note(PROFILE_TOO_LARGE if any_accepted else NO_PROFILE)
        self._first_context = False
        if about_user and self.masks_secrets:
            about_user = _mask(about_user)
        block = build_context(ranking.results, count, tokens, head=about_user)
        if not block.text:
            raise UsageError(
                f"not one turn fits into {tokens} tokens", hint="`--context-tokens 4000`"
            )
        if masks := self.masks_secrets and _count_masks(block.text):
            note(f"secrets are masked in {masks} places; `--no-redact` prints them")
        return block.text


def open_stage_models(options: StageOptions, database: Path | None = None) -> RankingModels:
    """Open the models of the stages that were chosen.

    Args:
        options: the stages and the models of each.
        database: the database whose embedder is used if the settings name none.

    Raises:
        ModelNotFoundError: a stage that was named has no model on this machine.
        BackendError: a model file is damaged.
    """
    run = {"rerank", "sift"} if options.stages is None else options.stages
    models = open_models(
        options.reranker if "rerank" in run else NO_MODEL,
        options.sifter if "sift" in run else NO_MODEL,
        gpu_layers=options.gpu_layers,
        thought_tokens=options.think,
        in_a_hurry=options.budget is not None,
        database=database,
    )
    for stage, model in (("rerank", models.reranker), ("sift", models.sifter)):
        if stage in (options.stages or ()) and model is None:
            raise ModelNotFoundError(
                f"there is no model on this machine for the stage `{stage}`",
                hint="`mem models pull` fetches one",
            )
    return models


def _mask(text: str) -> str:
    from memcli.text.redaction import redact  # here, because it compiles some fifty patterns

    return redact(text)


def _count_masks(text: str) -> int:
    from memcli.text.redaction import count_masks

    return count_masks(text)
