"""`mem models remove`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.models.maintain import remove_models
from memcli.cli.models.resolve import load_catalog
from memcli.cli.options import parse_text
from memcli.cli.parsing.parameters import Argument

RequiredNames = Annotated[
    list[str],
    Argument(
        metavar="NAME...",
        parser=parse_text,
        autocompletion=values.offer_models_here,
        help="Names of models.",
    ),
]


def remove_weights(names: RequiredNames) -> None:
    """Remove models from this machine.

    A file that was added with `mem models add` stays; only its name is removed.
    """
    remove_models(load_catalog(), names)
