"""Options that several commands share, so that they read and behave alike."""

import math
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from memcli.cli.completion import values
from memcli.cli.when import end_of, start_of, zone
from memcli.errors import UsageError
from memcli.settings import settings

STAGES = {"retrieve", "rerank", "sift"}
UNITS = {"s": 1, "m": 60, "h": 3600}  # seconds


def words(text: str) -> str:
    """Return what was typed; bytes that are no text become question marks."""
    return text.encode("utf-8", "replace").decode()


def names(text: str) -> frozenset[str]:
    """Return all names of a person."""
    return frozenset(settings().names(words(text)))


def layers(text: str) -> int | None:
    """Return a number of layers, None for `auto`.

    Raises:
        UsageError: it is neither.
    """
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit()):
        raise UsageError(
            f"`{text}` is no number of layers", hint="`--gpu-layers auto`, or a number"
        )
    return int(text)


def stages(text: str) -> frozenset[str] | None:
    """Return the stages of a list, None for `auto`. Without retrieving there is nothing to rank.

    Raises:
        UsageError: one is unknown.
    """
    if text == "auto":
        return None
    named = {name.strip() for name in text.split(",")}
    if unknown := named - STAGES:
        raise UsageError(
            f"`{words(min(unknown))}` is no stage",
            hint="`--stages auto`, or `retrieve,rerank,sift`",
        )
    return frozenset(named)


def seconds(text: str) -> float:
    """Return a number of seconds: `90`, `90s`, `15m`, `2h`.

    Raises:
        UsageError: it is none, or negative, or not finite.
    """
    number_of, unit = text, 1
    if text[-1:] in UNITS:
        number_of, unit = text[:-1], UNITS[text[-1]]
    try:
        number = float(number_of) * unit
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(f"`{words(text)}` is no number of seconds", hint="`--budget 20`")
    return number


Database = Annotated[
    Path | None,
    typer.Option(
        "--db", envvar="MEM_DB", show_default=False, metavar="FILE", help="Database file."
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait", min=0, metavar="SECONDS", help="Seconds to wait for another process that writes."
    ),
]
Timezone = Annotated[
    ZoneInfo | None,
    typer.Option(
        "--timezone",
        parser=zone,
        metavar="ZONE",
        show_default=False,
        help="Zone of clocks that name none, as in `Europe/Lisbon`; yours by default.",
    ),
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        parser=start_of,
        metavar="DATE",
        show_default=False,
        help="Only sessions from this day, month or year on: `2024-03-01`, `2024-03`, `2024`.",
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until",
        parser=end_of,
        metavar="DATE",
        show_default=False,
        help="Only sessions up to the end of this day, month or year.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        autocompletion=values.sources,
        parser=words,
        metavar="SOURCE",
        show_default=False,
        help="Only sessions of this source: `chatgpt`.",
    ),
]
Speaker = Annotated[
    frozenset[str] | None,
    typer.Option(
        "--speaker",
        autocompletion=values.speakers,
        parser=names,
        metavar="NAME",
        show_default=False,
        help="Only sessions in which this person speaks, by any name that `[people]` in the"
        " settings gives them; `me` is you.",
    ),
]
Limit = Annotated[
    int, typer.Option("--limit", "-n", min=1, metavar="N", help="Most sessions to show.")
]
MinScore = Annotated[
    float | None,
    typer.Option(
        "--min-score",
        min=0,
        max=1,
        show_default=False,
        metavar="SCORE",
        help="Only sessions with this score or a better one, from 0 to 1.",
    ),
]
ListFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv"] | None,
    typer.Option(
        "--format",
        show_default=False,
        metavar="FORM",
        help="Form to print: `text`, the default, `json`, `jsonl`, `markdown` or `csv`.",
    ),
]
AnswerFormat = Annotated[
    Literal["text", "json", "jsonl", "markdown", "csv", "context"] | None,
    typer.Option(
        "--format",
        show_default=False,
        metavar="FORM",
        help="Form to print: `text`, the default, `json`, `jsonl`, `markdown`, `csv`, or `context`:"
        " whole turns of the best sessions, for a language model to read.",
    ),
]
ContextTokens = Annotated[
    int | None,
    typer.Option(
        "--context-tokens",
        min=1,
        show_default=False,
        metavar="N",
        help="Most tokens of `--format context`, 4000 by default.",
    ),
]
Profile = Annotated[
    bool,
    typer.Option(
        "--profile",
        help="Begin `--format context` with the memories about you that you wrote or accepted.",
    ),
]
Null = Annotated[bool, typer.Option("--null", "-0", help="Questions on standard input end in NUL.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the result.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Tell what each stage did.")]
Reranker = Annotated[
    str | None,
    typer.Option(
        "--reranker",
        autocompletion=values.rerankers,
        envvar="MEM_RERANKER",
        show_default=False,
        metavar="MODEL",
        help="Model that judges passages: a GGUF file, a name such as `memreranker-4b`, or `none`."
        " By default the one in the models folder.",
    ),
]
Sifter = Annotated[
    str | None,
    typer.Option(
        "--sifter",
        autocompletion=values.sifters,
        envvar="MEM_SIFTER",
        show_default=False,
        metavar="MODEL",
        help="Model that reads, thinks and ranks: a GGUF file, a name such as `memsifter-4b`, or"
        " `none`. By default the one in the models folder.",
    ),
]
Reader = Annotated[
    str | None,
    typer.Option(
        "--reader",
        autocompletion=values.readers,
        envvar="MEM_READER",
        show_default=False,
        metavar="MODEL",
        help="Model that reads: a GGUF file, a folder of safetensors, an address such as"
        " `http://localhost:8000/v1#memreader-4b`, or a name. By default the one in the models"
        " folder.",
    ),
]
Chat = Annotated[
    str | None,
    typer.Option(
        "--chat",
        autocompletion=values.chats,
        envvar="MEM_CHAT",
        show_default=False,
        metavar="MODEL",
        help="Model that answers: a GGUF file, a name, or the address of a server.",
    ),
]
GpuLayers = Annotated[
    int | None,
    typer.Option(
        "--gpu-layers",
        envvar="MEM_GPU_LAYERS",
        parser=layers,
        show_default=False,
        metavar="N",
        help="Layers to run on the GPU, 0 for none; `auto`, the default, for all that fit.",
    ),
]
Stages = Annotated[
    frozenset[str] | None,
    typer.Option(
        "--stages",
        parser=stages,
        show_default=False,
        metavar="LIST",
        help="Stages to go through, of `retrieve,rerank,sift`; `auto`, the default, for those"
        " there are models and time for.",
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget",
        parser=seconds,
        show_default=False,
        metavar="SECONDS",
        help="Answer within so many seconds, as well as that allows.",
    ),
]
Think = Annotated[
    int, typer.Option("--think", min=0, metavar="N", help="Most tokens that a model thinks.")
]
