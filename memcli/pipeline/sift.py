"""The third stage: a model reads the best sessions, thinks, and ranks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.pipeline.prompts import history, sift_message
from memcli.pipeline.retrieve import Candidate
from memcli.protocols import Ranking, Sifter
from memcli.store import Store, searched

SHOWN = 20  # most sessions in the message
RANKED = 10  # most of them that the model ranks
HISTORY_TOKENS = 8_000  # most tokens of sessions: prompt reading is what takes the time on a CPU
RANKING_TOKENS = 64  # left for the ranking and its tags
NEIGHBOURS = 2  # turns shown on both sides of the evidence in a session that is cut

Thought = Callable[[str], None]  # told each piece of the thought as it is written


@dataclass(frozen=True, slots=True)
class Sifted:
    """What the sifter thought, and the order it came to."""

    thought: str
    order: tuple[int, ...]  # numbers of sessions, best first; only those it ranked
    shown: int  # how many it was shown


def sift(
    question: str,
    candidates: Sequence[Candidate],
    sifter: Sifter,
    wording: str,
    store: Store,
    *,
    thought_tokens: int,
    thought: Thought = lambda _piece: None,
) -> Sifted:
    """Let a model rank the first candidates. The same question about the same is remembered.

    Args:
        question: as the person asked it.
        candidates: best first.
        sifter: the model.
        wording: of the message, see `prompts.sift_message`.
        store: remembers.
        thought_tokens: most tokens to think.
        thought: told the thought as it is written.

    Raises:
        BackendError: the model failed, or not one session fits its context.
    """
    key = _key(question, candidates, sifter, wording, thought_tokens)
    kept = store.cache.get(key)
    if kept is not None:
        thought(kept["thought"])
        order = tuple(candidates[at].number for at in kept["order"])
        return Sifted(kept["thought"], order, kept["shown"])
    shown = _packed(question, candidates, sifter, wording, thought_tokens)
    message = _message(question, shown, wording)
    pieces: list[str] = []
    ranked: list[Candidate] = []
    for piece in sifter.sift(
        message,
        shown=len(shown),
        ranked=min(RANKED, len(shown)),
        thought_tokens=thought_tokens,
    ):
        if isinstance(piece, Ranking):
            ranked = [shown[index][0] for index in piece.order]
        else:
            pieces.append(piece)
            thought(piece)
    text = "".join(pieces).strip()
    if ranked:
        places = [candidates.index(candidate) for candidate in ranked]
        store.cache.put({key: {"thought": text, "order": places, "shown": len(shown)}})
    return Sifted(text, tuple(candidate.number for candidate in ranked), len(shown))


Shown = list[tuple[Candidate, list[int]]]  # each with the positions of the turns to show


def _key(
    question: str, candidates: Sequence[Candidate], sifter: Sifter, wording: str, thought: int
) -> str:
    """Return what stands for all that the ranking depends on, without loading the model."""
    read = [
        part
        for candidate in candidates[:SHOWN]
        for part in (
            history([(candidate.session, _all(candidate))]),
            [evidence.position for evidence in candidate.evidence],
        )
    ]
    limits = (SHOWN, RANKED, HISTORY_TOKENS, thought)
    return fingerprint("sift", sifter.fingerprint, wording, question, *limits, *read)


def _message(question: str, shown: Shown, wording: str) -> str:
    block = history([(candidate.session, positions) for candidate, positions in shown])
    return sift_message(wording, block, question)


def _packed(
    question: str, candidates: Sequence[Candidate], sifter: Sifter, wording: str, thought: int
) -> Shown:
    """Choose what fits, best sessions first, and put it in the order of time.

    A session that does not fit whole is cut to the turns around its evidence; where that does not
    fit either, it and those after it are left out.
    """
    frame = sifter.count(sift_message(wording, "", question))
    room = min(HISTORY_TOKENS, sifter.context - thought - RANKING_TOKENS - frame)
    shown: Shown = []
    for candidate in candidates[:SHOWN]:
        for positions in (_all(candidate), _around(candidate, NEIGHBOURS), _around(candidate, 0)):
            taken = sifter.count(history([(candidate.session, positions)])) + 2
            if taken <= room:
                break
        else:
            break
        room -= taken
        shown.append((candidate, positions))
    if not shown:
        raise BackendError(
            f"no session fits into the {sifter.context:,} tokens of {sifter.name}",
            hint="let it think less with `--think`",
        )
    return sorted(shown, key=_when)


def _when(shown: tuple[Candidate, list[int]]) -> float:
    started = shown[0].session.started_at
    return started.timestamp() if started else 0.0


def _all(candidate: Candidate) -> list[int]:
    return [at for at, turn in enumerate(candidate.session.turns, start=1) if searched(turn)]


def _around(candidate: Candidate, neighbours: int) -> list[int]:
    near = {
        evidence.position + step
        for evidence in candidate.evidence
        for step in range(-neighbours, neighbours + 1)
    }
    return [position for position in _all(candidate) if position in near]
