"""Where real exports and data sets are, beside the repository where it is built, never inside."""

from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"
