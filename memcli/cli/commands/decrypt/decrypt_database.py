"""`mem decrypt`."""

from memcli.cli.encryption import remove_encryption
from memcli.cli.option_groups import WritableDatabaseOptions
from memcli.cli.options import Quiet


def decrypt(*, quiet: Quiet = False, database: WritableDatabaseOptions) -> None:
    """Decrypt the database.

    It is written as a plain file, which takes the place of the encrypted one once it is complete.
    Backups that were made before stay encrypted. The settings keep the source of the key, and a new
    database is encrypted as long as they do: `mem config unset database.key_file`.
    """
    remove_encryption(database, quiet=quiet)
