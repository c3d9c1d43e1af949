"""`mem backup`."""

from pathlib import Path
from typing import Annotated

from memcli.cli.input_text import STDIN
from memcli.cli.models.inventory import human_size
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Quiet
from memcli.cli.output.console import write_line
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Argument, Option
from memcli.errors import UsageError

File = Annotated[Path, Argument(metavar="FILE", help="File to write the copy to.")]
Verify = Annotated[bool, Option("--verify", help="Open the finished copy and check all of it.")]
Replace = Annotated[bool, Option("--replace", help="Replace the file if it exists.")]


def backup(
    file: File,
    *,
    verify: Verify = False,
    replace: Replace = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Copy the whole database to one file, even while others write to it.

    The copy is itself a database: `mem --db FILE sessions` lists it, and
    `mem --db FILE backup OTHER` restores it. FILE appears only once the copy is complete.
    """
    if str(file) == STDIN:
        raise UsageError(
            "a backup cannot be written to standard output",
            hint="`mem backup FILE`, or `mem export > FILE` for JSON lines",
        )
    with (
        database.open_existing() as store,
        resume_hint(f"{file} was not written"),
        progress_bars(quiet=quiet) as progress,
    ):
        store.back_up(
            file,
            replace=replace,
            verify=verify,
            progress=lambda done, of: progress("copying", done, of),
        )
    if not quiet:
        checked = ", checked" if verify else ""
        write_line(f"{file}: {human_size(file.stat().st_size)}{checked}")
