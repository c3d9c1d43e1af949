"""`mem models show`."""

from typing import Annotated

from memcli.cli.commands.models.model_options import named_models
from memcli.cli.completion import values
from memcli.cli.models.describe import describe_model
from memcli.cli.models.resolve import load_catalog
from memcli.cli.option_groups import ResultOptions
from memcli.cli.output.console import print_json, printable, write_line
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text

KnownName = Annotated[
    str,
    Argument(
        metavar="NAME",
        parser=parse_text,
        autocompletion=values.offer_models,
        help="Name of a model.",
    ),
]


def show_model(name: KnownName, *, output: ResultOptions) -> None:
    """Show what is known about a model: its settings, their source, and its prompt."""
    known = load_catalog().manifest(name)
    if output.as_json:
        print_json(named_models([known.name]))
        return
    for line in describe_model(known):
        write_line(printable(line))
