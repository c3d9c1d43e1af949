"""The settings file in the person's editor."""

import os
import shlex
import subprocess

from memcli.cli.output.console import note
from memcli.errors import InputError
from memcli.settings import config_file, load_settings

TEMPLATE = """\
# Settings of mem; `mem config` lists all of them.
#
# [models]                      # a name, a path, `none`, or the address of a served model
# reranker = "memreranker-4b"
#
# [database]                    # where the key of an encrypted database is
# key_command = "pass show mem"
#
# [people]                      # the names of each person; `me` is yourself
# me = ["Mira Santos", "mira"]
"""


def edit_settings() -> None:
    """Open the settings in `VISUAL`, `EDITOR` or `vi`, and check them afterwards.

    Raises:
        InputError: the editor cannot be started or fails, or the settings are wrong afterwards.
    """
    path = config_file()
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(TEMPLATE, "utf-8")
        before = path.read_bytes()
        status = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
        changed = path.read_bytes() != before
    except (OSError, ValueError) as error:
        raise InputError(
            f"`{editor} {path}` failed: {error}", hint="`export EDITOR=nano`, or another editor"
        ) from error
    if status:
        raise InputError(f"`{editor} {path}` ended with status {status}")
    load_settings()  # raises an error that names the line
    note(f"{path}: {'changed' if changed else 'not changed'}")
