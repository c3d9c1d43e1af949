"""`mem encrypt`."""

from pathlib import Path
from typing import Annotated

from memcli.cli.encryption import KeyOptions, change_encryption
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Quiet
from memcli.cli.parsing.parameters import Option

ChangeKey = Annotated[
    bool, Option("--change-key", help="Encrypt an encrypted database with a new key.")
]
KeyCommand = Annotated[
    str | None,
    Option(
        "--key-command",
        metavar="COMMAND",
        show_default=False,
        help="Command that prints the key, such as `pass show mem`.",
    ),
]
KeyFile = Annotated[
    Path | None,
    Option(
        "--key-file",
        metavar="FILE",
        show_default=False,
        help="File with the key; it is made if it does not exist.",
    ),
]
Keyring = Annotated[bool, Option("--keyring", help="Keep a new key in the system keyring.")]
Passphrase = Annotated[bool, Option("--passphrase", help="Ask for a passphrase on the terminal.")]


def encrypt(
    *,
    key_command: KeyCommand = None,
    key_file: KeyFile = None,
    keyring: Keyring = False,
    passphrase: Passphrase = False,
    change_key: ChangeKey = False,
    quiet: Quiet = False,
    database: WritableDatabaseOptions,
) -> None:
    """Encrypt the database, or change its key.

    The database, its log and its backups are then encrypted, page by page, with AEGIS-256. The key
    comes from where an option or the settings say; without either, mem asks for a passphrase. An
    option is written to the settings. Whoever loses the key loses the database: there is no other
    way in.

    A key file that does not exist is made, with a random key in it, and the keyring gets a random
    key, too. `--change-key` adds a new key to them; the old ones stay, for older backups. A command
    may print 64 hexadecimal digits, as `openssl rand -hex 32` does, or any passphrase in its first
    line. From a passphrase the key is derived anew at each start, which takes 0.4 s.

    A new database is encrypted from the start where the settings name a source. The old file is
    overwritten, but a disk may keep old blocks of it, and so may its snapshots and the backups that
    were made before, which are named.

    Exits with status 8 when the key of an encrypted database is missing, with 9 when it is wrong.
    """
    source = KeyOptions(key_command, key_file, keyring, passphrase)
    change_encryption(database, source, change_key=change_key, quiet=quiet)
