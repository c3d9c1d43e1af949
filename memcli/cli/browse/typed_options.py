"""The beginning of `mem browse`: options as they were typed, which its line of filters shows."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from memcli.cli.parsing.parameters import Option
from memcli.cli.typed_values import parse_text
from memcli.lazy_dataclasses import dataclass
from memcli.search.stages import RankingModels


@dataclass(frozen=True, slots=True)
class Browsing:
    """A database to browse, and what is typed at the beginning."""

    database: Path
    open_models: Callable[[], RankingModels]
    open_pager: Callable[[str], None]  # shows the session or turn of a reference
    words: str = ""
    filters: str = ""  # as options of the command line


def write_filters(values: Mapping[str, str | None]) -> str:
    """Return the line of filters, each by its option; those without a value are left out."""
    words = [word for name, value in values.items() if value for word in (name, value)]
    return " ".join(
        f'"{one}"' if " " in one and '"' not in one else shlex.quote(one) for one in words
    )


def keep_text(option: Any) -> Option:  # Any: an annotated type
    """Return an option that gives the text that was typed, once its own parser has accepted it."""
    [info] = option.__metadata__
    parse = info.settings["parser"]

    def check(text: str) -> str:
        parse(text)
        return parse_text(text)

    return Option(*info.names, **{**info.settings, "parser": check})
