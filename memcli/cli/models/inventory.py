"""The list of `mem models list`: the models on this machine, and those that can be pulled."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from memcli.catalog import ROLES, Catalog, Manifest, ModelRole, Weights
from memcli.cli.json_output.store_documents import ModelJson, ModelsJson, ModelVerdictJson
from memcli.cli.models.resolve import (
    ModelResolver,
    is_address,
    weights_record_path,
    weights_state,
)
from memcli.cli.output.console import console, note, printable
from memcli.errors import BackendError, ModelNotFoundError, UsageError
from memcli.lazy_dataclasses import dataclass
from memcli.weights.recommend import choose_quantization, total_memory
from memcli.weights.record import Verdict, VerificationState, read_record

ModelStatus = VerificationState | Literal["damaged", "absent", "served"]
_STATUS_TEXTS: dict[ModelStatus, str] = {"absent": "not here"}


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that is on this machine or can be pulled."""

    name: str
    role: ModelRole
    quantization: str
    size: int  # bytes; approximate for a model that is not on this machine
    status: ModelStatus
    path: str = ""
    repository: str = ""
    licence: str = ""
    parameters: int = 0
    verdict: Verdict | None = None
    used_as: tuple[str, ...] = ()  # roles in which it is used without an option


def list_entries(known: Catalog, resolver: ModelResolver) -> list[ModelEntry]:
    """Return the models on this machine, by role, and after them those that can be pulled."""
    used = dict(_used_weights(known, resolver))
    installed = [describe_weights(weights, used) for weights in known.weights]
    elsewhere = [
        describe_weights(weights, used) for weights in used.values() if weights not in known.weights
    ]
    served = [
        ModelEntry(name, role, "", 0, "served", used_as=(role,))
        for role in ROLES
        if is_address(name := resolver.configured.get(role, ""))
    ]
    names = {item.name for item in installed}
    absent = [_absent_entry(each) for name, each in known.manifests.items() if name not in names]
    order: dict[str, int] = {role: place for place, role in enumerate(ROLES)}
    return [
        *sorted([*installed, *elsewhere, *served], key=lambda item: (order[item.role], item.name)),
        *sorted(absent, key=lambda item: (order[item.role], item.name)),
    ]


def describe_weights(weights: Weights, used: dict[str, Weights] | None = None) -> ModelEntry:
    """Return the entry of weights on this machine."""
    known, path = weights.manifest, weights.path
    record = read_record(weights_record_path(weights))
    files = path.iterdir() if weights.is_torch else (path,)
    return ModelEntry(
        known.name,
        known.role,
        weights.quantization,
        sum(file.stat().st_size for file in files if file.is_file()),
        _model_status(weights),
        path=str(path),
        repository=known.repository,
        licence=known.licence,
        parameters=known.parameters,
        verdict=record.verdict if record else None,
        used_as=tuple(role for role, one in (used or {}).items() if one.path == path),
    )


def models_document(items: Iterable[ModelEntry]) -> ModelsJson:
    """Return the document of `mem models list` and `mem models verify`."""
    return ModelsJson(schema="mem.models/1", models=[model_json(item) for item in items])


def model_json(item: ModelEntry) -> ModelJson:
    """Return one model of `mem models list`."""
    verdict = item.verdict
    return ModelJson(
        name=item.name,
        role=item.role,
        quantization=item.quantization or None,
        size=item.size or None,
        installed=item.status not in ("absent", "served"),
        state=item.status,
        used_as=list(item.used_as),
        path=item.path or None,
        repository=item.repository or None,
        licence=item.licence or None,
        parameters=item.parameters or None,
        verdict=ModelVerdictJson(
            passed=verdict.passed,
            at=verdict.at,
            faults=list(verdict.faults),
            facts=list(verdict.facts),
        )
        if verdict
        else None,
    )


def print_inventory(items: Sequence[ModelEntry]) -> None:
    """Print models as a table; a star marks those that are used."""
    out = console()
    width = max((len(item.name) for item in items), default=0)
    for item in items:
        used = "*" if item.used_as else " "
        status = _STATUS_TEXTS.get(item.status, item.status)
        line = (
            f"{used} {item.name:<{width}}  {item.role:<8}  {item.quantization:<7}"
            f"  {human_size(item.size) if item.size else '':>8}  {status}"
        )
        style = {"absent": "dim", "failed": "red", "damaged": "red", "changed": "red"}
        out.print(printable(line.rstrip()), style=style.get(item.status), soft_wrap=True)


def human_size(size: int) -> str:
    """Return a number of bytes in MB or GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 0.1):.1f} MB"


def _used_weights(known: Catalog, resolver: ModelResolver) -> Iterator[tuple[str, Weights]]:
    """Yield each role with the weights that are used for it."""
    for role in ROLES:
        name = resolver.select(role)
        if name and not is_address(name):
            try:
                yield role, known.locate(name, role)
            except (ModelNotFoundError, UsageError) as error:
                note(f"the settings name a {role} that cannot be used: {error}")


def _model_status(weights: Weights) -> ModelStatus:
    try:
        return weights_state(weights)
    except BackendError:
        return "damaged"


def _absent_entry(known: Manifest) -> ModelEntry:
    choice = choose_quantization(known, total_memory())
    return ModelEntry(
        known.name,
        known.role,
        choice.quantization,
        choice.size,
        "absent",
        repository=known.repository,
        licence=known.licence,
        parameters=known.parameters,
    )
