"""Where a served model is, how long it may take, and the key that opens it.

A key comes from the environment or from a file. It is in no address, no `repr` and no message.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from memcli.domain import fingerprint
from memcli.errors import InputError, UsageError

Note = Callable[[str], None]  # told what the person should know; without a full stop

_EXAMPLE = "`http://127.0.0.1:8080/v1#model`"


def unsaid(_sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server is allowed; durations in seconds, sizes in bytes."""

    connect: float = 10.0
    silence: float = 300.0  # before an answer, and between two pieces of it
    whole: float = 3600.0  # one answer with all attempts at it
    attempts: int = 5  # where it is busy or the connection breaks
    pause: float = 0.5  # before the second attempt, twice as long before each one after it
    longest_pause: float = 30.0  # whatever the server asks for
    reply: int = 8 << 20
    line: int = 1 << 20  # of a stream
    together: int = 4  # requests at a time


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an address."""

    url: str  # up to and with /v1 where the server has one, without a slash at the end
    model: str  # as the server calls it
    key: str | None = field(default=None, repr=False)
    scheme: str = "Bearer"  # what the header says before the key
    limits: Limits = field(default=Limits(), repr=False)

    @property
    def local(self) -> bool:
        """Whether text sent there stays on this machine."""
        host = (urlsplit(self.url).hostname or "").rstrip(".")
        try:
            address = ip_address(host)
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def endpoint(
    named: str, *, key: str | None = None, scheme: str = "Bearer", limits: Limits | None = None
) -> Endpoint:
    """Return the endpoint a person means by an address, `http://127.0.0.1:8080/v1#model`.

    Args:
        named: the address up to the part that all of the API's addresses begin with, and behind
            `#` the name of the model.
        key: from `read_key`.
        scheme: `Bearer`, or `Token` for the Memos Rerank API.
        limits: None for the usual ones.

    Raises:
        UsageError: it is no such address, or has a password in it.
        InputError: the key is no text that fits a header.
    """
    parts = _split(named)
    if parts.username is not None or parts.password is not None or parts.query:
        raise UsageError(
            f"the address of {parts.hostname} has a password or a query in it",
            hint="name the key's variable as `key_env` or its file as `key_file` in config.toml",
        )
    if not parts.fragment:
        raise UsageError(f"`{named}` names no model", hint=f"put it behind a #: {_EXAMPLE}")
    if key is not None and not (key.isascii() and key.isprintable()):
        raise InputError(f"the key for {parts.hostname} has characters that no key has")
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Endpoint(url, parts.fragment, key or None, scheme, limits or Limits())


def read_key(*, variable: str = "", file: Path | None = None, note: Note = unsaid) -> str | None:
    """Return a server's key; None where neither place is named.

    Args:
        variable: of the environment; goes before the file.
        file: its first line is the key.
        note: told where others can read the file.

    Raises:
        InputError: a place was named and there is no key in it.
    """
    key = os.environ.get(variable, "").strip() if variable else ""
    if not key and file:
        key = _first_line(file.expanduser(), note)
    if not key and variable:
        raise InputError(
            f"{variable} is not set", hint=f"`read -rs {variable} && export {variable}`"
        )
    return key or None


def once(note: Note, folder: Path) -> Note:
    """Return a note that says each sentence only the first time, over all runs.

    Args:
        note: says it.
        folder: where is kept what was said. Where nothing can be kept, it is said again.
    """

    def say(sentence: str) -> None:
        place = folder / "said" / fingerprint("said", sentence)
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return
        except OSError:
            pass
        note(sentence)

    return say


def _split(named: str) -> SplitResult:
    error = UsageError(f"`{named}` is no address of a server", hint=f"it looks like {_EXAMPLE}")
    if not named.isprintable() or " " in named or "\\" in named:
        raise error
    try:
        parts = urlsplit(named)
        _ = parts.port
    except ValueError as reason:
        raise error from reason
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise error
    return parts


def _first_line(file: Path, note: Note) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            line = stream.readline(4096).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"the key file {file} cannot be read: {reason}") from error
    if not line:
        raise InputError(f"the key file {file} begins with an empty line")
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        note(f"others can read the key in {file}: `chmod 600 {file}`")
    return line
