"""`mem models path`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.models.maintain import weights_named
from memcli.cli.models.resolve import load_catalog
from memcli.cli.output.console import write_line
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text
from memcli.settings import models_folder

OptionalName = Annotated[
    str | None,
    Argument(
        metavar="[NAME]",
        parser=parse_text,
        autocompletion=values.offer_models_here,
        show_default=False,
        help="Name of a model.",
    ),
]


def print_path(name: OptionalName = None) -> None:
    """Print the path of a model's weights, or of the folder of all models."""
    write_line(weights_named(load_catalog(), [name])[0].path if name else models_folder())
