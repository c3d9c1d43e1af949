"""The errors that memcli raises on purpose, each with its exit status.

MemError
├── UsageError           the command line makes no sense
├── NotFoundError        nothing in the database matches the request
├── InputError           a file or an argument cannot be understood
├── StoreError           the database is missing, locked, damaged or too new
├── KeyMissingError      the database is encrypted, and its key cannot be had
├── WrongKeyError        the database is encrypted with another key
├── ModelNotFoundError   a model file is not on this machine
├── BackendError         a model was found but failed to load or to run
│   ├── ContextError     the input exceeds its context
│   └── ReplyError       its answer has another form than requested
└── BusyError            another process holds the database and did not let go in time

Anything else that escapes is a bug and keeps its traceback.
"""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit statuses of `mem`; `EXIT_CODE_MEANINGS` describes them."""

    OK = 0
    BUG = 1  # Python itself uses 1 for a traceback
    USAGE = 2  # Typer uses 2 for bad options
    NOTHING_FOUND = 3
    BAD_INPUT = 4
    STORE = 5
    MODEL_MISSING = 6
    BACKEND = 7
    KEY_MISSING = 8
    WRONG_KEY = 9
    BUSY = 75  # EX_TEMPFAIL: trying again later may help
    INTERRUPTED = 130


EXIT_CODE_MEANINGS = {  # as mem(1) and the README print it
    ExitCode.OK: "done",
    ExitCode.BUG: "a bug in mem",
    ExitCode.USAGE: "wrong usage",
    ExitCode.NOTHING_FOUND: "nothing found",
    ExitCode.BAD_INPUT: "bad input; what could be read was imported",
    ExitCode.STORE: "the database is missing, damaged or too new",
    ExitCode.MODEL_MISSING: "a model file is missing",
    ExitCode.BACKEND: "a model failed",
    ExitCode.KEY_MISSING: "the database is encrypted, and its key is missing",
    ExitCode.WRONG_KEY: "the database is encrypted with another key",
    ExitCode.BUSY: "another process is writing; try again",
    ExitCode.INTERRUPTED: "interrupted",
}


class MemError(Exception):
    """An error that the user can do something about.

    The message says what happened, names the thing it happened to, and ends without a full
    stop. The hint, if there is one, is the next command to type.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(MemError):
    """The command line makes no sense."""

    exit_code = ExitCode.USAGE


class NotFoundError(MemError):
    """Nothing in the database matches the request."""

    exit_code = ExitCode.NOTHING_FOUND


class InputError(MemError):
    """A file or an argument cannot be understood."""

    exit_code = ExitCode.BAD_INPUT


class StoreError(MemError):
    """The database is missing, locked, damaged or too new."""

    exit_code = ExitCode.STORE


class KeyMissingError(MemError):
    """The database is encrypted, and no source has its key, or a source fails."""

    exit_code = ExitCode.KEY_MISSING


class WrongKeyError(MemError):
    """The database is encrypted with another key."""

    exit_code = ExitCode.WRONG_KEY


class ModelNotFoundError(MemError):
    """A model file is not on this machine."""

    exit_code = ExitCode.MODEL_MISSING


class BackendError(MemError):
    """A model was found but failed to load or to run."""

    exit_code = ExitCode.BACKEND


class ContextError(BackendError):
    """The input of a model exceeds its context; a shorter input may fit."""


class ReplyError(BackendError):
    """A model's answer has another form than requested.

    `reply_text` is the answer, as far as there is one.
    """

    def __init__(self, message: str, *, reply_text: str = "") -> None:
        super().__init__(message)
        self.reply_text = reply_text


class BusyError(MemError):
    """Another process holds the database and did not let go in time."""

    exit_code = ExitCode.BUSY


class EarlyExit(Exception):  # noqa: N818  # it is no error
    """The end of a command before its last line, with an exit status but without a message."""

    def __init__(self, exit_code: int = ExitCode.OK) -> None:
        super().__init__()
        self.exit_code = exit_code


def suggest_near(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint that names the known word nearest to one that was typed, if any is near.

    Args:
        name: the word that was typed.
        known: the words that exist.
        otherwise: the hint if none of them is near.
    """
    from difflib import get_close_matches

    folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), folded, 1)
    near += [one for one in folded if name and one.startswith(name.casefold())]
    return f"did you mean `{folded[near[0]]}`" if near else otherwise
