"""Options that several commands of `mem memories` share."""

from typing import Annotated, Literal

import typer

from memcli.cli.completion import values
from memcli.cli.options import parse_text

MemoryName = Annotated[
    str,
    typer.Argument(
        autocompletion=values.offer_memory_ids,
        metavar="ID",
        parser=parse_text,
        help="Id of a memory, or its beginning: `m_k3j`.",
    ),
]
TypeName = Literal["UserMemory", "LongTermMemory"]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        parser=parse_text,
        show_default=False,
        help="Tag of the memory; may be given several times.",
    ),
]
