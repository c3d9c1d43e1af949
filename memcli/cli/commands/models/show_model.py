"""`mem models show`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.models.describe import describe_model
from memcli.cli.models.resolve import load_catalog
from memcli.cli.options import parse_text
from memcli.cli.output.console import printable, write_line
from memcli.cli.parsing.parameters import Argument

KnownName = Annotated[
    str,
    Argument(
        metavar="NAME",
        parser=parse_text,
        autocompletion=values.offer_models,
        help="Name of a model.",
    ),
]


def show_model(name: KnownName) -> None:
    """Show what is known about a model: its settings, their source, and its prompt."""
    for line in describe_model(load_catalog().manifest(name)):
        write_line(printable(line))
