"""What `mem doctor` looks at beside the database: settings, models, hardware, servers."""

from collections.abc import Iterator
from importlib.metadata import version

from memcli.catalog import ROLES, ModelRole
from memcli.cli.doctor.store_checks import Check
from memcli.cli.models.inventory import inventory
from memcli.cli.models.open import model_loader
from memcli.cli.models.resolve import ModelResolver, is_address, load_catalog
from memcli.errors import ExitCode, InputError, MemError
from memcli.settings import config_file
from memcli.store import Store

# What a served model gets to read.
_SENT: dict[ModelRole, str] = {
    "embedder": "every passage that is indexed, and every question",
    "reranker": "every question, and the passages that may answer it",
    "sifter": "every question, and the sessions that may answer it",
    "reader": "every session that is read into memories",
    "chat": "every question, and the sessions that it is answered from",
}


def surroundings(store: Store | None) -> Iterator[Check]:
    """Look at the settings, and what they name.

    Args:
        store: the database, if it can be opened.
    """
    try:
        resolver = ModelResolver()
    except MemError as error:
        yield _fault("settings", error)
        return
    where = config_file()
    yield Check("settings", "ok", str(where) if where.exists() else f"none at {where}")
    yield from _models(resolver)
    if store is not None:
        yield _embedder(resolver, store)
    yield from _served(resolver)
    yield _hardware()
    yield Check("sqlite-vec", "ok", version("sqlite-vec"))


def _models(resolver: ModelResolver) -> Iterator[Check]:
    try:
        found = load_catalog()
        items = [
            item for item in inventory(found, resolver) if item.standing not in ("absent", "served")
        ]
        named = {role: resolver.configured[role] for role in ROLES if role in resolver.configured}
    except MemError as error:
        yield _fault("models", error)
        return
    for role, name in named.items():
        if resolver.select(role) and not is_address(name):
            try:
                found.locate(name, role)
            except MemError as error:
                yield _fault(role, error)
    for item in items:
        used = f", used as {' and '.join(item.used_as)}" if item.used_as else ""
        what = f"{item.role} {item.name} {item.quantization}: {item.standing}{used}"
        if item.standing in ("failed", "damaged", "changed"):
            remedy = f"`mem models verify {item.name}`, or `mem models pull {item.name}`"
            yield Check("models", "fault", what, remedy, ExitCode.BACKEND)
        elif item.standing != "verified":
            yield Check("models", "note", what, f"`mem models verify {item.name}`")
        else:
            yield Check("models", "ok", what)
    if not items:
        what = "none that judge or read: questions are answered by words and meaning alone"
        yield Check("models", "ok", what)


def _embedder(resolver: ModelResolver, store: Store) -> Check:
    try:
        source = resolver.find("embedder", fallback=store.vectors.recorded())
        model = model_loader().open_embedder(source)
        served = store.vectors.serving()
        if served is None or served.fingerprint == model.fingerprint:
            return Check("embedder", "ok", model.name)
    except MemError as error:
        return _fault("embedder", error)
    what = f"the settings name {model.name}, and the database has vectors of {served.name}"
    remedy = f"`mem index --embedder {model.name}` embeds everything again"
    return Check("embedder", "fault", what, remedy, ExitCode.STORE)


def _served(resolver: ModelResolver) -> Iterator[Check]:
    from memcli.backends.server.endpoint import endpoint

    configured = resolver.configured
    roles: list[ModelRole] = [role for role in ROLES if is_address(configured.get(role, ""))]
    for role in roles:
        try:
            there = endpoint(configured[role])
        except MemError as error:
            yield _fault("servers", error)
            continue
        where = f"{there.url} ({role})"
        if there.local:
            yield Check("servers", "ok", f"{where} is on this machine")
        else:
            yield Check(
                "servers",
                "note",
                f"{_SENT[role]} leave this machine: they are sent to {where}",
                f"`mem config unset models.{role}` keeps them here",
            )
    if not roles:
        yield Check("servers", "ok", "none: nothing leaves this machine")


def _hardware() -> Check:
    from memcli.backends.llama.hardware import accelerators, processor

    try:
        found = accelerators()
    except MemError as error:
        return _fault("hardware", error)
    if found:
        return Check("hardware", "ok", f"{', '.join(found)}; {processor()}")
    return Check("hardware", "ok", f"no GPU that llama.cpp is built for; {processor()}")


def _fault(name: str, error: MemError) -> Check:
    remedy = error.hint or ""
    if isinstance(error, InputError) and not remedy:
        remedy = f"correct {config_file()}"
    return Check(name, "fault", str(error), remedy, error.exit_code)
