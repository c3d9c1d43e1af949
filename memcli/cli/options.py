"""Options that several commands share, so that they read and behave alike.

Each is an `Annotated` type for a parameter of a command. `option_groups` puts those together that
are used together. The `rich_help_panel` of an option is the heading that the help, the man page
and Tab show it under.
"""

import math
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from memcli.cli.completion import values
from memcli.cli.parsing.parameters import Option
from memcli.cli.typed_dates import parse_end, parse_since, parse_zone
from memcli.errors import UsageError
from memcli.settings import load_settings
from memcli.text.typed_periods import Period

STAGES = {"retrieve", "rerank", "sift"}
UNITS = {"s": 1, "m": 60, "h": 3600}  # seconds of each unit

FILTERS = "Filters"
MODELS = "Models"
OUTPUT = "Output"
DATABASE = "Database"


def parse_text(text: str) -> str:
    """Return the text that was typed, with question marks for bytes that are not text."""
    return text.encode("utf-8", "replace").decode()


def parse_source(text: str) -> str:
    """Return the source that was typed; the name of a format stands for its source."""
    from memcli.formats.guides import find_source  # here, because every press of Tab loads this

    return find_source(parse_text(text))


def parse_names(text: str) -> frozenset[str]:
    """Return all names of a person, given one of them."""
    return frozenset(load_settings().names_of(parse_text(text)))


def parse_layers(text: str) -> int | None:
    """Return a number of layers, or None for `auto`.

    Raises:
        UsageError: the text is neither.
    """
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit()):
        raise UsageError(
            f"not a number of layers: `{parse_text(text)}`", hint="`--gpu-layers auto`, or a number"
        )
    return int(text)


def parse_stages(text: str) -> frozenset[str] | None:
    """Return the stages in a list divided by commas, or None for `auto`.

    Raises:
        UsageError: the list names a stage that does not exist.
    """
    if text == "auto":
        return None
    listed = {name.strip() for name in text.split(",")}
    if unknown := listed - STAGES:
        raise UsageError(
            f"not a stage: `{parse_text(min(unknown))}`",
            hint="`--stages auto`, or `--stages retrieve,rerank,sift`",
        )
    return frozenset(listed)


def parse_seconds(text: str) -> float:
    """Return a duration in seconds: `90`, `90s`, `15m`, `2h`.

    Raises:
        UsageError: the text is not a duration, or it is negative or infinite.
    """
    digits, unit = text, 1
    if text[-1:] in UNITS:
        digits, unit = text[:-1], UNITS[text[-1]]
    try:
        number = float(digits) * unit
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(
            f"not a number of seconds: `{parse_text(text)}`", hint="`--budget 20`, or `--budget 2h`"
        )
    return number


DatabaseFile = Annotated[
    Path | None,
    Option(
        "--db",
        envvar="MEM_DB",
        show_default=False,
        metavar="FILE",
        rich_help_panel=DATABASE,
        help="Use this database file.",
    ),
]
Wait = Annotated[
    float,
    Option(
        "--wait",
        min=0,
        metavar="SECONDS",
        rich_help_panel=DATABASE,
        help="Wait up to this long while another process writes to the database.",
    ),
]
Timezone = Annotated[
    ZoneInfo | None,
    Option(
        "--timezone",
        parser=parse_zone,
        metavar="ZONE",
        show_default=False,
        help="Time zone of exports that name none, such as `Europe/Lisbon`; by default the zone of"
        " this machine.",
    ),
]
Since = Annotated[
    Period | None,
    Option(
        "--since",
        parser=parse_since,
        autocompletion=values.offer_dates,
        metavar="DATE",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only sessions from this day, month or year on: `2024-03-01`, `2024-03`, `7d`,"
        " `yesterday`, `last week`; or of a range: `2025-03..2025-05`.",
    ),
]
Until = Annotated[
    datetime | None,
    Option(
        "--until",
        parser=parse_end,
        autocompletion=values.offer_dates,
        metavar="DATE",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only sessions up to the end of this day, month or year.",
    ),
]
Source = Annotated[
    str | None,
    Option(
        "--source",
        autocompletion=values.offer_sources,
        parser=parse_source,
        metavar="SOURCE",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only sessions from this source, such as `chatgpt`; `mem ingest --formats` lists all.",
    ),
]
Speaker = Annotated[
    frozenset[str] | None,
    Option(
        "--speaker",
        autocompletion=values.offer_speakers,
        parser=parse_names,
        metavar="NAME",
        show_default=False,
        rich_help_panel=FILTERS,
        help="Only sessions in which this person speaks. Any name that `[people]` in the settings"
        " gives them will do; `me` is you.",
    ),
]
_LIMIT = Option(
    "--limit",
    "-n",
    min=1,
    metavar="N",
    rich_help_panel=FILTERS,
    help="Show at most this many sessions.",
)
Limit = Annotated[int, _LIMIT]
OptionalLimit = Annotated[int | None, _LIMIT]
MinScore = Annotated[
    float | None,
    Option(
        "--min-score",
        min=0,
        max=1,
        show_default=False,
        metavar="SCORE",
        rich_help_panel=FILTERS,
        help="Only sessions with at least this score, from 0 to 1.",
    ),
]
ListFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv"] | None,
    Option(
        "--format",
        show_default=False,
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="Output format: `text` (the default), `json`, `jsonl`, `markdown` or `csv`.",
    ),
]
SessionsFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv", "tsv"] | None,
    Option(
        "--format",
        show_default=False,
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="Output format: `text` (the default), `json`, `jsonl`, `markdown`, `csv`, or `tsv`:"
        " id, day, source, turns and title with tabs between, for `fzf` and the like.",
    ),
]
RankingFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv", "context"] | None,
    Option(
        "--format",
        show_default=False,
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help="Output format: `text` (the default), `json`, `jsonl`, `markdown`, `csv`, or"
        " `context`: whole turns of the best sessions, to be read by a language model.",
    ),
]
ContextTokens = Annotated[
    int | None,
    Option(
        "--context-tokens",
        min=1,
        show_default=False,
        metavar="N",
        rich_help_panel=OUTPUT,
        help="Print at most this many tokens with `--format context`; 4000 by default.",
    ),
]
Profile = Annotated[
    bool,
    Option(
        "--profile",
        rich_help_panel=OUTPUT,
        help="Begin `--format context` with the memories about you that you wrote or accepted.",
    ),
]
Redact = Annotated[
    bool | None,
    Option(
        "--redact/--no-redact",
        show_default=False,
        rich_help_panel=OUTPUT,
        help="Mask keys, tokens, passwords and numbers of cards and accounts in what is printed; by"
        " default only with `--format context`.",
    ),
]
WholeTrace = Annotated[
    bool,
    Option(
        "--trace",
        rich_help_panel=OUTPUT,
        help="Print all of the reasoning, not only its conclusion.",
    ),
]
Null = Annotated[
    bool,
    Option(
        "--null",
        "-0",
        help="Questions on standard input end with a NUL character instead of a line break.",
    ),
]
Json = Annotated[bool, Option("--json", rich_help_panel=OUTPUT, help="Print one JSON object.")]
Jsonl = Annotated[
    bool, Option("--jsonl", rich_help_panel=OUTPUT, help="Print one JSON object per line.")
]
Quiet = Annotated[
    bool, Option("--quiet", "-q", rich_help_panel=OUTPUT, help="Print only the result.")
]
Verbose = Annotated[
    bool,
    Option(
        "--verbose",
        "-v",
        rich_help_panel=OUTPUT,
        help="Report on standard error what each step did.",
    ),
]
RerankerName = Annotated[
    str | None,
    Option(
        "--reranker",
        autocompletion=values.offer_rerankers,
        envvar="MEM_RERANKER",
        show_default=False,
        metavar="MODEL",
        rich_help_panel=MODELS,
        help="Model that scores passages: a GGUF file, a name such as `memreranker-4b`, or `none`."
        " By default the one in the models folder.",
    ),
]
SifterName = Annotated[
    str | None,
    Option(
        "--sifter",
        autocompletion=values.offer_sifters,
        envvar="MEM_SIFTER",
        show_default=False,
        metavar="MODEL",
        rich_help_panel=MODELS,
        help="Model that reads the best sessions, thinks and ranks them: a GGUF file, a name such"
        " as `memsifter-4b`, or `none`. By default the one in the models folder.",
    ),
]
ReaderName = Annotated[
    str | None,
    Option(
        "--reader",
        autocompletion=values.offer_readers,
        envvar="MEM_READER",
        show_default=False,
        metavar="MODEL",
        rich_help_panel=MODELS,
        help="Model that reads: a GGUF file, a folder of safetensors, an address such as"
        " `http://localhost:8000/v1#memreader-4b`, or a name. By default the one in the models"
        " folder.",
    ),
]
ChatName = Annotated[
    str | None,
    Option(
        "--chat",
        autocompletion=values.offer_chats,
        envvar="MEM_CHAT",
        show_default=False,
        metavar="MODEL",
        rich_help_panel=MODELS,
        help="Model that writes the answer: a GGUF file, a name, or the address of a server.",
    ),
]
GpuLayers = Annotated[
    int | None,
    Option(
        "--gpu-layers",
        envvar="MEM_GPU_LAYERS",
        parser=parse_layers,
        show_default=False,
        metavar="N",
        rich_help_panel=MODELS,
        help="Run this many layers of a model on the GPU: 0 for none, `auto` (the default) for as"
        " many as fit.",
    ),
]
Stages = Annotated[
    frozenset[str] | None,
    Option(
        "--stages",
        parser=parse_stages,
        show_default=False,
        metavar="LIST",
        rich_help_panel=MODELS,
        help="Run these stages, of `retrieve,rerank,sift`; `auto` (the default) runs those for"
        " which there is a model and enough time.",
    ),
]
Budget = Annotated[
    float | None,
    Option(
        "--budget",
        parser=parse_seconds,
        show_default=False,
        metavar="SECONDS",
        rich_help_panel=MODELS,
        help="Answer within this many seconds, as well as that time allows.",
    ),
]
Think = Annotated[
    int | None,
    Option(
        "--think",
        min=0,
        metavar="N",
        show_default=False,
        rich_help_panel=MODELS,
        help="Let the model think for at most this many tokens. By default the number that its"
        " authors published, such as 4096; with `--budget` and no GPU 1024.",
    ),
]
