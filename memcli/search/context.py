"""The best sessions as one text for a model: whole turns, each behind a reference to it.

    Kyoto itinerary, 2025-10-02 (Thursday)
    [s_2v4k8qjw0a:1] 18:20 user: Five nights in Kyoto, what must I not miss?
    […]
    [s_2v4k8qjw0a:7] 18:31 user: We stay at the ryokan in Gion.
        It has no lift.

Only our own lines begin at the margin, so no turn can look like another one or like the end. The
text may begin with facts about the person.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from memcli.domain import Session, SessionId
from memcli.lazy_dataclasses import dataclass
from memcli.prompts import CUT
from memcli.search.budget import TokenCounter
from memcli.search.packing import nearest_first
from memcli.search.results import RankedSession

LEAST_TOKENS = 120  # reserved for each session further down, unless it needs fewer
SEAM_TOKENS = 2  # that a line may take more among others than alone
_BREAKS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_PIECES = re.compile(r"[A-Z]?[a-z]{1,3}|[!-~]|\s+")


@dataclass(frozen=True, slots=True)
class ContextBlock:
    """A text for a model, and the positions of the turns that are in it."""

    text: str
    shown: Mapping[SessionId, frozenset[int]]


def build_context(
    results: Sequence[RankedSession], count: TokenCounter, room: int, *, head: str = ""
) -> ContextBlock:
    """Choose whole turns of the best sessions that fit a room together.

    Sessions come best first, and turns in the order of the conversation. Each session gets all the
    room that leaves a little for those after it, or half of the room. If a session does not fit,
    its evidence and the turns nearest to it are shown. A turn that is too long alone is left out.

    Args:
        results: best first.
        count: counts the tokens of a text.
        room: tokens that the text may take.
        head: beginning of the text, if there is room for any turn beside it.
    """
    aim = room - count(head)
    while aim > 0 and (chosen := _choose_turns(results, count, aim)):
        blocks = (_block(result.session, positions) for result, positions in chosen)
        text = "\n\n".join((head, *blocks) if head else blocks)
        taken = count(text)
        if taken <= room:
            return ContextBlock(text, {one.session.id: frozenset(at) for one, at in chosen})
        aim -= taken - room  # lines together may take more tokens than one by one
    return ContextBlock("", {})


def estimate_text_tokens(text: str) -> int:
    """Return how many tokens a text takes at most, if no model is available to count.

    Up to three letters of a word count as one token, and so does every sign. Characters that are
    not ASCII count by their bytes, which vocabularies fall back to. Real vocabularies take about
    half of the estimate.
    """
    ascii_pieces = len(_PIECES.findall(text))
    others = (letter for letter in text if not letter.isascii())
    return ascii_pieces + sum(len(letter.encode("utf-8", "replace")) for letter in others)


def _choose_turns(
    results: Sequence[RankedSession], count: TokenCounter, room: int
) -> list[tuple[RankedSession, list[int]]]:
    """Return the sessions that any turn fits of, with the positions of those, ascending."""
    sizes = [_sizes(result.session, count) for result in results]
    least = [min(sum(size.values()), LEAST_TOKENS) for size in sizes]
    chosen = []
    for place, (result, size) in enumerate(zip(results, sizes, strict=True)):
        free = max(room - sum(least[place + 1 :]), room // 2)
        positions = _fitting_turns(result, size, free)
        if positions:
            room -= size[0] + sum(size[at] for at in positions)
            chosen.append((result, positions))
    return chosen


def _sizes(session: Session, count: TokenCounter) -> dict[int, int]:
    """Return the tokens of each turn's line by its position, and of the heading by 0."""
    lines = {at: _line(session, at) for at in _positions(session)}
    gap = count(CUT) + SEAM_TOKENS
    return {
        0: count(_heading(session)) + gap + SEAM_TOKENS,
        **{at: count(line) + gap + SEAM_TOKENS for at, line in lines.items()},
    }


def _fitting_turns(result: RankedSession, sizes: Mapping[int, int], room: int) -> list[int]:
    """Return as many positions as fit beside the heading, evidence first."""
    room -= sizes[0]
    positions = [at for at in sizes if at]
    evidence = [quote.position for quote in result.evidence if quote.position in sizes]
    fitting = []
    for at in [*evidence, *nearest_first(evidence, positions)]:
        if sizes[at] <= room:
            room -= sizes[at]
            fitting.append(at)
    return sorted(fitting)


def _positions(session: Session) -> list[int]:
    return [at for at, turn in enumerate(session.turns, start=1) if turn.is_searchable]


def _block(session: Session, positions: Sequence[int]) -> str:
    lines = [_heading(session)]
    every = _positions(session)
    if positions[0] != every[0]:
        lines.append(CUT)
    lines.append(_line(session, positions[0]))
    for before, at in pairwise(positions):
        if every.index(at) != every.index(before) + 1:
            lines.append(CUT)
        lines.append(_line(session, at))
    if positions[-1] != every[-1]:
        lines.append(CUT)
    return "\n".join(lines)


def _heading(session: Session) -> str:
    title = " ".join((session.title.strip() or " and ".join(session.participants)).split())
    return f"{title}, {session.started_at:%Y-%m-%d (%A)}" if session.started_at else title


def _line(session: Session, position: int) -> str:
    turn = session.turns[position - 1]
    when = ""
    if turn.sent_at:
        began = session.started_at
        same_day = began is not None and turn.sent_at.date() == began.date()
        when = f"{turn.sent_at:%H:%M} " if same_day else f"{turn.sent_at:%Y-%m-%d %H:%M} "
    text = _BREAKS.sub("\n    ", turn.text.strip())
    speaker = " ".join((turn.speaker or turn.role.value).split())
    return f"[{session.id}:{position}] {when}{speaker}: {text}"
