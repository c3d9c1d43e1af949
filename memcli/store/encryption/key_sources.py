"""The key of a database: from a file, the system keyring, a command, or typed at a prompt.

The settings name the sources; they are tried in this order, and the prompt comes last. A key is
kept in the memory of the process until it ends, and never given to another process.
"""

import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from memcli.errors import KeyMissingError, UsageError
from memcli.files import append_line
from memcli.settings import KeySettings, load_settings
from memcli.store.encryption.database_key import DatabaseKey, encrypted_salt, new_key_text

if TYPE_CHECKING:
    from types import ModuleType

_KEYRING_SERVICE = "mem"
_MAX_KEY_BYTES = 1 << 16  # of a key file, or of what a command prints
_PROMPTS = 3
_HOW = (
    '`mem config set database.key_command "pass show mem"` says where it is, or'
    " `mem config set database.key_file FILE`; on a terminal mem asks for the passphrase"
)
_keys: dict[bytes, DatabaseKey] = {}  # the keys of this process, by salt


def find_key(path: Path) -> DatabaseKey | None:
    """Return the key of a database, None if it is not encrypted.

    Of the keys that the sources have, it is the first that fits; if none does, the last, so that
    the caller sees whether it is the key that is wrong or the file that is damaged.

    Raises:
        KeyMissingError: no source has a key, or one of them fails.
        InputError: the settings cannot be read.
    """
    salt = encrypted_salt(path)
    if salt is None:
        return None
    if salt in _keys:
        return _keys[salt]
    last: DatabaseKey | None = None
    for text, origin in _key_texts(path, salt, load_settings().database):
        last = DatabaseKey.from_text(text, salt, origin)
        if last.fits():
            remember_key(last)
            return last
    if last is None:
        raise KeyMissingError(f"{path} is encrypted, and its key is not known here", hint=_HOW)
    return last


def find_silent_key(path: Path) -> DatabaseKey | None:
    """Return the key of a database from a key file, which asks nobody and starts no program.

    Raises:
        KeyMissingError: it is encrypted, and no key file has its key.
        InputError: the settings cannot be read.
    """
    salt = encrypted_salt(path)
    if salt is None:
        return None
    for text, origin in _file_keys(path, load_settings().database.key_file):
        if len(text) == 64:  # hexadecimal digits: a passphrase takes too long
            key = DatabaseKey.from_text(text, salt, origin)
            if key.fits():
                return key
    raise KeyMissingError(f"{path} is encrypted")


def make_key(path: Path, settings: KeySettings, previous: DatabaseKey | None = None) -> DatabaseKey:
    """Return the key that a database is to be encrypted with from now on.

    A key file and the keyring get a new random key beside the keys that they have, so that older
    backups can still be read. A key file that was written by hand is used as it is at first.

    Args:
        path: the database.
        settings: the source; without any, the passphrase is asked for.
        previous: the key that is to be replaced.

    Raises:
        KeyMissingError: the source fails.
        UsageError: the new key is the previous one, or there is no terminal to ask on.
    """
    if settings.key_file:
        key = _make_file_key(path, Path(settings.key_file).expanduser(), previous)
    elif settings.keyring:
        key = DatabaseKey.with_new_salt(new_key_text(), "the system keyring")
        _write_keyring(key)
    elif settings.key_command:
        origin = f"`{settings.key_command}`"
        text = _run_key_command(settings.key_command, path)
        if previous and DatabaseKey.from_text(text, previous.salt, origin).raw == previous.raw:
            raise UsageError(
                f"{origin} prints the key that {path} has already",
                hint="`--key-command` names the command that prints the new one",
            )
        key = DatabaseKey.with_new_salt(text, origin)
    else:
        key = DatabaseKey.with_new_salt(_ask_twice(path), "the passphrase")
    remember_key(key)
    return key


def make_key_for_new_database(path: Path) -> DatabaseKey | None:
    """Return a key for a database that does not exist yet, None if the settings name no source.

    Raises:
        KeyMissingError: the source fails.
        InputError: the settings cannot be read.
    """
    settings = load_settings().database
    return make_key(path, settings) if settings.has_source else None


def remember_key(key: DatabaseKey) -> None:
    """Keep a key for as long as this process lives: its source is asked once."""
    _keys[key.salt] = key


def forget_keys() -> None:
    """Drop the keys that this process knows."""
    _keys.clear()


def _key_texts(path: Path, salt: bytes, settings: KeySettings) -> Iterator[tuple[str, str]]:
    """Yield keys and passphrases, each with its origin in words."""
    if settings.key_file:
        yield from _file_keys(path, settings.key_file)
    if settings.keyring:
        text = _read_keyring(path, salt)
        if text:
            yield text, "the system keyring"
    if settings.key_command:
        yield _run_key_command(settings.key_command, path), f"`{settings.key_command}`"
    if _has_terminal():
        for attempt in range(_PROMPTS):
            again = "that does not open it; " if attempt else ""
            yield _ask(f"{again}passphrase of {_path_text(path)}: "), "the passphrase"


def _file_keys(path: Path, key_file: str) -> list[tuple[str, str]]:
    """Return the keys of a key file, the newest first."""
    if not key_file:
        return []
    file = Path(key_file).expanduser()
    origin = f"the key file {file}"
    return [(line, origin) for line in reversed(_key_lines(path, file))]


def _key_lines(path: Path, file: Path) -> list[str]:
    """Return the keys in a file; empty lines and those that begin with # are none."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_KEY_BYTES)
    except OSError as error:
        raise KeyMissingError(
            f"the key file {file} of {path} cannot be read: {error.strerror}",
            hint="`mem config set database.key_file FILE` names another",
        ) from error
    lines = (line.strip() for line in content.decode("utf-8", "surrogateescape").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _make_file_key(path: Path, file: Path, previous: DatabaseKey | None) -> DatabaseKey:
    lines = _key_lines(path, file) if file.exists() else []
    if lines and previous is None:
        return DatabaseKey.with_new_salt(lines[-1], f"the key file {file}")
    text = new_key_text()
    try:
        append_line(file, text)
    except OSError as error:
        raise KeyMissingError(f"cannot write the key file {file}: {error.strerror}") from error
    return DatabaseKey.with_new_salt(text, f"the key file {file}")


def _run_key_command(command: str, path: Path) -> str:
    """Return the first line that a command prints; it may ask on the terminal itself."""
    failure = f"the key of {path} is missing: `{command}`"
    hint = "`mem config set database.key_command COMMAND` names another command"
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            stdin=None if sys.stdin and sys.stdin.isatty() else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise KeyMissingError(f"{failure} cannot be run: {reason}", hint=hint) from error
    if done.returncode:
        raise KeyMissingError(f"{failure} ended with status {done.returncode}", hint=hint)
    lines = done.stdout[:_MAX_KEY_BYTES].decode("utf-8", "surrogateescape").splitlines()
    if not lines or not lines[0].strip():
        raise KeyMissingError(f"{failure} printed nothing", hint=hint)
    return lines[0].strip()


def _read_keyring(path: Path, salt: bytes) -> str | None:
    keyring = _import_keyring()
    try:
        found: str | None = keyring.get_password(_KEYRING_SERVICE, salt.hex())
    except keyring.errors.KeyringError as error:
        raise KeyMissingError(f"the key of {path} is missing: {_keyring_reason(error)}") from error
    return found


def _write_keyring(key: DatabaseKey) -> None:
    """Add a key to the keyring by its salt: the keys of older backups stay."""
    keyring = _import_keyring()
    try:
        keyring.set_password(_KEYRING_SERVICE, key.salt.hex(), key.raw.hex())
    except keyring.errors.KeyringError as error:
        raise KeyMissingError(f"the key cannot be kept: {_keyring_reason(error)}") from error


def _import_keyring() -> "ModuleType":
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise KeyMissingError(
            "the system keyring needs the package keyring", hint="`pip install 'memcli[keyring]'`"
        ) from error
    return keyring


def _keyring_reason(error: Exception) -> str:
    first = str(error).split(". ")[0].strip().rstrip(".") or type(error).__name__
    return f"the system keyring says: {first}"


def _ask_twice(path: Path) -> str:
    """Ask for a new passphrase.

    Raises:
        UsageError: there is no terminal, nothing was typed, or not the same twice.
    """
    if not _has_terminal():
        raise UsageError(
            "there is no terminal to ask for a passphrase on",
            hint="`mem encrypt --key-file FILE`, `--key-command COMMAND` or `--keyring`",
        )
    first = _ask(f"new passphrase of {_path_text(path)}: ")
    if not first:
        raise UsageError("no passphrase was typed, and nothing was changed")
    if first != _ask("the same again: "):
        raise UsageError("the two passphrases differ, and nothing was changed")
    return first


def _ask(question: str) -> str:
    try:
        return getpass.getpass(question)
    except (EOFError, KeyboardInterrupt):
        sys.stderr.write("\n")
        raise KeyboardInterrupt from None


def _has_terminal() -> bool:
    """Return whether a person sees the question and can answer it, whatever stdin is."""
    if not (sys.stderr and sys.stderr.isatty()):
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _path_text(path: Path) -> str:
    return str(path) if str(path).isprintable() else ascii(str(path))
