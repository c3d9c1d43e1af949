"""`mem models verify`."""

from typing import Annotated

from memcli.catalog import ROLES
from memcli.cli.commands.models.model_options import RESTART, Names
from memcli.cli.models.inventory import model_json, models_document
from memcli.cli.models.maintain import (
    print_verdicts,
    verify_installed,
    weights_named,
)
from memcli.cli.models.resolve import is_address, load_catalog
from memcli.cli.models.served import verify_addresses
from memcli.cli.options import Json, Jsonl, Quiet
from memcli.cli.output.console import print_json, print_jsonl, remark
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Option
from memcli.errors import EarlyExit, ExitCode

ServedRole = Annotated[
    str | None,
    Option(
        "--role",
        metavar="ROLE",
        show_default=False,
        help=f"Task of a served model: {', '.join(ROLES)}. By default those that the settings give"
        " it, or `reranker`.",
    ),
]


def verify_models(
    names: Names = None,
    role: ServedRole = None,
    as_json: Json = False,
    as_jsonl: Jsonl = False,
    quiet: Quiet = False,
) -> None:
    """Verify the checksum, header and scores of models again.

    Without a name: every model on this machine. A name may be the address of a served model: its
    answers to known questions are verified. Exits with status 7 if one does not pass.
    """
    addresses = [name for name in names or [] if is_address(name)]
    others = [name for name in names or [] if not is_address(name)]
    with resume_hint(RESTART), progress_bars(quiet=quiet or as_json or as_jsonl) as progress:
        items = verify_addresses(addresses, role)
        if others or not addresses:
            items += [
                verify_installed(one, progress) for one in weights_named(load_catalog(), others)
            ]
    if as_json:
        print_json(models_document(items))
    elif as_jsonl:
        print_jsonl(map(model_json, items))
    else:
        print_verdicts(items, quiet=quiet)
    if not items:
        remark("no model is on this machine; `mem models pull` fetches some")
    if any(item.status != "verified" for item in items):
        raise EarlyExit(ExitCode.BACKEND)
