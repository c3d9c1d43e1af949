"""`mem models remove`."""

from typing import Annotated

from memcli.cli.commands.models.model_options import named_models
from memcli.cli.completion import values
from memcli.cli.models.maintain import remove_models
from memcli.cli.models.resolve import load_catalog
from memcli.cli.option_groups import ResultOptions
from memcli.cli.output.console import one_line, write_line
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text

RequiredNames = Annotated[
    list[str],
    Argument(
        metavar="NAME...",
        parser=parse_text,
        autocompletion=values.offer_models_here,
        help="Names of models.",
    ),
]


def remove_weights(names: RequiredNames, *, output: ResultOptions) -> None:
    """Remove models from this machine.

    A file that was added with `mem models add` stays; only its name is removed.
    """
    remove_models(load_catalog(), names)
    output.print_result(
        lambda: named_models(names),
        lambda: write_line("\n".join(f"{one_line(name)}: removed" for name in names)),
    )
