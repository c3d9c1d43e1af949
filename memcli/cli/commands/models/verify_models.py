"""`mem models verify`."""

import typer

from memcli.cli.commands.models.model_options import RESTART, Names
from memcli.cli.models.inventory import model_json, models_document
from memcli.cli.models.maintain import (
    print_verdicts,
    verify_installed,
    weights_named,
)
from memcli.cli.models.resolve import load_catalog
from memcli.cli.options import Json, Jsonl, Quiet
from memcli.cli.output.console import print_json, print_jsonl
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.errors import ExitCode


def verify_models(
    names: Names = None, as_json: Json = False, as_jsonl: Jsonl = False, quiet: Quiet = False
) -> None:
    """Verify the checksum, header and scores of models again.

    Without a name: every model on this machine. Exits with status 7 if one does not pass.
    """
    with resume_hint(RESTART), progress_bars(quiet=quiet or as_json or as_jsonl) as progress:
        items = [
            verify_installed(one, progress) for one in weights_named(load_catalog(), names or [])
        ]
    if as_json:
        print_json(models_document(items))
    elif as_jsonl:
        print_jsonl(map(model_json, items))
    else:
        print_verdicts(items, quiet=quiet)
    if any(item.status != "verified" for item in items):
        raise typer.Exit(ExitCode.BACKEND)
