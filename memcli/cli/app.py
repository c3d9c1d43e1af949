"""The command tree."""

import os
from pathlib import Path
from typing import Annotated

import typer

from memcli import __version__
from memcli.cli import completion
from memcli.cli.ask import ask, search
from memcli.cli.backup import backup
from memcli.cli.bench import bench
from memcli.cli.config import config
from memcli.cli.demo import demo
from memcli.cli.doctor import doctor
from memcli.cli.export import export
from memcli.cli.forget import forget
from memcli.cli.index import index
from memcli.cli.ingest import ingest
from memcli.cli.mcp import mcp
from memcli.cli.memories import memories
from memcli.cli.models import models
from memcli.cli.read import read
from memcli.cli.sessions import sessions, show
from memcli.cli.stats import stats

app = typer.Typer(
    name="mem",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,  # `completion` has scripts of its own
)
completion.prepare()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mem {__version__}")
        raise typer.Exit


def _install(asked: bool) -> None:
    if asked:
        typer.echo(f"{completion.install()}: for every shell that you start from now on")
        raise typer.Exit


def _show(asked: bool) -> None:
    if asked:
        typer.echo(completion.script(), nl=False)
        raise typer.Exit


@app.callback()
def root(
    database: Annotated[
        Path | None, typer.Option("--db", show_default=False, metavar="FILE", help="Database file.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    install: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=_install,
            is_eager=True,
            help="Let Tab complete in the current shell.",
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show-completion",
            callback=_show,
            is_eager=True,
            help="Print the script that `--install-completion` installs.",
        ),
    ] = False,
) -> None:
    """A personal memory for your conversations, on your own machine."""
    if database:
        os.environ["MEM_DB"] = str(database)  # where every command looks for its own `--db`


for command in (
    ingest,
    ask,
    search,
    read,
    sessions,
    show,
    forget,
    stats,
    doctor,
    index,
    backup,
    export,
    config,
    demo,
    bench,
    mcp,
):
    app.command()(command)
app.add_typer(memories)
app.add_typer(models)
