"""`mem doctor`."""

from typing import Annotated

import typer

from memcli.cli.doctor.doctor_view import print_doctor_report
from memcli.cli.doctor.run_checks import run_checks
from memcli.cli.options import Database, Json, Quiet, Wait
from memcli.cli.output.console import print_json
from memcli.settings import database_path

Fix = Annotated[
    bool, typer.Option("--fix", help="Repair everything that can be repaired without any loss.")
]


def doctor(
    fix: Fix = False,
    as_json: Json = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Check the database, index, models and settings.

    Also the machine and its disk; each fault is printed with its remedy.

    `--fix` makes the index again, and closes files to others. Exits with status 5 when something
    is wrong with the database, 4 with the settings, 6 or 7 with a model.
    """
    report = run_checks(database or database_path(), wait, fix=fix, quiet=quiet or as_json)
    if as_json:
        print_json(report.document())
    else:
        print_doctor_report(report, quiet=quiet)
    if report.faults:
        raise typer.Exit(report.faults[0].status)
