"""Real exports and data sets, beside the repository where it is built, never inside."""

import csv
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"
INDEX = SHARED / "samples" / "INDEX.tsv"

# Real exports of each format: so many cases are skipped where there are none.
CASES = {
    "aider": 1,
    "chatgpt": 12,
    "chatgpt_sharded": 3,
    "claude": 8,
    "claude_code": 13,
    "cline": 1,
    "codex": 12,
    "deepseek": 1,
    "discord": 2,
    "discord_package": 2,
    "email": 1,
    "gemini_cli": 6,
    "gemini_takeout": 4,
    "generic_json": 4,
    "generic_text": 2,
    "google_chat": 1,
    "grok": 1,
    "instagram": 3,
    "lechat": 1,
    "line": 2,
    "lmstudio": 1,
    "messenger": 21,
    "negative": 2,
    "opencode": 1,
    "openwebui": 1,
    "perplexity": 3,
    "pi": 1,
    "signal": 1,
    "slack": 1,
    "sms": 1,
    "telegram": 5,
    "telegram_html": 2,
    "twitter_dm": 1,
    "whatsapp": 16,
}


def sample_files(suffix=""):
    """Return the real exports as cases of a test; where there are none, one that is skipped."""
    folder = SHARED / "samples"
    found = sorted(
        path for path in folder.rglob(f"*{suffix}") if path.is_file() and path.suffix != ".tsv"
    )
    if found:
        return [pytest.param(path, id=str(path.relative_to(folder))) for path in found]
    reason = f"{sum(CASES.values())} real exports are not at {folder}"
    return [pytest.param(folder / "none.zip", marks=pytest.mark.skip(reason), id="none")]


def sample_rows(*formats):
    """Return the index rows of the real exports of these formats.

    Where there are none, one row stands for all: `skip_a_missing_sample` skips it and says how
    many cases it stands for.
    """
    if not INDEX.exists():
        count = sum(CASES[each] for each in formats)
        return [dict.fromkeys(("path", "format"), "") | {"missing": f"{count} real exports"}]
    with INDEX.open(encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream, delimiter="\t") if row["format"] in formats]


def skip_a_missing_sample(row):
    """Skip the test of a row that stands for exports which are not here."""
    if "missing" in row:
        pytest.skip(f"{row['missing']} are not at {SHARED / 'samples'}")
