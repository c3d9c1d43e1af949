"""What any database and terminal can hold."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from memcli.domain import Conversation, Kind, Past, SessionId, Turn

KEPT = 2_000  # characters of what nobody said and is not searched, from its two ends

_SHORTENED = frozenset({Kind.TOOL, Kind.THOUGHT, Kind.CONTEXT})


def sound_conversation(conversation: Conversation, included: Collection[Kind]) -> Conversation:
    """Return a conversation whose text any database and terminal can hold."""
    past = conversation.past
    return replace(
        conversation,
        key=clean(conversation.key),
        title=clean(conversation.title),
        turns=tuple(
            _sound_turn(turn, included, shorten=past is None) for turn in conversation.turns
        ),
        past=past and _sound_past(past),
    )


def _sound_past(past: Past) -> Past:
    revisions = (
        replace(one, key=one.key and clean(one.key), text=clean(one.text), digest=clean(one.digest))
        for one in past.revisions
    )
    aliases = ((SessionId(clean(alias)), clean(key)) for alias, key in past.aliases)
    return Past(tuple(revisions), tuple(aliases))


def _sound_turn(turn: Turn, included: Collection[Kind], *, shorten: bool) -> Turn:
    key, text = clean(turn.key), clean(turn.text)
    speaker = turn.speaker and clean(turn.speaker)
    parent = turn.parent and clean(turn.parent)
    wanted = turn.included or turn.kind in included
    if shorten and len(text) > KEPT and turn.kind in _SHORTENED and not wanted:
        text = f"{text[: KEPT // 2]}\n[… {len(text) - KEPT:,} characters]\n{text[-KEPT // 2 :]}"
    sent_at = turn.sent_at and whole_milliseconds(turn.sent_at)
    edited_at = turn.edited_at and whole_milliseconds(turn.edited_at)
    if (
        (text is turn.text and sent_at is turn.sent_at and wanted == turn.included)
        and (key is turn.key and speaker is turn.speaker and parent is turn.parent)
        and edited_at is turn.edited_at
    ):
        return turn
    return Turn(  # `replace` takes four times as long, and nearly all turns of assistants come here
        *(key, turn.role, text, speaker, sent_at, turn.clock, turn.kind, parent, turn.active),
        *(edited_at, turn.missing, wanted),
    )


def whole_milliseconds(moment: datetime) -> datetime:
    """Return a moment as the store keeps it; the same one, if it is so already."""
    rest = moment.microsecond % 1000
    return moment - timedelta(microseconds=rest) if rest else moment


def clean(text: str) -> str:
    """Join surrogate pairs, replace lone ones, and drop NULs; the same text, where it has none."""
    if "\x00" not in text:
        if text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
