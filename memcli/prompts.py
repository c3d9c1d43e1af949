"""Texts for language models. MemSifter's history follows its wire format to the byte.

Chat text is never trusted: the backend makes special tokens of a model in it harmless, and this
module does so with the tags of the format itself.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from memcli.domain import Role, Session

CUT = "[…]"  # stands for text that is left out
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


def format_history(sessions: Sequence[tuple[Session, Sequence[int]]]) -> str:
    """Return MemSifter's history block.

    Sessions are numbered from 0 in the order given, and turns from 0 per speaker.

    Args:
        sessions: each with the positions of the turns to show, from 1, ascending. A mark stands in
            the place of turns that are left out.
    """
    return "\n".join(
        _session_block(number, session, positions)
        for number, (session, positions) in enumerate(sessions)
    )


def sift_message(wording: str, history_block: str, question: str) -> str:
    """Return MemSifter's one message.

    Args:
        wording: has {history} and {current}, each once; neither is replaced inside the texts that
            are put in.
        history_block: from `history`.
        question: as the person asked it.
    """
    before, _, rest = wording.partition("{history}")
    between, _, after = rest.partition("{current}")
    return f"{before}{history_block}{between}{_defuse_tags(question)}{after}"


def answer_message(shown: str, question: str) -> str:
    """Return the message for a chat model that answers from excerpts.

    Args:
        shown: turns with their references, from `memcli.search.context`.
        question: as the person asked it, after the exchanges before it.
    """
    return ANSWER.format(shown=shown, question=question)


def passage_heading(session: Session) -> str:
    """Return the line before a passage that gives a reranker its date and topic."""
    when = f"{session.started_at:%Y-%m-%d (%A)}" if session.started_at else ""
    return " ".join(part for part in (when, session.title) if part)


def _session_block(number: int, session: Session, positions: Sequence[int]) -> str:
    date = f" <date>{_format_date(session.started_at)}</date>" if session.started_at else ""
    names = {_tag_name(turn.role, turn.speaker) for turn in session.turns}
    lines = [f"<session{number}>{date}"]
    turns_by_name: Counter[str] = Counter()
    last = 0
    for position, turn in enumerate(session.turns, start=1):
        if not turn.is_searchable:
            continue
        name = _tag_name(turn.role, turn.speaker)
        if position in positions:
            if any(between.is_searchable for between in session.turns[last : position - 1]):
                lines.append(CUT)
            lines.append(f"<{name}{turns_by_name[name]}>{_defuse_tags(turn.text, *names)}</{name}>")
            last = position
        turns_by_name[name] += 1
    if any(turn.is_searchable for turn in session.turns[last:]):
        lines.append(CUT)
    return "\n".join([*lines, "</session>"])


def _format_date(moment: datetime) -> str:
    # `%a` would depend on the locale.
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return f"{moment:%Y/%m/%d} ({days[moment.weekday()]}) {moment:%H:%M}"


def _tag_name(role: Role, speaker: str | None) -> str:
    """Return the name of a tag: the role, or the name of a speaker in a chat among people."""
    name = re.sub(r"[<>/\s]+", " ", speaker or "").strip()
    is_reserved = re.fullmatch(rf"(?:{'|'.join(_TAGS)})?[\s\d]*", name, re.IGNORECASE)
    return role.value if is_reserved or role is not Role.PERSON else name


def _defuse_tags(text: str, *names: str) -> str:
    """Return a text in which no tag looks like one of the format: its bracket is another sign."""
    tags = "|".join(map(re.escape, (*_TAGS, *names)))
    return re.sub(rf"<(?=\s*/?\s*(?:{tags})\s*\d*\s*>)", "‹", text, flags=re.IGNORECASE)
