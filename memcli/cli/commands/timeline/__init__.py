"""`mem timeline`."""

from memcli.cli.commands.timeline.month_timeline import timeline

__all__ = ["timeline"]
