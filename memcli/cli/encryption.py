"""The work of `mem encrypt` and `mem decrypt`, and the way out of an encrypted database."""

from pathlib import Path
from typing import Annotated

from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.output.console import note, one_line, write_line
from memcli.cli.output.numbers import pluralize
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Option
from memcli.cli.settings_editor import write_setting
from memcli.errors import UsageError
from memcli.lazy_dataclasses import dataclass
from memcli.settings import KeySettings, load_settings
from memcli.store import Store
from memcli.store.encryption.database_key import DatabaseKey, encrypted_salt
from memcli.store.encryption.key_sources import make_key
from memcli.store.maintenance.encrypt import rewrite_database

Plain = Annotated[
    bool, Option("--plain", help="Write plain text, though the database is encrypted.")
]


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """The source of the key that the options name, if they name one."""

    key_command: str | None
    key_file: Path | None
    keyring: bool
    passphrase: bool

    def key_settings(self) -> KeySettings:
        """Return the source of the options, else that of the settings; empty for a passphrase.

        Raises:
            UsageError: the options name more than one.
        """
        chosen = [self.key_command, self.key_file, self.keyring, self.passphrase]
        if sum(map(bool, chosen)) > 1:
            raise UsageError("choose one source of the key", hint="`mem encrypt --keyring`")
        if not any(chosen):
            return load_settings().database
        file = str(self.key_file.expanduser().absolute()) if self.key_file else ""
        return KeySettings(self.key_command or "", file, self.keyring)

    def write(self) -> None:
        """Write the source to the settings."""
        if self.key_command:
            write_setting("database.key_command", [self.key_command])
        if self.key_file:
            write_setting("database.key_file", [self.key_settings().key_file])
        if self.keyring:
            write_setting("database.keyring", ["true"])


def change_encryption(
    database: WritableDatabaseOptions, source: KeyOptions, *, change_key: bool, quiet: bool
) -> None:
    """Encrypt a database, or change its key.

    Raises:
        UsageError: it is encrypted already, or is to get another key and is not.
    """
    with database.open_existing() as store:  # checks its key, and migrates it
        previous = store.key
        backups = store.known_backups()
    if previous and not change_key:
        raise UsageError(f"{database.path} is encrypted already", hint="`mem encrypt --change-key`")
    if change_key and not previous:
        raise UsageError(f"{database.path} is not encrypted", hint="`mem encrypt`")
    key = make_key(database.path, source.key_settings(), previous)
    _rewrite(database, key, quiet=quiet)
    source.write()
    if not quiet:
        write_line(one_line(f"{database.path}: encrypted; {key.origin} opens it"))
        note("keep a copy of the key in another place: whoever loses it loses the database")
        note("the disk may keep old blocks of the file that was there before")
    _name_backups(backups, plain_only=previous is None)


def remove_encryption(database: WritableDatabaseOptions, *, quiet: bool) -> None:
    """Decrypt a database.

    Raises:
        UsageError: it is not encrypted.
    """
    with database.open_existing() as store:
        if store.key is None:
            raise UsageError(f"{database.path} is not encrypted", hint="`mem encrypt`")
    _rewrite(database, None, quiet=quiet)
    if not quiet:
        write_line(one_line(f"{database.path}: not encrypted any more"))


def require_plain(store: Store, *, plain: bool) -> None:
    """Check that an encrypted database is to be written as plain text.

    Raises:
        UsageError: it is encrypted, and that was not said.
    """
    if store.key and not plain:
        raise UsageError(
            "the database is encrypted, and an export is not, in a file or in a pipe",
            hint="`--plain` writes it all the same; `mem backup FILE` makes an encrypted copy",
        )


def _rewrite(database: WritableDatabaseOptions, key: DatabaseKey | None, *, quiet: bool) -> None:
    with (
        resume_hint("the database is as it was"),
        progress_bars(quiet=quiet) as progress,
    ):
        rewrite_database(
            database.path,
            key,
            wait=database.wait,
            progress=lambda done, total: progress("writing", min(done, total), total),
        )


def _name_backups(backups: list[Path], *, plain_only: bool) -> None:
    """Name the backups that the new key does not protect."""
    plain = [each for each in backups if encrypted_salt(each) is None]
    old = [] if plain_only else [each for each in backups if each not in plain]
    if plain:
        named = ", ".join(map(str, plain))
        note(f"{pluralize(len(plain), 'backup')} made before can be read by anybody: {named}")
    if old:
        named = ", ".join(map(str, old))
        note(f"{pluralize(len(old), 'backup')} made before can be read with the old key: {named}")
