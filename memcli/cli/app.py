"""The command tree."""

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from memcli import __version__
from memcli.cli.completion import shells

# In the order of `mem --help`: a command, and its module in `commands/`.
COMMANDS = {
    "ingest": "ingest",
    "ask": "ask",
    "search": "ask",
    "read": "read",
    "sessions": "sessions",
    "show": "sessions",
    "forget": "forget",
    "stats": "stats",
    "doctor": "doctor",
    "index": "index",
    "backup": "backup",
    "export": "export",
    "config": "config",
    "demo": "demo",
    "bench": "bench",
    "mcp": "mcp",
    "memories": "memories",
    "models": "models",
}


def command_tree(words: Sequence[str] = ()) -> typer.Typer:
    """Return all commands, or only the one that these words name: importing all takes longest.

    Args:
        words: what was typed after `mem`.
    """
    app = typer.Typer(
        name="mem",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=False,  # `shells` has scripts of our own, which ask `tab`
    )
    app.callback()(root)
    for name in _named(words):
        command = getattr(import_module(f"memcli.cli.commands.{COMMANDS[name]}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command)
        else:
            app.command()(command)
    return app


def _named(words: Sequence[str]) -> Iterable[str]:
    """Return the command that words name; all of them where they stray from the usual way."""
    rest = list(words)
    if rest == ["--version"]:
        return ()
    while rest and rest[0].startswith("--db"):
        del rest[: 1 if "=" in rest[0] else 2]
    return [rest[0]] if rest and rest[0] in COMMANDS else COMMANDS


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mem {__version__}")
        raise typer.Exit


def _install(asked: bool) -> None:
    if asked:
        typer.echo(f"{shells.install()}: for every shell that you start from now on")
        raise typer.Exit


def _show(asked: bool) -> None:
    if asked:
        typer.echo(shells.script(), nl=False)
        raise typer.Exit


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
