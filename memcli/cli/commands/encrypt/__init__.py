"""`mem encrypt`."""

from memcli.cli.commands.encrypt.encrypt_database import encrypt

__all__ = ["encrypt"]
