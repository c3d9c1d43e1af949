"""The parts of a question that are meant to the letter: quoted phrases, and ids."""

import re

from memcli.domain import SessionId
from memcli.lazy_dataclasses import dataclass

# Single quotation marks are also apostrophes, so they quote nothing.
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|「([^」]+)」|『([^』]+)』')
_REFERENCE = re.compile(r"\s*(?P<session>s_[0-9a-z]{10})(?::(?P<position>[1-9]\d{0,8}))?\s*")


@dataclass(frozen=True, slots=True)
class Reference:
    """A session, or a turn of it, that a question names by its id."""

    session: SessionId
    position: int | None  # of the turn, from 1; None for the whole session


def find_quoted_phrases(question: str) -> tuple[str, ...]:
    """Return the phrases that stand in double quotation marks of any language."""
    return tuple("".join(found).strip() for found in _QUOTED.findall(question))


def parse_reference(question: str) -> Reference | None:
    """Return the session or turn that a question is the id of; None if it is anything else."""
    found = _REFERENCE.fullmatch(question)
    if not found:
        return None
    position = found["position"]
    return Reference(SessionId(found["session"]), int(position) if position else None)
