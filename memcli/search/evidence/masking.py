"""A ranking with its secrets masked. Import it where one is: it compiles some fifty patterns."""

from memcli.domain import Session, Turn
from memcli.lazy_dataclasses import replace
from memcli.search.results import AnsweringMemory, QuotedTurn, RankedSession, Ranking
from memcli.text.redaction import redact


def mask_ranking(ranking: Ranking) -> Ranking:
    """Return a ranking with the secrets in its sessions, reasons and thought masked."""
    return replace(
        ranking,
        results=tuple(_mask_result(result) for result in ranking.results),
        thought=ranking.thought and redact(ranking.thought),
        memories=tuple(_mask_memory(one) for one in ranking.memories),
    )


def _mask_session(session: Session) -> Session:
    """Return a session with the secrets in its title and turns masked."""
    turns = tuple(_mask_turn(turn) for turn in session.turns)
    return replace(session, title=redact(session.title), turns=turns)


def _mask_result(result: RankedSession) -> RankedSession:
    quotes = (QuotedTurn(one.position, _mask_turn(one.turn)) for one in result.evidence)
    return replace(
        result,
        session=_mask_session(result.session),
        evidence=tuple(quotes),
        terms=tuple(map(redact, result.terms)),
        reasons=tuple(map(redact, result.reasons)),
    )


def _mask_memory(one: AnsweringMemory) -> AnsweringMemory:
    said = one.memory.fact
    fact = replace(said, key=redact(said.key), value=redact(said.value))
    quotes = (QuotedTurn(quote.position, _mask_turn(quote.turn)) for quote in one.sources)
    return AnsweringMemory(replace(one.memory, fact=fact), tuple(quotes))


def _mask_turn(turn: Turn) -> Turn:
    masked = redact(turn.text)
    return turn if masked is turn.text else replace(turn, text=masked)
