"""Makes the texts and times of conversations safe for any database and terminal."""

from collections.abc import Collection
from datetime import datetime, timedelta

from memcli.domain import Conversation, Kind, SessionHistory, SessionId, Turn
from memcli.lazy_dataclasses import replace

SHORTENED_LENGTH = (
    2_000  # characters of an unsearched tool result, thought or context, from its two ends
)

_SHORTENED_KINDS = frozenset({Kind.TOOL, Kind.THOUGHT, Kind.CONTEXT})


def sanitize_conversation(conversation: Conversation, included: Collection[Kind]) -> Conversation:
    """Return a conversation with sanitized texts, and with long unsearched turns shortened.

    Args:
        conversation: a conversation as it was parsed. One with a past of its own comes from an
            export of mem's, and none of its turns is shortened.
        included: kinds of turns that are searched although no person wrote them.
    """
    past = conversation.history
    return replace(
        conversation,
        key=sanitize_text(conversation.key),
        title=sanitize_text(conversation.title),
        turns=tuple(
            _sanitize_turn(turn, included, shorten=past is None) for turn in conversation.turns
        ),
        history=past and _sanitize_past(past),
    )


def _sanitize_past(past: SessionHistory) -> SessionHistory:
    revisions = (
        replace(
            revision,
            key=revision.key and sanitize_text(revision.key),
            text=sanitize_text(revision.text),
            digest=sanitize_text(revision.digest),
        )
        for revision in past.revisions
    )
    aliases = ((SessionId(sanitize_text(alias)), sanitize_text(key)) for alias, key in past.aliases)
    return SessionHistory(tuple(revisions), tuple(aliases))


def _sanitize_turn(turn: Turn, included: Collection[Kind], *, shorten: bool) -> Turn:
    """Return a sanitized turn; the same object if nothing changes."""
    key, text = sanitize_text(turn.key), sanitize_text(turn.text)
    speaker = turn.speaker and sanitize_text(turn.speaker)
    parent = turn.parent and sanitize_text(turn.parent)
    is_included = turn.included or turn.kind in included
    if (
        shorten
        and len(text) > SHORTENED_LENGTH
        and turn.kind in _SHORTENED_KINDS
        and not is_included
    ):
        omitted = len(text) - SHORTENED_LENGTH
        beginning, end = text[: SHORTENED_LENGTH // 2], text[-SHORTENED_LENGTH // 2 :]
        text = f"{beginning}\n[… {omitted:,} characters]\n{end}"
    sent_at = turn.sent_at and floor_to_milliseconds(turn.sent_at)
    edited_at = turn.edited_at and floor_to_milliseconds(turn.edited_at)
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


def floor_to_milliseconds(moment: datetime) -> datetime:
    """Return a time rounded down to milliseconds, as the store has it; the same object if it is."""
    rest = moment.microsecond % 1000
    return moment - timedelta(microseconds=rest) if rest else moment


def sanitize_text(text: str) -> str:
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
