"""Groups of options: options that are used together are one parameter of a command, and one value.

A command declares a parameter of a group's type: `def stats(database: DatabaseOptions)`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

from memcli.cli import options
from memcli.cli.output.console import print_json
from memcli.errors import UsageError
from memcli.lazy_dataclasses import dataclass
from memcli.settings import database_path
from memcli.store import Filters, Store
from memcli.store.encryption.database_key import DatabaseKey
from memcli.text.typed_periods import Period


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """The database of a command that only reads."""

    database: options.DatabaseFile = None

    @property
    def path(self) -> Path:
        """The path of the database file, whether it exists or not."""
        return self.database or database_path()

    def open_existing(self) -> Store:
        """Open the database.

        Raises:
            StoreError: there is none, or it cannot be used.
        """
        with _migration_progress() as progress:
            return Store.existing(self.path, progress=progress)


@dataclass(frozen=True, slots=True)
class WritableDatabaseOptions(DatabaseOptions):
    """The database of a command that writes, and may have to wait for another one that does."""

    wait: options.Wait = 10.0

    def open_existing(self) -> Store:
        """Open the database.

        Raises:
            StoreError: there is none, or it cannot be used.
        """
        with _migration_progress() as progress:
            return Store.existing(self.path, wait=self.wait, progress=progress)

    def open(self) -> Store:
        """Open the database, and create it if there is none.

        A new one is encrypted if the settings say where its key is.
        """
        new_key: DatabaseKey | None = None
        if not self.path.exists():
            from memcli.store.encryption.key_sources import make_key_for_new_database

            new_key = make_key_for_new_database(self.path)
        with _migration_progress() as progress:
            return Store(self.path, wait=self.wait, new_key=new_key, progress=progress)


@contextmanager
def _migration_progress() -> Iterator[Callable[[int, int], object]]:
    """Give a callback that shows on stderr how far the migration of an older database is.

    What it needs is imported when it is first called.
    """
    with ExitStack() as stack:

        @cache
        def bars() -> Callable[[str, int, int], None]:
            from memcli.cli.output.progress import progress_bars

            return stack.enter_context(progress_bars(quiet=False))

        yield lambda done, of: bars()("upgrading the database, once", done, of)


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The sessions that a command is limited to."""

    since: options.Since = None
    until: options.Until = None
    source: options.Source = None
    speaker: options.Speaker = None

    def filters(self, among: tuple[int, ...] | None = None) -> Filters:
        """Return the filters of the store.

        Args:
            among: numbers of the sessions that were named; None for all.
        """
        since, until = combine_dates(self.since, self.until)
        return Filters(since, until, self.source, self.speaker, among)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The models that rank sessions, and how they run."""

    reranker: options.RerankerName = None
    sifter: options.SifterName = None
    think: options.Think = None
    gpu_layers: options.GpuLayers = None
    gpu: options.Gpu = None


@dataclass(frozen=True, slots=True)
class StageOptions(ModelOptions):
    """The stages that a question goes through, with their models and the time they may take."""

    chat: options.ChatName = None
    stages: options.Stages = None
    budget: options.Budget = None


@dataclass(frozen=True, slots=True)
class ListOutputOptions:
    """The format that a list is printed in."""

    format: options.ListFormat = None
    as_json: options.Json = False
    as_jsonl: options.Jsonl = False
    quiet: options.Quiet = False

    def chosen_format(self) -> str:
        """Return the format that was chosen, `text` by default.

        Raises:
            UsageError: more than one was chosen.
        """
        return _one_format(self.format, as_json=self.as_json, as_jsonl=self.as_jsonl)


@dataclass(frozen=True, slots=True)
class SessionOutputOptions(ListOutputOptions):
    """The format that a list of sessions is printed in."""

    format: options.SessionsFormat = None  # type: ignore[assignment]  # it has one format more


@dataclass(frozen=True, slots=True)
class ChartOutputOptions(ListOutputOptions):
    """The format that counts by month are printed in."""

    format: options.ChartFormat = None  # type: ignore[assignment]  # it has one format more


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """The form that the result of a change is printed in."""

    as_json: options.Json = False
    quiet: options.Quiet = False

    def print_result(
        self, document: Callable[[], Mapping[str, object]], print_for_people: Callable[[], None]
    ) -> None:
        """Print a document with `--json`, nothing with `--quiet`, and otherwise text."""
        if self.as_json:
            print_json(document())
        elif not self.quiet:
            print_for_people()


@dataclass(frozen=True, slots=True)
class RankingOutputOptions:
    """The format that a ranking is printed in."""

    format: options.RankingFormat = None
    as_json: options.Json = False
    as_jsonl: options.Jsonl = False
    context_tokens: options.ContextTokens = None
    quiet: options.Quiet = False
    redact: options.Redact = None
    verbose: options.Verbose = False

    def chosen_format(
        self, *, several: bool, with_answer: bool = False, profile: bool = False
    ) -> str:
        """Return the format that was chosen, `text` by default.

        A limit of tokens or a profile alone means `context`.

        Args:
            several: whether there may be more than one question.
            with_answer: whether a model writes an answer.
            profile: whether a profile of the person is printed first.

        Raises:
            UsageError: more than one format was chosen, or one that does not go with the rest.
        """
        implied = "context" if self.context_tokens or profile else None
        chosen = _one_format(self.format or implied, as_json=self.as_json, as_jsonl=self.as_jsonl)
        for option, given in (("--context-tokens", self.context_tokens), ("--profile", profile)):
            if given and chosen != "context":
                raise UsageError(
                    f"`{option}` works only with the format context, not with {chosen}",
                    hint="`--format context`",
                )
        if several and chosen == "json":
            raise UsageError(
                "`--json` prints one object for one question, but `-` may read several",
                hint="`--jsonl` prints one object per question",
            )
        if with_answer and (chosen in ("csv", "context") or (chosen == "jsonl" and not several)):
            raise UsageError(f"`--answer` does not work with the format {chosen}", hint="`--json`")
        return chosen

    def masks_secrets(self, chosen: str) -> bool:
        """Return whether secrets are masked in the format that was chosen."""
        return chosen == "context" if self.redact is None else self.redact


@dataclass(frozen=True, slots=True)
class AnswerOutputOptions(RankingOutputOptions):
    """The format that a ranking is printed in, and what is printed with it."""

    profile: options.Profile = False
    whole_trace: options.WholeTrace = False


def _one_format(chosen: str | None, *, as_json: bool, as_jsonl: bool) -> str:
    """Return the format chosen by `--format` or its short forms, `text` by default.

    Raises:
        UsageError: more than one was chosen.
    """
    formats = {chosen} if chosen else set()
    if as_json:
        formats.add("json")
    if as_jsonl:
        formats.add("jsonl")
    if len(formats) > 1:
        raise UsageError(
            f"choose one format, not {' and '.join(sorted(formats))}", hint="`--format json`"
        )
    return formats.pop() if formats else "text"


def combine_dates(
    since: Period | None, until: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """Return the first moment that counts and the first that no longer does.

    Raises:
        UsageError: both a range and `--until` give an end.
    """
    if since is None:
        return None, until
    if since.end and until:
        raise UsageError("both `--since` and `--until` give an end", hint="leave out `--until`")
    if since.start and until and until <= since.start:
        raise UsageError("the period ends before it begins", hint="`--since 2024 --until 2025`")
    return since.start, until or since.end
