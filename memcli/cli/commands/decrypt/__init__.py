"""`mem decrypt`."""

from memcli.cli.commands.decrypt.decrypt_database import decrypt

__all__ = ["decrypt"]
