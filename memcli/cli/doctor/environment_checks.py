"""Checks of everything but the database: settings, models, embedder, servers, hardware."""

from collections.abc import Iterator
from importlib.metadata import version

from memcli.catalog import ROLES, ModelRole
from memcli.cli.doctor.health_check import HealthCheck
from memcli.cli.models.inventory import list_entries
from memcli.cli.models.open import model_loader
from memcli.cli.models.resolve import ModelResolver, is_address, load_catalog
from memcli.errors import ExitCode, InputError, MemError
from memcli.protocols import SentenceEmbedder
from memcli.settings import config_file
from memcli.store import Store

# Texts that are sent to a served model.
_SENT_TEXTS: dict[ModelRole, str] = {
    "embedder": "every passage that is indexed, and every question",
    "reranker": "every question, and the passages that may answer it",
    "sifter": "every question, and the sessions that may answer it",
    "reader": "every session that is read into memories",
    "chat": "every question, and the sessions that it is answered from",
}


def check_environment(store: Store | None) -> Iterator[HealthCheck]:
    """Check the settings, and the models and servers that they name.

    Args:
        store: the database, if it can be opened.
    """
    try:
        resolver = ModelResolver()
    except MemError as error:
        yield _fault("settings", error)
        return
    file = config_file()
    yield HealthCheck("settings", "ok", str(file) if file.exists() else f"none at {file}")
    yield from _check_models(resolver)
    if store is not None:
        yield _check_embedder(resolver, store)
    yield from _check_servers(resolver)
    yield _check_hardware()
    yield HealthCheck("sqlite-vec", "ok", version("sqlite-vec"))


def _check_models(resolver: ModelResolver) -> Iterator[HealthCheck]:
    try:
        found = load_catalog()
        items = [
            item
            for item in list_entries(found, resolver)
            if item.status not in ("absent", "served")
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
        finding = f"{item.role} {item.name} {item.quantization}: {item.status}{used}"
        if item.status in ("failed", "damaged", "changed"):
            remedy = f"`mem models verify {item.name}`, or `mem models pull {item.name}`"
            yield HealthCheck("models", "fault", finding, remedy, ExitCode.BACKEND)
        elif item.status != "verified":
            yield HealthCheck("models", "note", finding, f"`mem models verify {item.name}`")
        else:
            yield HealthCheck("models", "ok", finding)
    if not items:
        finding = "none that judge or read: questions are answered by words and meaning alone"
        yield HealthCheck("models", "ok", finding)


def _check_embedder(resolver: ModelResolver, store: Store) -> HealthCheck:
    try:
        source = resolver.find("embedder", fallback=store.vector_sets.active_embedder_name())
        model = model_loader().open_embedder(source)
        served = store.vector_sets.active_embedder()
        if served is None or served.fingerprint == model.fingerprint:
            if served and not served.turns and isinstance(model, SentenceEmbedder):
                finding = f"{model.name}, whose vectors here stand for whole passages"
                remedy = "`mem index --rebuild` makes one for every two turns, which find more"
                return HealthCheck("embedder", "note", finding, remedy)
            return HealthCheck("embedder", "ok", model.name)
    except MemError as error:
        return _fault("embedder", error)
    finding = f"the settings name {model.name}, and the database has vectors of {served.name}"
    remedy = f"`mem index --embedder {model.name}` embeds everything again"
    return HealthCheck("embedder", "fault", finding, remedy, ExitCode.STORE)


def _check_servers(resolver: ModelResolver) -> Iterator[HealthCheck]:
    configured = resolver.configured
    roles: list[ModelRole] = [role for role in ROLES if is_address(configured.get(role, ""))]
    if not roles:
        yield HealthCheck("servers", "ok", "none: nothing leaves this machine")
        return
    from memcli.backends.server.endpoint import parse_endpoint

    for role in roles:
        try:
            server = parse_endpoint(configured[role])
        except MemError as error:
            yield _fault("servers", error)
            continue
        place = f"{server.url} ({role})"
        if server.is_local:
            yield HealthCheck("servers", "ok", f"{place} is on this machine")
        else:
            yield HealthCheck(
                "servers",
                "note",
                f"{_SENT_TEXTS[role]} leave this machine: they are sent to {place}",
                f"`mem config unset models.{role}` keeps them here",
            )
    if "reranker" in roles:
        yield from _check_served_reranker(configured["reranker"])


def _check_served_reranker(address: str) -> Iterator[HealthCheck]:
    """Report the last trial of the served reranker; nothing is sent to it."""
    from memcli.cli.models.served import last_verdict

    remedy = f"`mem models verify {address}`"
    try:
        verdict = last_verdict(address)
    except MemError:  # it is reported already
        return
    if verdict is None:
        finding = f"the scores of {address} are verified when it is first used"
        yield HealthCheck("reranker", "note", finding, remedy)
    elif verdict.passed:
        way = verdict.facts[0] if verdict.facts else "verified"
        yield HealthCheck("reranker", "ok", f"{address}: verified {verdict.at}, {way}")
    else:
        finding = f"{address} failed its trial at {verdict.at}: {'; '.join(verdict.faults)}"
        yield HealthCheck("reranker", "fault", finding, verdict.hint or remedy, ExitCode.BACKEND)


def _check_hardware() -> HealthCheck:
    from memcli.backends.llama.host import describe_processor, list_accelerators
    from memcli.backends.llama.library import require_llama_cpp

    try:
        require_llama_cpp()
    except MemError as error:
        return HealthCheck("hardware", "note", f"{error}; all else works", error.hint or "")
    try:
        found = list_accelerators()
    except MemError as error:
        return _fault("hardware", error)
    if found:
        return HealthCheck("hardware", "ok", f"{', '.join(found)}; {describe_processor()}")
    return HealthCheck(
        "hardware", "ok", f"no GPU that llama.cpp is built for; {describe_processor()}"
    )


def _fault(name: str, error: MemError) -> HealthCheck:
    remedy = error.hint or ""
    if isinstance(error, InputError) and not remedy:
        remedy = f"correct {config_file()}"
    return HealthCheck(name, "fault", str(error), remedy, error.exit_code)
