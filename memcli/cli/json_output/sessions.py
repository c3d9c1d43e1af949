"""What `--json` prints. Keys are only ever added."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import isinf
from typing import TYPE_CHECKING

from memcli.domain import Doubt, Session, Skipped
from memcli.search.answer import Reply
from memcli.search.budget import Plan
from memcli.search.results import Answer, Quote, Result, Stage
from memcli.store import Outcome, Overview, Reading

if TYPE_CHECKING:  # who asks a question neither ingests nor reads
    from memcli.extraction.read import Extent, Report, Settled
    from memcli.ingest.import_conversations import Counts
    from memcli.ingest.ingest import SourceReport

Shape = dict[str, object]
# Of a segment, where it did not fail.
ACTIONS = {Outcome.ADDED: "add", Outcome.IGNORED: "ignore", Outcome.BUFFERED: "buffer"}


def answer_shape(answer: Answer, command: str, reply: Reply | None = None) -> Shape:
    """Return `mem ask --json` or `mem search --json`, which has no trace."""
    shape: Shape = {
        "schema": f"mem.{command}/1",
        "question": answer.question,
        "verdict": answer.verdict,
        "sessions": [result_shape(rank, one) for rank, one in enumerate(answer.results, start=1)],
        "trace": answer.trace,
        "stages": [_stage(stage) for stage in answer.stages],
        "plan": _plan(answer.plan) if answer.plan else None,
        "left_out": list(answer.left_out),
        "out_of_time": answer.out_of_time,
    }
    if command == "search":
        for key in ("trace", "plan", "left_out", "out_of_time"):
            del shape[key]
    if reply:
        shape["answer"] = _reply(reply)
        shape["stages"] = [_stage(stage) for stage in (*answer.stages, reply.stage)]
    return shape


def result_shape(rank: int, result: Result) -> Shape:
    """Return one ranked session."""
    return {
        "rank": rank,
        **_head(result.session),
        "scores": {
            "retrieve": round(result.retrieve, 4),
            "rerank": None if result.rerank is None else round(result.rerank, 4),
            "sift_rank": result.sift_rank,
        },
        "evidence": [_quote(result.session, quote) for quote in result.evidence],
    }


def _reply(reply: Reply) -> Shape:
    references = [{"turn": one.turn, "known": one.known} for one in reply.references]
    return {
        "text": reply.text,
        "model": reply.stage.model,
        "references": references,
        "complete": not (reply.cut or reply.stopped),
    }


def overview_shape(overview: Overview) -> Shape:
    """Return one session of `mem sessions --json`."""
    return {**_head(overview), "turns": overview.turns}


def session_shape(session: Session, positions: Iterable[int]) -> Shape:
    """Return `mem show --json`."""
    turns = [turn_shape(session, position) for position in positions]
    return {"schema": "mem.show/1", "session": {**_head(session), "turns": turns}}


def turn_shape(session: Session, position: int) -> Shape:
    """Return one turn of `mem show --json`."""
    turn = session.turns[position - 1]
    return {
        "id": f"{session.id}:{position}",
        "position": position,
        "role": turn.role.value,
        "speaker": turn.speaker,
        "at": _time(turn.sent_at),
        "clock": turn.clock.value,
        "kind": turn.kind.value,
        "active": turn.active,
        "text": turn.text,
    }


def ingest_shape(reports: Sequence["SourceReport"], seconds: float) -> Shape:
    """Return `mem ingest --json`."""
    from memcli.ingest.import_conversations import Counts

    sessions = sum((report.sessions for report in reports), Counts())
    turns = sum((report.turns for report in reports), Counts())
    return {
        "schema": "mem.ingest/1",
        "sources": [report_shape(report) for report in reports],
        "totals": {"sessions": _counts(sessions), "turns": _turn_counts(turns)},
        "seconds": round(seconds, 3),
    }


def report_shape(report: "SourceReport") -> Shape:
    """Return what one source gave."""
    return {
        "path": report.path,
        "format": report.format,
        "conversations": report.conversations,
        "sessions": _counts(report.sessions),
        "turns": _turn_counts(report.turns),
        "memories": report.memories,
        "warnings": [_warning(warning) for warning in report.warnings],
    }


def read_shape(report: "Report", model: str) -> Shape:
    """Return `mem read --json`."""
    return {
        "schema": "mem.read/1",
        "model": model,
        "sessions": report.sessions,
        "segments": report.segments,
        "actions": {
            **{action: report.outcomes.get(outcome, 0) for outcome, action in ACTIONS.items()},
            "search": report.searches,
        },
        "memories": report.memories,
        "failures": [settled_shape(one) for one in report.failures],
        "out_of_time": report.out_of_time,
        "seconds": round(report.seconds, 3),
    }


def settled_shape(settled: "Settled") -> Shape:
    """Return one segment that was read."""
    return {
        "session": settled.session,
        "first": settled.first,
        "last": settled.last,
        "action": ACTIONS.get(settled.outcome),
        "reason": settled.reason,
        "memories": list(settled.memories),
        "searches": settled.searches,
    }


def reading_shape(reading: Reading) -> Shape:
    """Return how a memory came about."""
    return {"model": reading.model, "reason": reading.reason, "trace": reading.trace}


def extent_shape(extent: "Extent", model: str) -> Shape:
    """Return `mem read --dry-run --json`."""
    return {
        "schema": "mem.read/1",
        "model": model,
        "to_read": {
            "sessions": extent.sessions,
            "segments": extent.segments,
            "tokens": extent.tokens,
            "seconds": round(extent.seconds),
        },
    }


def _stage(stage: Stage) -> Shape:
    shape: Shape = {
        "name": stage.name,
        "model": stage.model,
        "seconds": round(stage.seconds, 3),
        "candidates": stage.candidates,
    }
    if stage.name == "retrieve":
        return shape
    return {
        **shape,
        "passages": stage.passages,
        "remembered": stage.remembered,
        "load_seconds": round(stage.load, 3),
        "tokens": {"read": stage.read, "written": stage.written},
        "tokens_per_second": round(stage.tokens_per_second, 1),
    }


def _plan(plan: Plan) -> Shape:
    return {
        "seconds": None if isinf(plan.seconds) else round(plan.seconds, 3),
        "passages": plan.passages,
        "history_tokens": plan.history_tokens,
        "thought_tokens": plan.thought_tokens,
    }


def _warning(warning: Skipped | Doubt) -> Shape:
    return {"where": warning.where, "what": warning.why}


def _counts(counts: "Counts") -> Shape:
    return {**_turn_counts(counts), "skipped": counts.skipped}


def _turn_counts(counts: "Counts") -> Shape:
    return {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged}


def _head(session: Session | Overview) -> Shape:
    return {
        "id": session.id,
        "title": session.title,
        "source": session.source,
        "started_at": _time(session.started_at),
        "ended_at": _time(session.ended_at),
        "participants": list(session.participants),
    }


def _quote(session: Session, quote: Quote) -> Shape:
    return {
        "turn": f"{session.id}:{quote.position}",
        "speaker": quote.turn.speaker or quote.turn.role.value,
        "at": _time(quote.turn.sent_at),
        "text": quote.turn.text,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
