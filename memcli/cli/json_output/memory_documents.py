"""Documents about memories: lists, one memory with its history, deletions."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from memcli.cli.json_output.session_documents import OverviewJson, overview_json
from memcli.cli.json_output.value_kinds import Count, Moment, format_moment
from memcli.domain import Memory, MemoryType, Turn
from memcli.store import SegmentReading, SessionSummary, Store


class MemorySourceJson(TypedDict):
    """A turn that a memory comes from."""

    session: str
    turn: Annotated[str, "Id of the session, a colon, and the position of the turn."]
    key: Annotated[str, "Key of the turn in its export, or one derived from it."]
    speaker: str
    at: Moment | None
    text: str


class MemoryJson(TypedDict):
    """A fact worth remembering, and the turns it comes from."""

    id: Annotated[str, "`m_` and ten characters."]
    key: Annotated[str, "Topic of the fact."]
    type: MemoryType
    value: str
    tags: list[str]
    said_at: Moment | None
    by: Annotated[str, "Name of the model that found it, or `you`."]
    accepted: Annotated[bool, "By the person."]
    unsupported: Annotated[list[str], "Details of the fact that no source supports."]
    superseded_by: Annotated[str | None, "Id of the newer memory that took its place."]
    edited: Annotated[bool, "By the person."]
    conflicts: Annotated[list[str], "Ids of memories that say otherwise."]
    sources: Annotated[list[MemorySourceJson], "At least one."]


class MemoriesJson(TypedDict):
    """Memories."""

    schema: Literal["mem.memories/1"]
    memories: list[MemoryJson]


class ReadingJson(TypedDict):
    """The decision of a model that led to a memory."""

    model: str
    reason: str
    trace: Annotated[
        list[dict[str, object]] | None,
        "The model's thoughts, tool calls and their results; null if not kept.",
    ]


class OneMemoryJson(TypedDict):
    """One memory, and those before and after it."""

    schema: Literal["mem.memory/1"]
    memory: MemoryJson
    history: list[MemoryJson]
    why: NotRequired[Annotated[list[ReadingJson], "With `--why`."]]


class MemoryImportJson(TypedDict):
    """Counts of imported memories."""

    schema: Literal["mem.memories-import/1"]
    new: Count
    known: Annotated[Count, "Memories that were there already."]
    forgotten: Annotated[Count, "Memories that were forgotten earlier, and are not imported."]


class ForgetJson(TypedDict):
    """The sessions and memories that were deleted, or would be."""

    schema: Literal["mem.forget/1"]
    sessions: list[OverviewJson]
    memories: list[MemoryJson]
    forgotten: Annotated[bool, "False with `--dry-run`."]
    backups: Annotated[list[str], "Backups that were made before and may still hold it."]


def memory_json(memory: Memory, quotes: Sequence[Turn]) -> MemoryJson:
    """Return one memory.

    Args:
        memory: the memory.
        quotes: the turns of its sources, in their order.
    """
    return MemoryJson(
        id=memory.id,
        key=memory.fact.key,
        type=memory.fact.type,
        value=memory.fact.value,
        tags=list(memory.fact.tags),
        said_at=format_moment(memory.said_at),
        by=memory.by,
        accepted=memory.accepted,
        unsupported=list(memory.unsupported),
        superseded_by=memory.superseded_by,
        edited=memory.edited,
        conflicts=list(memory.conflicts),
        sources=[
            MemorySourceJson(
                session=source.session,
                turn=f"{source.session}:{source.position}",
                key=source.key,
                speaker=turn.speaker or turn.role.value,
                at=format_moment(turn.sent_at),
                text=turn.text,
            )
            for source, turn in zip(memory.sources, quotes, strict=True)
        ],
    )


def memory_list(store: Store, memories: Iterable[Memory]) -> list[MemoryJson]:
    """Return memories with the turns that the store has for their sources."""
    return [memory_json(one, store.memories.source_turns(one)) for one in memories]


def memories_document(store: Store, memories: Iterable[Memory]) -> MemoriesJson:
    """Return the document of `mem memories list`."""
    return MemoriesJson(schema="mem.memories/1", memories=memory_list(store, memories))


def one_memory_document(
    store: Store,
    memory: Memory,
    history: Iterable[Memory],
    readings: Iterable[SegmentReading] | None = None,
) -> OneMemoryJson:
    """Return the document of `mem memories show`; with readings, those that led to the memory."""
    [first] = memory_list(store, [memory])
    document = OneMemoryJson(
        schema="mem.memory/1", memory=first, history=memory_list(store, history)
    )
    if readings is not None:
        document["why"] = [
            ReadingJson(model=one.model, reason=one.reason, trace=one.trace) for one in readings
        ]
    return document


def forget_document(
    store: Store, sessions: Iterable[SessionSummary], memories: Iterable[Memory], *, forgotten: bool
) -> ForgetJson:
    """Return the document of `mem forget`, made before the sessions and memories are deleted."""
    return ForgetJson(
        schema="mem.forget/1",
        sessions=[overview_json(one) for one in sessions],
        memories=memory_list(store, memories),
        forgotten=forgotten,
        backups=list(map(str, store.known_backups())),
    )
