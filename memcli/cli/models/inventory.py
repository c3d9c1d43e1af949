"""What `mem models list` shows: models on this machine, and those that could be."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from memcli.catalog import ROLES, Catalog, Manifest, ModelRole, Weights
from memcli.cli.json_output.store_documents import ModelJson, ModelsJson, ModelVerdictJson
from memcli.cli.models.open import House, is_address, record_place, state_of_weights
from memcli.cli.output.console import console, note, safe
from memcli.errors import BackendError, ModelNotFoundError, UsageError
from memcli.weights.recommend import choice, memory
from memcli.weights.record import State, Verdict, read_record

Standing = State | Literal["damaged", "absent", "served"]
_WORDS: dict[Standing, str] = {"absent": "not here"}


@dataclass(frozen=True, slots=True)
class Item:
    """A model, here or not."""

    name: str
    role: ModelRole
    quantization: str
    size: int  # bytes; of what is not here, roughly
    standing: Standing
    path: str = ""
    repository: str = ""
    licence: str = ""
    parameters: int = 0
    verdict: Verdict | None = None
    used_as: tuple[str, ...] = ()  # roles it plays now, unless an option says otherwise


def inventory(known: Catalog, house: House) -> list[Item]:
    """Return what is here, by role, and after it what could be fetched."""
    used = dict(_used(known, house))
    here = [item_of(weights, used) for weights in known.weights]
    outside = [item_of(weights, used) for weights in used.values() if weights not in known.weights]
    served = [
        Item(named, role, "", 0, "served", used_as=(role,))
        for role in ROLES
        if is_address(named := house.named.get(role, ""))
    ]
    names = {item.name for item in here}
    absent = [_absent(each) for name, each in known.manifests.items() if name not in names]
    order: dict[str, int] = {role: place for place, role in enumerate(ROLES)}
    return [
        *sorted([*here, *outside, *served], key=lambda item: (order[item.role], item.name)),
        *sorted(absent, key=lambda item: (order[item.role], item.name)),
    ]


def item_of(weights: Weights, used: dict[str, Weights] | None = None) -> Item:
    """Return what is to be shown of weights on this machine."""
    known, path = weights.manifest, weights.path
    record = read_record(record_place(weights))
    files = path.iterdir() if weights.is_torch else (path,)
    return Item(
        known.name,
        known.role,
        weights.quantization,
        sum(file.stat().st_size for file in files if file.is_file()),
        _standing(weights),
        path=str(path),
        repository=known.repository,
        licence=known.licence,
        parameters=known.parameters,
        verdict=record.verdict if record else None,
        used_as=tuple(role for role, one in (used or {}).items() if one.path == path),
    )


def models_document(items: Iterable[Item]) -> ModelsJson:
    """Return the document of `mem models list` and `mem models verify`."""
    return ModelsJson(schema="mem.models/1", models=[model_json(item) for item in items])


def model_json(item: Item) -> ModelJson:
    """Return one model of `mem models list`."""
    verdict = item.verdict
    return ModelJson(
        name=item.name,
        role=item.role,
        quantization=item.quantization or None,
        size=item.size or None,
        installed=item.standing not in ("absent", "served"),
        state=item.standing,
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


def print_inventory(items: Sequence[Item]) -> None:
    """Print models as a table; a star marks those in use."""
    out = console()
    width = max((len(item.name) for item in items), default=0)
    for item in items:
        used = "*" if item.used_as else " "
        standing = _WORDS.get(item.standing, item.standing)
        line = (
            f"{used} {item.name:<{width}}  {item.role:<8}  {item.quantization:<7}"
            f"  {told(item.size) if item.size else '':>8}  {standing}"
        )
        style = {"absent": "dim", "failed": "red", "damaged": "red", "changed": "red"}
        out.print(safe(line.rstrip()), style=style.get(item.standing), soft_wrap=True)


def told(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 0.1):.1f} MB"


def _used(known: Catalog, house: House) -> Iterator[tuple[str, Weights]]:
    """Yield which weights play which role."""
    for role in ROLES:
        named = house.chosen(role)
        if named and not is_address(named):
            try:
                yield role, known.locate(named, role)
            except (ModelNotFoundError, UsageError) as error:
                note(f"the settings name a {role} that cannot be used: {error}")


def _standing(weights: Weights) -> Standing:
    try:
        return state_of_weights(weights)
    except BackendError:
        return "damaged"


def _absent(known: Manifest) -> Item:
    wanted = choice(known, memory())
    return Item(
        known.name,
        known.role,
        wanted.quantization,
        wanted.size,
        "absent",
        repository=known.repository,
        licence=known.licence,
        parameters=known.parameters,
    )
