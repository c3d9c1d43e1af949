"""Values that Tab offers: each is what can be typed and, after a tab, what it is.

The scripts in `completions/` read both, and quote the value as their shell wants it. A parameter
names one of these functions as its `autocompletion`; `tab` calls it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from memcli.cli.output.console import safe
from memcli.errors import MemError

WIDTH = 60  # characters of a title


def session_ids(incomplete: str) -> list[str]:
    """Offer sessions with their titles."""
    from memcli.store.maintenance import peek

    return list(_offers(peek.sessions(_database(), incomplete)))


def memory_ids(incomplete: str) -> list[str]:
    """Offer memories with what they say."""
    from memcli.store.maintenance import peek

    return list(_offers(peek.memories(_database(), incomplete)))


def session_and_memory_ids(incomplete: str) -> list[str]:
    """Offer both."""
    return session_ids(incomplete) + memory_ids(incomplete)


def sources(incomplete: str) -> list[str]:
    """Offer where sessions come from."""
    from memcli.store.maintenance import peek

    return _beginning(incomplete, _offers(peek.sources(_database())))


def speakers(incomplete: str) -> list[str]:
    """Offer the people of the settings, and who speaks in the database."""
    from memcli.settings import settings
    from memcli.store.maintenance import peek

    try:
        people = [(name, "you" if name == "me" else "") for name in settings().people]
    except MemError:
        people = []
    known = dict.fromkeys(_offers(people)) | dict.fromkeys(_offers(peek.speakers(_database())))
    return _beginning(incomplete, known)


def formats(incomplete: str) -> list[str]:
    """Offer the formats of exports."""
    from memcli.formats import FORMATS

    return _beginning(incomplete, FORMATS)


def embedders(incomplete: str) -> list[str]:
    """Offer models that make vectors."""
    return _playing("embedder", incomplete)


def rerankers(incomplete: str) -> list[str]:
    """Offer models that judge."""
    return _playing("reranker", incomplete)


def sifters(incomplete: str) -> list[str]:
    """Offer models that read, think and rank."""
    return _playing("sifter", incomplete)


def readers(incomplete: str) -> list[str]:
    """Offer models that read and remember."""
    return _playing("reader", incomplete)


def chats(incomplete: str) -> list[str]:
    """Offer models that answer in words."""
    return _playing("chat", incomplete)


def models(incomplete: str) -> list[str]:
    """Offer every model that is known."""
    return _beginning(incomplete, _offers(_models().items()))


def models_here(incomplete: str) -> list[str]:
    """Offer models on this machine."""
    return _beginning(incomplete, _offers(_models(here=True).items()))


def _playing(role: str, incomplete: str) -> list[str]:
    """Offer models that play a role, and to do without one."""
    from memcli.settings import NO_MODEL

    known = {name: played for name, played in _models().items() if played == role}
    return _beginning(incomplete, _offers([*known.items(), (NO_MODEL,)]))


def _models(*, here: bool = False) -> dict[str, str]:
    """Return models and the roles they play, those on this machine first."""
    from memcli.catalog import Catalog
    from memcli.settings import manifests_folder, models_folder

    known = Catalog(models_folder(), manifests_folder())
    try:
        installed = {each.manifest.name: each.manifest for each in known.weights}
        named = installed if here else {**installed, **known.manifests}
    except MemError:
        return {}
    return {name: str(each.role) for name, each in named.items()}


def _database() -> Path:
    """Return the database that the line names, or the usual one."""
    from memcli.settings import database_path

    return Path(os.environ.get("MEM_DB") or database_path())


def _offers(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield what can be typed, each with what it is; what holds control characters cannot."""
    for value, *said in rows:
        if value.isprintable():
            text = " ".join(safe(" ".join(said)).split())
            text = f"{text[: WIDTH - 1]}…" if len(text) > WIDTH else text
            yield f"{value}\t{text}" if text else value


def _beginning(incomplete: str, offers: Iterable[str]) -> list[str]:
    return [offer for offer in offers if offer.startswith(incomplete)]
