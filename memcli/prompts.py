"""What language models are shown. Wire formats: MemSifter's history, to the byte.

Chat text is never trusted: a model's special tokens in it are the backend's to defuse, and the tags
of the format itself are defused here.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from memcli.domain import Role, Session

CUT = "[…]"  # stands for what is left out
ANSWER = """\
Below are excerpts from conversations of the person who asks. Each turn begins with its reference \
in square brackets, its time and who said it.

{shown}

Answer the question below from these excerpts alone, in the language of the question, in a few \
sentences. After each statement write the reference of the turn it rests on, exactly as it stands \
there, in square brackets. Where turns contradict each other the latest one holds; say so. If the \
excerpts do not answer the question, say that they do not, and guess nothing.

{question}"""
_TAGS = ("session", "date", "ranking", "think", *Role)


def history(sessions: Sequence[tuple[Session, Sequence[int]]]) -> str:
    """Return MemSifter's history block.

    Sessions are numbered from 0 in the order given, and turns from 0 per speaker.

    Args:
        sessions: each with the positions of the turns to show, from 1, ascending. Where turns are
            left out, a mark stands in their place.
    """
    return "\n".join(_session(number, *shown) for number, shown in enumerate(sessions))


def sift_message(wording: str, history_block: str, question: str) -> str:
    """Return MemSifter's one message.

    Args:
        wording: has {history} and {current}, each once; neither is looked for in what is put in.
        history_block: from `history`.
        question: as the person asked it.
    """
    before, _, rest = wording.partition("{history}")
    between, _, after = rest.partition("{current}")
    return f"{before}{history_block}{between}{_defused(question)}{after}"


def answer_message(shown: str, question: str) -> str:
    """Return what a chat model is asked.

    Args:
        shown: turns with their references, from `context`.
        question: as the person asked it, after what was asked before.
    """
    return ANSWER.format(shown=shown, question=question)


def passage_heading(session: Session) -> str:
    """Return the line that tells a reranker when a passage was said and what about."""
    when = f"{session.started_at:%Y-%m-%d (%A)}" if session.started_at else ""
    return " ".join(part for part in (when, session.title) if part)


def _session(number: int, session: Session, positions: Sequence[int]) -> str:
    date = f" <date>{_date(session.started_at)}</date>" if session.started_at else ""
    names = {_name(turn.role, turn.speaker) for turn in session.turns}
    lines = [f"<session{number}>{date}"]
    counted: Counter[str] = Counter()
    last = 0
    for position, turn in enumerate(session.turns, start=1):
        if not turn.searched:
            continue
        name = _name(turn.role, turn.speaker)
        if position in positions:
            if any(between.searched for between in session.turns[last : position - 1]):
                lines.append(CUT)
            lines.append(f"<{name}{counted[name]}>{_defused(turn.text, *names)}</{name}>")
            last = position
        counted[name] += 1
    if any(turn.searched for turn in session.turns[last:]):
        lines.append(CUT)
    return "\n".join([*lines, "</session>"])


def _date(moment: datetime) -> str:
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # not the locale's
    return f"{moment:%Y/%m/%d} ({days[moment.weekday()]}) {moment:%H:%M}"


def _name(role: Role, speaker: str | None) -> str:
    """Return the name of a tag: the role, or a named speaker of a chat among people."""
    named = re.sub(r"[<>/\s]+", " ", speaker or "").strip()
    reserved = re.fullmatch(rf"(?:{'|'.join(_TAGS)})?[\s\d]*", named, re.IGNORECASE)
    return role.value if reserved or role is not Role.PERSON else named


def _defused(text: str, *names: str) -> str:
    """Return a text whose own tags are none of the format's: their brackets are another's."""
    tags = "|".join(map(re.escape, (*_TAGS, *names)))
    return re.sub(rf"<(?=\s*/?\s*(?:{tags})\s*\d*\s*>)", "‹", text, flags=re.IGNORECASE)
