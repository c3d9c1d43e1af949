"""Options that several commands share, so that they read and behave alike.

Each is an `Annotated` type for a parameter of a command. `option_groups` puts those together that
are used together. The `rich_help_panel` of an option is the heading that the help, the man page
and Tab show it under.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from memcli.cli.completion import values
from memcli.cli.parsing.parameters import QUIET, Option
from memcli.cli.typed_dates import parse_end, parse_since
from memcli.cli.typed_values import (
    parse_gpu,
    parse_layers,
    parse_limit,
    parse_names,
    parse_seconds,
    parse_source,
    parse_stages,
)
from memcli.text.typed_periods import Period

FILTERS = "Filters"
MODELS = "Models"
OUTPUT = "Output"
DATABASE = "Database"


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
        parser=parse_seconds,
        metavar="TIME",
        rich_help_panel=DATABASE,
        help="Wait up to this long, such as `90` seconds or `15m`, while another process writes to"
        " the database.",
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


def limit_option(help_text: str) -> Option:
    """Return the option that limits a list."""
    return Option(
        "--limit",
        "-n",
        parser=parse_limit,
        metavar="N",
        rich_help_panel=FILTERS,
        help=f"{help_text}; 0 for all.",
    )


Limit = Annotated[int, limit_option("Show at most this many sessions")]
OptionalLimit = Annotated[int | None, limit_option("Show at most this many sessions")]
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


def _format_option(further: str) -> Option:
    return Option(
        "--format",
        show_default=False,
        metavar="FORMAT",
        rich_help_panel=OUTPUT,
        help=f"Output format: `text` (the default), `json`, `jsonl`, `markdown`, {further}.",
    )


ListFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv"] | None, _format_option("or `csv`")
]
SessionsFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv", "tsv"] | None,
    _format_option(
        "`csv`, or `tsv`: id, day, source, turns and title with tabs between, for `fzf` and the"
        " like"
    ),
]
ChartFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv", "svg"] | None,
    _format_option("`csv`, or `svg`, a drawing for a file"),
]
RankingFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv", "context"] | None,
    _format_option(
        "`csv`, or `context`: whole turns of the best sessions, to be read by a language model"
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
Quiet = Annotated[bool, QUIET]
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
Gpu = Annotated[
    int | None,
    Option(
        "--gpu",
        parser=parse_gpu,
        show_default=False,
        metavar="N",
        rich_help_panel=MODELS,
        help="Run models on the GPU of this number, from 0. By default they are split over all.",
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
        metavar="TIME",
        rich_help_panel=MODELS,
        help="Answer within this time, such as `20` seconds or `2m`, as well as it allows.",
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
