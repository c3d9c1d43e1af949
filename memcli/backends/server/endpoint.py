"""The address of a served model, its limits, and its key.

A key comes from the environment or from a file. It is in no address, no `repr` and no message.
"""

import os
import stat
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.errors import InputError, UsageError
from memcli.lazy_dataclasses import dataclass, field

_EXAMPLE = "`http://127.0.0.1:8080/v1#model`"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server; durations in seconds, sizes in bytes."""

    connect_timeout: float = 10.0
    idle_timeout: float = 300.0  # before a reply, and between two pieces of it
    total_timeout: float = 3600.0  # one reply with all attempts at it
    attempts: int = 5  # if the server is busy or the connection breaks
    first_pause: float = 0.5  # before the second attempt, twice as long before each later one
    longest_pause: float = 30.0  # longer pauses that the server asks for are cut
    max_reply_bytes: int = 8 << 20
    max_line_bytes: int = 1 << 20  # of a stream
    parallel_requests: int = 4
    max_request_tokens: int = 0  # of all passages of a rerank request together; 0 is no limit


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an address."""

    url: str  # up to and with /v1 if the server has one, without a slash at the end
    model: str  # its name on the server
    key: str | None = field(default=None, repr=False)
    scheme: str = "Bearer"  # the word before the key in the header
    redact: bool | None = None  # whether secrets in texts are masked; None if it is elsewhere
    limits: Limits = field(default=Limits(), repr=False)

    @property
    def is_local(self) -> bool:
        """True if text sent there stays on this machine."""
        host = (urlsplit(self.url).hostname or "").rstrip(".")
        try:
            address = ip_address(host)
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback

    @property
    def masks_secrets(self) -> bool:
        """True if secrets in the texts that are sent there are masked."""
        return not self.is_local if self.redact is None else self.redact


def parse_endpoint(
    address: str,
    *,
    key: str | None = None,
    scheme: str = "Bearer",
    redact: bool | None = None,
    limits: Limits | None = None,
) -> Endpoint:
    """Parse a person's address of a model, such as `http://127.0.0.1:8080/v1#model`.

    Args:
        address: the common beginning of the API's addresses, and after `#` the model's name.
        key: from `read_key`.
        scheme: `Bearer`, or `Token` for the Memos Rerank API.
        redact: whether secrets are masked; None masks them unless it is on this machine.
        limits: None takes the default ones.

    Raises:
        UsageError: it is no such address, or has a password in it.
        InputError: the key is no text that fits a header.
    """
    parts = _split_address(address)
    if parts.username is not None or parts.password is not None or parts.query:
        raise UsageError(
            f"the address of {parts.hostname} has a password or a query in it",
            hint="give the key's variable as `key_env` or its file as `key_file` in config.toml",
        )
    if not parts.fragment:
        raise UsageError(f"`{address}` names no model", hint=f"add it after a #: {_EXAMPLE}")
    if key is not None and not (key.isascii() and key.isprintable()):
        raise InputError(f"the key for {parts.hostname} has characters that a header cannot have")
    url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Endpoint(
        url, parts.fragment, key or None, scheme, redact=redact, limits=limits or Limits()
    )


def read_key(
    *, variable: str = "", file: Path | None = None, note: NoteCallback = ignore
) -> str | None:
    """Return a server's key; None if neither a variable nor a file is given.

    Args:
        variable: the environment variable with the key; it overrides the file.
        file: its first line is the key.
        note: is called with a sentence if other users can read the file.

    Raises:
        InputError: a variable or a file is given, and there is no key in it.
    """
    key = os.environ.get(variable, "").strip() if variable else ""
    if not key and file:
        key = _read_first_line(file.expanduser(), note)
    if not key and variable:
        raise InputError(
            f"{variable} is not set", hint=f"`read -rs {variable} && export {variable}`"
        )
    return key or None


def note_once(note: NoteCallback, folder: Path) -> NoteCallback:
    """Return a callback that passes each sentence on only once, over all runs.

    Args:
        note: takes the sentences.
        folder: keeps a file for each sentence. If it cannot be written, sentences are repeated.
    """

    def note_new(sentence: str) -> None:
        place = folder / "said" / fingerprint("said", sentence)
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return
        except OSError:
            pass
        note(sentence)

    return note_new


def _split_address(address: str) -> SplitResult:
    error = UsageError(
        f"`{address}` is not the address of a server", hint=f"it looks like {_EXAMPLE}"
    )
    if not address.isprintable() or " " in address or "\\" in address:
        raise error
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as cause:
        raise error from cause
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise error
    return parts


def _read_first_line(file: Path, note: NoteCallback) -> str:
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
