"""Filters as a person types them in `mem browse`: options of the command line, with suggestions."""

import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any

from textual.suggester import Suggester

from memcli.cli.completion.values import RELATIVE_DATES
from memcli.cli.help.did_you_mean import OPTIONS, suggest_word
from memcli.cli.option_groups import FilterOptions
from memcli.cli.typed_dates import parse_end, parse_since
from memcli.cli.typed_values import parse_names, parse_source
from memcli.errors import UsageError
from memcli.store import Filters

PARSERS: dict[str, tuple[str, Callable[[str], Any]]] = {  # Any: a value of its field each
    "--source": ("source", parse_source),
    "--speaker": ("speaker", parse_names),
    "--since": ("since", parse_since),
    "--until": ("until", parse_end),
}
PLACEHOLDER = "--source whatsapp --speaker Ann --since 2024 --until yesterday"
_LAST_VALUE = re.compile(r"""(--[a-z]+)(?:\s+|=)(["']?)([^"'=]*)$""")
_LAST_OPTION = re.compile(r"(?:^|\s)(-{1,2}[a-z]*)$")


def parse_filters(line: str) -> Filters:
    """Return the filters of a line such as `--source whatsapp --since "last week"`.

    Raises:
        UsageError: the line names another option, lacks a value, or a value is not understood.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError("a quotation mark has no second one") from error
    values: dict[str, Any] = {}  # Any: as above
    while words:
        name, has_value, value = words.pop(0).partition("=")
        if name not in PARSERS:
            meant = suggest_word(name, PARSERS, OPTIONS)
            hint = f"did you mean `{meant}`" if meant else f"filters are {', '.join(PARSERS)}"
            raise UsageError(f"no such filter: {name}", hint=hint)
        if not has_value:
            if not words:
                raise UsageError(f"`{name}` needs a value")
            value = words.pop(0)
        field, parse = PARSERS[name]
        values[field] = parse(value)
    return FilterOptions(**values).filters()


class FilterSuggester(Suggester):
    """Suggests options, sources, speakers and relative dates for the end of a line of filters."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.sources: list[str] = []
        self.speakers: list[str] = []

    async def get_suggestion(self, value: str) -> str | None:
        """Return the line with its last word completed, or None."""
        if option := _LAST_OPTION.search(value):
            free = [name for name in PARSERS if name not in value.split()[:-1]]
            return _complete(value, option[1], (f"{name} " for name in free))
        if typed := _LAST_VALUE.search(value):
            name, quote, beginning = typed.groups()
            offers = self._offers(name)
            if quote:
                return _complete(value, beginning, (f"{one}{quote}" for one in offers))
            simple = [one for one in offers if " " not in one]
            return _complete(value, beginning, simple) if beginning or simple else None
        return None

    def _offers(self, name: str) -> Iterable[str]:
        if name == "--source":
            return self.sources
        if name == "--speaker":
            return self.speakers
        return RELATIVE_DATES if name in PARSERS else ()


def _complete(line: str, beginning: str, offers: Iterable[str]) -> str | None:
    """Return the line with its end replaced by the first offer that begins so, ignoring case."""
    kept = line[: len(line) - len(beginning)]
    folded = beginning.casefold()
    return next(
        (
            kept + beginning + one[len(beginning) :]
            for one in offers
            if one.casefold().startswith(folded)
        ),
        None,
    )
