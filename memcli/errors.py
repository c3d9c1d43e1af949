"""Every error memcli raises on purpose, and the exit status each one ends in.

MemError
├── UsageError           the command line asks for something that makes no sense
├── NotFoundError        nothing in the database is what was asked for
├── InputError           a file or an argument cannot be understood
├── StoreError           the database is missing, locked, damaged or too new
├── ModelNotFoundError   a model file is not on this machine
├── BackendError         a model was found but failed to load or to run
│   ├── ContextError     what it was to read exceeds its context
│   └── ReplyError       it answered, but not what was asked for
└── BusyError            another process holds the database and did not let go in time

Anything else that escapes is a bug and keeps its traceback.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `mem` tells the shell; `MEANING` says it in words."""

    OK = 0
    BUG = 1  # what Python itself uses for a traceback
    USAGE = 2  # what Typer uses for bad options
    NOTHING_FOUND = 3
    BAD_INPUT = 4
    STORE = 5
    MODEL_MISSING = 6
    BACKEND = 7
    BUSY = 75  # EX_TEMPFAIL: trying again later may help
    INTERRUPTED = 130


MEANING = {  # as mem(1) and the README have it
    ExitCode.OK: "done",
    ExitCode.BUG: "a bug in mem",
    ExitCode.USAGE: "wrong usage",
    ExitCode.NOTHING_FOUND: "nothing found",
    ExitCode.BAD_INPUT: "bad input; what could be read was imported",
    ExitCode.STORE: "the database is missing, damaged or too new",
    ExitCode.MODEL_MISSING: "a model file is missing",
    ExitCode.BACKEND: "a model failed",
    ExitCode.BUSY: "another process is writing; try again",
    ExitCode.INTERRUPTED: "interrupted",
}


class MemError(Exception):
    """Something went wrong that the user can act on.

    The message says what happened, names the thing it happened to, and ends without a full
    stop. The hint, if there is one, is the next command to type.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(MemError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class NotFoundError(MemError):
    """Nothing in the database is what was asked for."""

    exit_code = ExitCode.NOTHING_FOUND


class InputError(MemError):
    """A file or an argument cannot be understood."""

    exit_code = ExitCode.BAD_INPUT


class StoreError(MemError):
    """The database is missing, locked, damaged or too new."""

    exit_code = ExitCode.STORE


class ModelNotFoundError(MemError):
    """A model file is not on this machine."""

    exit_code = ExitCode.MODEL_MISSING


class BackendError(MemError):
    """A model was found but failed to load or to run."""

    exit_code = ExitCode.BACKEND


class ContextError(BackendError):
    """What a model was to read exceeds its context: less of it may do."""


class ReplyError(BackendError):
    """A model answered, but not what was asked for.

    `said` is its answer, as far as there is one.
    """

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said


class BusyError(MemError):
    """Another process holds the database and did not let go in time."""

    exit_code = ExitCode.BUSY
