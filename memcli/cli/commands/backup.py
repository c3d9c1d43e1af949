"""`mem backup`."""

from pathlib import Path
from typing import Annotated

import typer

from memcli.cli.models.inventory import told
from memcli.cli.options import Database, Quiet, Wait
from memcli.cli.output.progress import bars, resumable
from memcli.settings import database_path
from memcli.store import Store

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy is to be.")]
Verify = Annotated[bool, typer.Option("--verify", help="Open the copy and check all of it, too.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write over a file that is there.")]


def backup(
    file: File,
    verify: Verify = False,
    replace: Replace = False,
    quiet: Quiet = False,
    database: Database = None,
    wait: Wait = 10.0,
) -> None:
    """Copy the whole database to one file, while others write.

    The copy is a database itself, which `mem --db FILE sessions` lists, and
    `mem --db FILE backup OTHER` brings back. Nothing is there until all of it is.
    """
    with (
        Store.existing(database or database_path(), wait=wait) as store,
        resumable(f"{file} was not written"),
        bars(quiet=quiet) as progress,
    ):
        store.back_up(
            file,
            replace=replace,
            verify=verify,
            told=lambda done, of: progress("copying", done, of),
        )
    if not quiet:
        checked = ", checked" if verify else ""
        typer.echo(f"{file}: {told(file.stat().st_size)}{checked}")
