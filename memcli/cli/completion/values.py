"""Values that Tab offers, each with its description after a tab.

The scripts in `completions/` read both, and quote the value as their shell needs it. A parameter
names one of these functions as its `autocompletion`, and `complete` calls it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from memcli.cli.output.console import join_lines
from memcli.errors import MemError

RELATIVE_DATES = (
    "today",
    "yesterday",
    "7d",
    "30d",
    "1y",
    "this week",
    "last week",
    "this month",
    "last month",
    "this year",
    "last year",
)
WIDTH = 60  # the most characters of a description


def offer_session_ids(incomplete: str) -> list[str]:
    """Offer the ids of sessions, with their titles."""
    from memcli.store.maintenance import peek

    return list(_offers(peek.complete_sessions(_database(), incomplete)))


def offer_memory_ids(incomplete: str) -> list[str]:
    """Offer the ids of memories, with their facts."""
    from memcli.store.maintenance import peek

    return list(_offers(peek.complete_memories(_database(), incomplete)))


def offer_session_and_memory_ids(incomplete: str) -> list[str]:
    """Offer the ids of sessions and of memories."""
    return offer_session_ids(incomplete) + offer_memory_ids(incomplete)


def offer_sources(incomplete: str) -> list[str]:
    """Offer the sources of sessions."""
    from memcli.store.maintenance import peek

    return _filter(incomplete, _offers(peek.list_sources(_database())))


def offer_source_paths(incomplete: str) -> list[str]:
    """Offer the paths that were imported."""
    from memcli.store.maintenance import peek

    return _filter(incomplete, _offers(peek.list_source_paths(_database())))


def offer_speakers(incomplete: str) -> list[str]:
    """Offer the people in the settings, and the speakers in the database."""
    from memcli.settings import load_settings
    from memcli.store.maintenance import peek

    try:
        people = [(name, "you" if name == "me" else "") for name in load_settings().people]
    except MemError:
        people = []
    known = dict.fromkeys(_offers(people)) | dict.fromkeys(_offers(peek.list_speakers(_database())))
    return _filter(incomplete, known)


def offer_dates(incomplete: str) -> list[str]:
    """Offer relative dates, with the day that each begins on."""
    from datetime import datetime

    from memcli.text.typed_periods import parse_period

    now = datetime.now().astimezone()
    rows = ((name, f"{parse_period(name, now).start:%Y-%m-%d}") for name in RELATIVE_DATES)
    return _filter(incomplete, _offers(rows))


def offer_settings(incomplete: str) -> list[str]:
    """Offer the settings, with their values."""
    from memcli.cli.settings_editor import list_settings

    try:
        rows = [(one.key, one.value) for one in list_settings()]
    except MemError:
        rows = []
    return _filter(incomplete, _offers([*rows, ("people.me", "your names")]))


def offer_formats(incomplete: str) -> list[str]:
    """Offer the formats of exports."""
    from memcli.formats import FORMATS

    return _filter(incomplete, FORMATS)


def offer_embedders(incomplete: str) -> list[str]:
    """Offer embedders."""
    return _models_of_role("embedder", incomplete)


def offer_rerankers(incomplete: str) -> list[str]:
    """Offer rerankers."""
    return _models_of_role("reranker", incomplete)


def offer_sifters(incomplete: str) -> list[str]:
    """Offer sifters."""
    return _models_of_role("sifter", incomplete)


def offer_readers(incomplete: str) -> list[str]:
    """Offer readers."""
    return _models_of_role("reader", incomplete)


def offer_chats(incomplete: str) -> list[str]:
    """Offer chat models."""
    return _models_of_role("chat", incomplete)


def offer_models(incomplete: str) -> list[str]:
    """Offer every known model."""
    return _filter(incomplete, _offers(_models().items()))


def offer_models_here(incomplete: str) -> list[str]:
    """Offer the models on this machine."""
    return _filter(incomplete, _offers(_models(here=True).items()))


def _models_of_role(role: str, incomplete: str) -> list[str]:
    """Offer the models of a role, and `none`."""
    from memcli.settings import NO_MODEL

    known = {name: its_role for name, its_role in _models().items() if its_role == role}
    return _filter(incomplete, _offers([*known.items(), (NO_MODEL,)]))


def _models(*, here: bool = False) -> dict[str, str]:
    """Return models and their roles, those on this machine first."""
    from memcli.catalog import Catalog
    from memcli.settings import manifests_folder, models_folder

    known = Catalog(models_folder(), manifests_folder())
    try:
        installed = {each.manifest.name: each.manifest for each in known.weights}
        manifests = installed if here else {**installed, **known.manifests}
    except MemError:
        return {}
    return {name: str(each.role) for name, each in manifests.items()}


def _database() -> Path:
    """Return the database that the line names, or the default one."""
    from memcli.settings import database_path, default_database

    try:
        return database_path()
    except MemError:  # the settings are damaged, which the command itself will say
        return default_database()


def _offers(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield values with their descriptions; skip values with control characters.

    Args:
        rows: a value, and the parts of its description.
    """
    for value, *parts in rows:
        if value.isprintable():
            text = join_lines(" ".join(parts))
            text = f"{text[: WIDTH - 1]}…" if len(text) > WIDTH else text
            yield f"{value}\t{text}" if text else value


def _filter(incomplete: str, offers: Iterable[str]) -> list[str]:
    return [offer for offer in offers if offer.startswith(incomplete)]
