"""The completion scripts, and the places where each shell looks for its own."""

import os
from pathlib import Path

from memcli.errors import InputError, UsageError

SCRIPTS = {"bash": "mem.bash", "zsh": "_mem", "fish": "mem.fish"}


def install() -> Path:
    """Install completion of `mem` for the current shell, and return the path of the script.

    The shell uses it from its next start on.

    Raises:
        UsageError: the shell is not known.
        InputError: a file cannot be written.
    """
    shell = _shell()
    paths = {
        "bash": Path.home() / ".local/share/bash-completion/completions/mem",
        "zsh": Path.home() / ".zfunc/_mem",
        "fish": Path.home() / ".config/fish/completions/mem.fish",
    }
    path = paths[shell]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(shell))
        if shell != "fish":  # fish finds the script by itself
            _add_line(Path.home() / f".{shell}rc", f"source '{path}'")
    except OSError as error:
        raise InputError(f"cannot write {error.filename}: {error.strerror}") from error
    return path


def script(shell: str = "") -> str:
    """Return the script that completes `mem` in a shell, by default the current one.

    Raises:
        UsageError: the shell is not known.
    """
    installed, checkout = (Path(__file__).parents[up] / "completions" for up in (2, 3))
    folder = installed if installed.is_dir() else checkout
    return (folder / SCRIPTS[shell or _shell()]).read_text("utf-8")


def _add_line(file: Path, line: str) -> None:
    """Add a line to a file, unless the file has it."""
    text = file.read_text("utf-8", "surrogateescape") if file.exists() else ""
    if line not in text.splitlines():
        with file.open("a") as stream:
            stream.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")


def _shell() -> str:
    import shellingham  # type: ignore[import-untyped]  # it has no types

    try:
        name = str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        name = Path(os.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        raise UsageError(
            f"there is no completion for the shell `{name}`",
            hint=f"run it in one of {', '.join(SCRIPTS)}",
        )
    return name
