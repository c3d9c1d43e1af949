"""`mem browse`."""

from memcli.cli.commands.browse.full_screen import browse

__all__ = ["browse"]
