"""Makes the texts and times of conversations safe for any database and terminal."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from memcli.domain import Conversation, Kind, Past, SessionId, Turn

KEPT = 2_000  # characters of an unsearched tool result, thought or context, from its two ends

_SHORTENED_KINDS = frozenset({Kind.TOOL, Kind.THOUGHT, Kind.CONTEXT})


def sound_conversation(conversation: Conversation, included: Collection[Kind]) -> Conversation:
    """Return a conversation with sanitized texts, and with long unsearched turns shortened.

    Args:
        conversation: a conversation as it was parsed. One with a past of its own comes from an
            export of mem's, and none of its turns is shortened.
        included: kinds of turns that are searched although no person wrote them.
    """
    past = conversation.past
    return replace(
        conversation,
        key=clean(conversation.key),
        title=clean(conversation.title),
        turns=tuple(
            _sanitize_turn(turn, included, shorten=past is None) for turn in conversation.turns
        ),
        past=past and _sanitize_past(past),
    )


def _sanitize_past(past: Past) -> Past:
    revisions = (
        replace(
            revision,
            key=revision.key and clean(revision.key),
            text=clean(revision.text),
            digest=clean(revision.digest),
        )
        for revision in past.revisions
    )
    aliases = ((SessionId(clean(alias)), clean(key)) for alias, key in past.aliases)
    return Past(tuple(revisions), tuple(aliases))


def _sanitize_turn(turn: Turn, included: Collection[Kind], *, shorten: bool) -> Turn:
    """Return a sanitized turn; the same object if nothing changes."""
    key, text = clean(turn.key), clean(turn.text)
    speaker = turn.speaker and clean(turn.speaker)
    parent = turn.parent and clean(turn.parent)
    is_included = turn.included or turn.kind in included
    if shorten and len(text) > KEPT and turn.kind in _SHORTENED_KINDS and not is_included:
        omitted = len(text) - KEPT
        text = f"{text[: KEPT // 2]}\n[… {omitted:,} characters]\n{text[-KEPT // 2 :]}"
    sent_at = turn.sent_at and whole_milliseconds(turn.sent_at)
    edited_at = turn.edited_at and whole_milliseconds(turn.edited_at)
    if (
        (text is turn.text and sent_at is turn.sent_at and is_included == turn.included)
        and (key is turn.key and speaker is turn.speaker and parent is turn.parent)
        and edited_at is turn.edited_at
    ):
        return turn
    return Turn(  # `replace` takes four times as long, and nearly all turns of assistants come here
        key=key,
        role=turn.role,
        text=text,
        speaker=speaker,
        sent_at=sent_at,
        clock=turn.clock,
        kind=turn.kind,
        parent=parent,
        active=turn.active,
        edited_at=edited_at,
        missing=turn.missing,
        included=is_included,
    )


def whole_milliseconds(moment: datetime) -> datetime:
    """Return a time rounded down to milliseconds, as the store has it; the same object if it is."""
    rest = moment.microsecond % 1000
    return moment - timedelta(microseconds=rest) if rest else moment


def clean(text: str) -> str:
    """Return a text with surrogate pairs joined, lone surrogates replaced, and NULs removed.

    A text without any of these is returned as the same object.
    """
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
