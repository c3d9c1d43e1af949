"""`mem models`: pull, verify, list and remove models.

Each command has a module of its name; `model_options` has the options that they share.
"""

from memcli.cli.commands.models.add_model import add_model
from memcli.cli.commands.models.list_models import list_models
from memcli.cli.commands.models.print_path import print_path
from memcli.cli.commands.models.pull_models import pull_models
from memcli.cli.commands.models.remove_weights import remove_weights
from memcli.cli.commands.models.show_model import show_model
from memcli.cli.commands.models.verify_models import verify_models
from memcli.cli.parsing.parameters import CommandGroup

models = CommandGroup(
    name="models",
    help="Pull, verify, list and remove models. `mem models` is short for `mem models list`.",
    commands={
        "list": list_models,
        "show": show_model,
        "pull": pull_models,
        "verify": verify_models,
        "add": add_model,
        "remove": remove_weights,
        "path": print_path,
    },
    lists=True,
)
