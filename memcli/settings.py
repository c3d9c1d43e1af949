"""Where memcli keeps things."""

import os
from pathlib import Path

import platformdirs


def database_path() -> Path:
    """Return where the database is, unless the person names another file."""
    return Path(platformdirs.user_data_dir("mem")) / "mem.db"


def models_folder() -> Path:
    """Return where model files are: `MEM_MODELS`, or a folder beside the database."""
    named = os.environ.get("MEM_MODELS")
    return Path(named) if named else Path(platformdirs.user_data_dir("mem")) / "models"


def state_folder() -> Path:
    """Return where is kept what memcli learned about this machine; losing it costs only time."""
    return Path(platformdirs.user_state_dir("mem"))
