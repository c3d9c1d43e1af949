"""`mem backup`."""

from pathlib import Path
from typing import Annotated

from memcli.cli.input_text import STDIN
from memcli.cli.json_output.store_documents import BackupJson
from memcli.cli.models.inventory import human_size
from memcli.cli.option_groups import ResultOptions, WritableDatabaseOptions
from memcli.cli.output.console import one_line, write_line
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
    output: ResultOptions,
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
        progress_bars(quiet=output.quiet or output.as_json) as progress,
    ):
        store.back_up(
            file,
            replace=replace,
            verify=verify,
            progress=lambda done, of: progress("copying", done, of),
        )
    size, checked = file.stat().st_size, ", checked" if verify else ""
    output.print_result(
        lambda: BackupJson(schema="mem.backup/1", path=str(file), size=size, verified=verify),
        lambda: write_line(f"{one_line(str(file))}: {human_size(size)}{checked}"),
    )
