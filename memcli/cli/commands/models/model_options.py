"""Options that several commands of `mem models` share."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.options import parse_text
from memcli.cli.parsing.parameters import Argument

RESTART = "the same command starts again from the beginning"

Names = Annotated[
    list[str] | None,
    Argument(
        metavar="[NAME...]",
        parser=parse_text,
        autocompletion=values.offer_models,
        show_default=False,
        help="Names of models.",
    ),
]
