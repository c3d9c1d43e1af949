"""`mem models add`."""

from pathlib import Path
from typing import Annotated

from memcli.catalog import ROLES
from memcli.cli.commands.models.model_options import RESTART, named_models
from memcli.cli.models.maintain import add_file
from memcli.cli.models.resolve import load_catalog
from memcli.cli.option_groups import ResultOptions
from memcli.cli.output.console import write_line
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Argument, Option

File = Annotated[Path, Argument(metavar="FILE", help="A GGUF file.")]
Role = Annotated[
    str, Option("--role", metavar="ROLE", help=f"Task of the model: {', '.join(ROLES)}.")
]
NewName = Annotated[
    str | None,
    Option(
        "--name",
        metavar="NAME",
        show_default=False,
        help="Name of the model. By default the name of the file.",
    ),
]
Like = Annotated[
    str | None,
    Option(
        "--like",
        metavar="NAME",
        show_default=False,
        help="Use this known model's prompt format. By default that of the role's default model.",
    ),
]


def add_model(
    file: File, role: Role, name: NewName = None, like: Like = None, *, output: ResultOptions
) -> None:
    """Verify a GGUF file of your own, and give it a name."""
    with resume_hint(RESTART), progress_bars(quiet=output.quiet or output.as_json) as progress:
        added = add_file(file, role, name, like, load_catalog(), progress)
    output.print_result(
        lambda: named_models([added.name]),
        lambda: write_line(f"{added.name}: {added.role}, verified"),
    )
