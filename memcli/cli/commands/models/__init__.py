"""`mem models`: pull, verify, list and remove models.

Each command has a module of its name; `model_options` has the options that they share.
"""

import typer

from memcli.cli.commands.models.add_model import add_model
from memcli.cli.commands.models.list_models import list_models
from memcli.cli.commands.models.print_path import print_path
from memcli.cli.commands.models.pull_models import pull_models
from memcli.cli.commands.models.remove_weights import remove_weights
from memcli.cli.commands.models.show_model import show_model
from memcli.cli.commands.models.verify_models import verify_models
from memcli.cli.default_command import CommandGroup

models = typer.Typer(
    name="models",
    help="Pull, verify, list and remove models.",
    no_args_is_help=True,
    cls=CommandGroup,
    rich_markup_mode=None,
)


models.command("list")(list_models)
models.command("show")(show_model)
models.command("pull")(pull_models)
models.command("verify")(verify_models)
models.command("add")(add_model)
models.command("remove")(remove_weights)
models.command("path")(print_path)
