"""The command tree: `mem` and its commands."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from memcli import __version__
from memcli.cli.completion import shells
from memcli.cli.help.command_names import COMMANDS
from memcli.cli.parsing.parameters import (
    CommandGroup,
    Option,
    command_parameters,
    declared_parameters,
)
from memcli.cli.parsing.parse_words import load_command
from memcli.cli.parsing.typer_groups import GroupedCommand, typer_function, typer_group


def command_tree(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return all commands, or only the one that is run: to import all of them takes longest.

    Args:
        arguments: the words typed after `mem`.
    """
    app = typer.Typer(
        name="mem",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        add_completion=False,  # `completion.shells` has scripts of our own
    )
    app.callback()(typer_function(root, declared_parameters(root)))
    for name in _needed_commands(arguments):
        command = load_command(name)
        if isinstance(command, CommandGroup):
            app.add_typer(typer_group(command))
        else:
            app.command(cls=GroupedCommand)(typer_function(command, command_parameters(command)))
    return app


def _needed_commands(arguments: Sequence[str]) -> Sequence[str]:
    """Return the command that the arguments name, or all if they do not begin with one."""
    rest = list(arguments)
    if rest in (["--version"], ["-V"]):
        return ()
    while rest and rest[0].startswith("--db"):
        del rest[: 1 if "=" in rest[0] else 2]
    return [rest[0]] if rest and rest[0] in COMMANDS else COMMANDS


def _print_version(chosen: bool) -> None:
    if chosen:
        typer.echo(f"mem {__version__}")
        raise typer.Exit


def _install_completion(chosen: bool) -> None:
    if chosen:
        typer.echo(f"{shells.install()}: installed; every shell started from now on uses it")
        raise typer.Exit


def _show_completion(chosen: bool) -> None:
    if chosen:
        typer.echo(shells.script(), nl=False)
        raise typer.Exit


def root(
    database: Annotated[
        Path | None,
        Option("--db", show_default=False, metavar="FILE", help="Use this database file."),
    ] = None,
    version: Annotated[
        bool,
        Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the version; with `--verbose` those of its parts, too.",
        ),
    ] = False,
    install: Annotated[
        bool,
        Option(
            "--install-completion",
            callback=_install_completion,
            is_eager=True,
            help="Install completion by Tab for the current shell.",
        ),
    ] = False,
    show: Annotated[
        bool,
        Option(
            "--show-completion",
            callback=_show_completion,
            is_eager=True,
            help="Print the script that `--install-completion` installs.",
        ),
    ] = False,
) -> None:
    """A personal memory for your conversations, on your own machine."""
    if database:
        os.environ["MEM_DB"] = str(database)  # the default of every command's own `--db`
