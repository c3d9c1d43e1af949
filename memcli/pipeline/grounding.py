"""What a memory says that its sources do not."""

import re
import unicodedata

from memcli.domain import Fact, Turn

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def lacking(fact: Fact, turn: Turn) -> tuple[str, ...]:
    """Return the names, numbers and dates of a fact that a turn does not say, in order."""
    said = unicodedata.normalize("NFKC", turn.text)
    return tuple(dict.fromkeys(one for one in _NUMBER.findall(fact.value) if one not in said))
