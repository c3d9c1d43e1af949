"""What Tab offers, and the scripts that let a shell ask for it.

An offer is a value and, after a tab, what it is: the scripts in `completions/` read both, and
quote the value as their shell wants it. Typer knows the names of commands and options.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer
from typer.completion import get_completion_inspect_parameters

from memcli.errors import InputError, MemError, UsageError
from memcli.settings import database_path, settings

SCRIPTS = {"bash": "mem.bash", "zsh": "_mem", "fish": "mem.fish"}
WIDTH = 60  # characters of a title

Offers = Callable[[typer.Context, str], list[str]]


def prepare() -> None:
    """Let Typer answer when a shell asks; it does so only where it installs its own scripts."""
    get_completion_inspect_parameters()


def session_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Offer sessions with their titles."""
    from memcli.store import glimpse

    return list(_offers(glimpse.sessions(_database(context), incomplete)))


def memory_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Offer memories with what they say."""
    from memcli.store import glimpse

    return list(_offers(glimpse.memories(_database(context), incomplete)))


def session_and_memory_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Offer both."""
    return session_ids(context, incomplete) + memory_ids(context, incomplete)


def sources(context: typer.Context, incomplete: str) -> list[str]:
    """Offer where sessions come from."""
    from memcli.store import glimpse

    return _beginning(incomplete, _offers(glimpse.sources(_database(context))))


def speakers(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the people of the settings, and who speaks in the database."""
    from memcli.store import glimpse

    try:
        people = [(name, "you" if name == "me" else "") for name in settings().people]
    except MemError:
        people = []
    known = dict.fromkeys(_offers(people)) | dict.fromkeys(
        _offers(glimpse.speakers(_database(context)))
    )
    return _beginning(incomplete, known)


def formats(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the formats of exports."""
    from memcli.formats import FORMATS

    return _beginning(incomplete, FORMATS)


def models(*roles: str, here: bool = False) -> Offers:
    """Return what offers models.

    Args:
        roles: those they play; any if none is named.
        here: only models on this machine.
    """

    def offered(context: typer.Context, incomplete: str) -> list[str]:
        from memcli.cli.opening import NO_MODEL, catalog

        try:
            known = catalog()
        except MemError:
            return []
        installed = {each.manifest.name: each.manifest for each in known.weights}
        named = installed if here else {**installed, **known.manifests}
        fitting = [
            (name, each.role) for name, each in named.items() if not roles or each.role in roles
        ]
        return _beginning(incomplete, [*_offers(fitting), *([NO_MODEL] if roles else [])])

    return offered


def install() -> Path:
    """Let the current shell complete `mem` from its next start on; return the script's place.

    Raises:
        UsageError: the shell is not known.
        InputError: a file cannot be written.
    """
    shell = _shell()
    places = {
        "bash": Path.home() / ".local/share/bash-completion/completions/mem",
        "zsh": Path.home() / ".zfunc/_mem",
        "fish": Path.home() / ".config/fish/completions/mem.fish",
    }
    place = places[shell]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(script(shell))
        if shell != "fish":  # which finds it there by itself
            _sourced(Path.home() / f".{shell}rc", f"source '{place}'")
    except OSError as error:
        raise InputError(f"cannot write {error.filename}: {error.strerror}") from error
    return place


def script(shell: str = "") -> str:
    """Return what lets a shell complete `mem`, by default the current one.

    Raises:
        UsageError: the shell is not known.
    """
    inside, beside = (Path(__file__).parents[up] / "completions" for up in (1, 2))
    folder = inside if inside.is_dir() else beside
    return (folder / SCRIPTS[shell or _shell()]).read_text("utf-8")


def _sourced(file: Path, line: str) -> None:
    """Add a line to a file, unless it is there."""
    text = file.read_text("utf-8", "surrogateescape") if file.exists() else ""
    if line not in text.splitlines():
        with file.open("a") as stream:
            stream.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")


def _shell() -> str:
    import shellingham  # type: ignore[import-untyped]  # carries no types

    try:
        name = str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        name = Path(os.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        raise UsageError(
            f"no completion for the shell `{name}`", hint=f"start {', '.join(SCRIPTS)}"
        )
    return name


def _database(context: typer.Context) -> Path:
    """Return the database that the line names, as far as it is written, or the usual one."""
    usual = Path(os.environ.get("MEM_DB") or database_path())
    here = (context, context.parent) if context.parent else (context,)
    named = [Path(each.params["database"]) for each in here if each.params.get("database")]
    return next((path for path in named if path != usual), usual)


def _offers(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield what can be typed, each with what it is; what holds control characters cannot."""
    from memcli.cli.output import safe

    for value, *said in rows:
        if value.isprintable():
            text = " ".join(safe(" ".join(said)).split())
            text = f"{text[: WIDTH - 1]}…" if len(text) > WIDTH else text
            yield f"{value}\t{text}" if text else value


def _beginning(incomplete: str, offers: Iterable[str]) -> list[str]:
    return [offer for offer in offers if offer.startswith(incomplete)]
