"""The scripts that let a shell ask what Tab offers, and where each shell looks for its own."""

import os
from pathlib import Path

from memcli.errors import InputError, UsageError

SCRIPTS = {"bash": "mem.bash", "zsh": "_mem", "fish": "mem.fish"}


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
    inside, beside = (Path(__file__).parents[up] / "completions" for up in (2, 3))
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
