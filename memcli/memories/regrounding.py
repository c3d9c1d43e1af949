"""What a memory says that its sources do not, found again where what they say may have changed."""

from memcli.domain import Session
from memcli.store import Store


def reground(session: Session, store: Store, *, memory: int | None = None) -> None:
    """Hold the memories that rest on a session against what its turns say now.

    Args:
        session: as it is stored.
        store: where it is.
        memory: number of the only one to look at; None looks at all.
    """
    from memcli.memories.grounding import lacking  # takes 10 ms, and a search needs none

    conversation = store.sessions.conversation_of(session.id)
    turns = {turn.key: turn for turn in session.turns}
    for number, key, fact in store.memory_sources.of_turns(conversation, turns):
        if memory in (None, number):
            missing = lacking(fact, turns[key], session.participants)
            store.memory_sources.set_unsupported(number, conversation, key, missing)
