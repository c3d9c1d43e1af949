"""`mem doctor`."""

from pathlib import Path
from typing import Annotated

from memcli.cli.doctor.doctor_view import print_doctor_report
from memcli.cli.doctor.run_checks import rescue_database, run_checks
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Json, Quiet
from memcli.cli.output.console import print_json, printable, write_line
from memcli.cli.parsing.parameters import Option
from memcli.errors import EarlyExit

Rescue = Annotated[
    Path | None,
    Option(
        "--rescue",
        metavar="FILE",
        show_default=False,
        help="Save every readable turn of a damaged database into this new one.",
    ),
]
Fix = Annotated[
    bool, Option("--fix", help="Repair everything that can be repaired without any loss.")
]

Secrets = Annotated[
    bool,
    Option("--secrets", help="Count keys, passwords and other secrets in the chats by kind."),
]


def doctor(
    *,
    fix: Fix = False,
    secrets: Secrets = False,
    rescue: Rescue = None,
    as_json: Json = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Check the database, index, models and settings.

    The machine and its disk are checked as well. Each fault is printed with its remedy.

    `--fix` rebuilds a damaged index and makes files private that others can read. `--rescue` leaves
    the database as it is, saves what can be read of it, and checks the new one. `--secrets` counts
    what looks like a key, token, password, card or account number, and prints none of it. Exits
    with status 5 if there is a fault in the database, 4 in the settings, 6 or 7 in a model.
    """
    if rescue:
        saved = rescue_database(database.path, rescue, quiet=quiet or as_json)
        if not (quiet or as_json):
            write_line(printable(saved))
    report = run_checks(rescue or database.path, database.wait, fix=fix, quiet=quiet or as_json)
    if secrets:
        report = report.with_secrets(database.path)
    if as_json:
        print_json(report.document())
    else:
        print_doctor_report(report, quiet=quiet)
    if report.faults:
        raise EarlyExit(report.faults[0].status)
