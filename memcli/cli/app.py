"""The command tree: `mem` and its commands."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from memcli import __version__
from memcli.cli.completion import shells
from memcli.cli.help.help_text import COMMAND_GROUPS
from memcli.cli.option_groups import GroupedCommand, expand_groups

# In the order of `mem --help`; each command is in the module of its name in `commands/`.
COMMANDS = tuple(name for names in COMMAND_GROUPS.values() for name in names)


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
    app.callback()(root)
    for name in _needed_commands(arguments):
        command = getattr(import_module(f"memcli.cli.commands.{name}"), name)
        if isinstance(command, typer.Typer):
            for each in command.registered_commands:
                each.cls = GroupedCommand
                each.callback = each.callback and expand_groups(each.callback)
            app.add_typer(command)
        else:
            app.command(cls=GroupedCommand)(expand_groups(command))
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
        typer.Option("--db", show_default=False, metavar="FILE", help="Use this database file."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the version; with `--verbose` those of its parts, too.",
        ),
    ] = False,
    install: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=_install_completion,
            is_eager=True,
            help="Install completion by Tab for the current shell.",
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
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
