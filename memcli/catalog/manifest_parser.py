"""From a manifest's TOML to a `Manifest`; every key is checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memcli.catalog.manifest import (
    CHECKPOINT,
    ROLES,
    Artefact,
    Check,
    Embedding,
    Manifest,
    ModelRole,
    Pooling,
    PublishedFile,
    Shape,
)
from memcli.errors import InputError
from memcli.protocols import Sampling
from memcli.settings import read_toml
from memcli.typed_table import TypedTable

POOLINGS: Mapping[str, Pooling] = {"cls": "cls", "mean": "mean", "last": "last"}
PROMPT_FIELDS = {  # of each role; the words of the other roles are the same for every model
    "reranker": ("prefix", "body", "suffix", "instruction"),
    "sifter": ("message",),
}
# Of the weights themselves, and so of no other model, though it be spoken to in the same way.
_OF_THE_WEIGHTS = frozenset(
    "repository revision files gguf parameters licence shape special artefact file".split()
)


def read_manifests(*folders: Path) -> dict[str, Manifest]:
    """Return the models of these folders' manifests by name; a later folder goes before.

    Args:
        folders: of `*.toml` files; they need not exist.

    Raises:
        InputError: a manifest says something it should not; with file and key.
    """
    found: dict[str, Manifest] = {}
    known: dict[str, dict[str, Any]] = {}
    for folder in folders:
        read = {path: read_toml(path) for path in sorted(folder.glob("*.toml"))}
        filled: dict[str, dict[str, Any]] = {}
        # Those that are like another one of the same folder come after it.
        for path, content in sorted(read.items(), key=lambda one: "like" in one[1]):
            table = _filled(content, {**known, **filled}, str(path))
            model = manifest(table, str(path))
            filled[model.name], found[model.name] = table, model
        known |= filled
    return found


def manifest(found: Mapping[str, Any], where: str) -> Manifest:
    """Return the model that a table describes.

    Raises:
        InputError: a key is missing, unknown or of another type.
    """
    table = TypedTable(found, where)
    role = _role(table)
    model = Manifest(
        name=_name(table),
        role=role,
        context=table.get("context", int),
        repository=table.get("repository", str, ""),
        revision=table.get("revision", str, "main"),
        files=table.get_list("files", str) or CHECKPOINT,
        licence=table.get("licence", str, ""),
        parameters=table.get("parameters", int, 0),
        file=table.get("file", str, ""),
        prompt=_prompt(table, role),
        sampling=_sampling(table.get_table("sampling")),
        quantizations=table.get_mapping("quantizations", float),
        gguf=_published(table.get_table("gguf")),
        shape=_shape(table.get_table("shape")),
        special=table.get_list("special", str),
        embedding=_embedding(table, role),
        checks=tuple(_check(each) for each in table.get_tables("checks")),
        artefact=_artefact(table.get_table("artefact")),
    )
    table.reject_unknown_keys()
    return model


def _filled(
    content: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], where: str
) -> dict[str, Any]:
    """Return a manifest with what it takes from the one it is `like`; one table replaces another.

    A manifest that is like its own name changes single keys of ours. Another model takes over how
    it is spoken to, and nothing that is true of those weights alone, such as published scores.
    """
    if "like" not in content:
        return dict(content)
    named = content["like"]
    if named not in tables:
        raise InputError(f"{where}: `like` names {named!r}, which no manifest describes")
    taken = {key: value for key, value in tables[named].items() if key != "like"}
    if content.get("name") != named:
        taken = {key: value for key, value in taken.items() if key not in _OF_THE_WEIGHTS}
        taken["checks"] = [
            {key: value for key, value in check.items() if key != "scores"}
            for check in taken.get("checks", [])
        ]
    return {**taken, **{key: value for key, value in content.items() if key != "like"}}


def _name(table: TypedTable) -> str:
    name = table.get("name", str)
    if not name or name.startswith(".") or {"/", "\0", "#"} & set(name):
        raise table.error(f"`name` is {name!r}, which cannot begin a file's name")
    return name


def _role(table: TypedTable) -> ModelRole:
    named = table.get("role", str)
    for role in ROLES:
        if role == named:
            return role
    raise table.error(f"`role` is {named!r}, not one of {', '.join(ROLES)}")


def _prompt(table: TypedTable, role: ModelRole) -> dict[str, str]:
    expected = PROMPT_FIELDS.get(role, ())
    inner = table.get_table("prompt")
    if inner is None:
        if expected:
            raise table.error(f"a {role} needs [prompt] with {', '.join(expected)}")
        return {}
    prompt = {key: inner.get(key, str) for key in expected}
    inner.reject_unknown_keys()
    return prompt


def _sampling(table: TypedTable | None) -> Sampling:
    if table is None:
        return Sampling()
    usual = Sampling()
    sampling = Sampling(
        temperature=table.get("temperature", float, usual.temperature),
        top_p=table.get("top_p", float, usual.top_p),
        top_k=table.get("top_k", int, usual.top_k),
    )
    table.reject_unknown_keys()
    return sampling


def _published(table: TypedTable | None) -> dict[str, PublishedFile]:
    return (
        {} if table is None else {name: _file(inner) for name, inner in table.subtables().items()}
    )


def _file(table: TypedTable) -> PublishedFile:
    published = PublishedFile(
        repository=table.get("repository", str),
        revision=table.get("revision", str),
        file=table.get("file", str),
        sha256=table.get("sha256", str),
    )
    table.reject_unknown_keys()
    return published


def _shape(table: TypedTable | None) -> Shape:
    if table is None:
        return Shape()
    shape = Shape(
        architecture=table.get("architecture", str, ""),
        blocks=table.get_optional("blocks", int),
        dimensions=table.get_optional("dimensions", int),
        tied=table.get_optional("tied", bool),
    )
    table.reject_unknown_keys()
    return shape


def _embedding(table: TypedTable, role: ModelRole) -> Embedding | None:
    inner = table.get_table("embedding")
    if inner is None:
        if role == "embedder":
            raise table.error("an embedder needs [embedding] with pooling")
        return None
    pooling = inner.get("pooling", str)
    if pooling not in POOLINGS:
        raise inner.error(f"`pooling` is {pooling!r}, not one of {', '.join(POOLINGS)}")
    embedding = Embedding(
        pooling=POOLINGS[pooling],
        question_prefix=inner.get("question_prefix", str, ""),
        passage_prefix=inner.get("passage_prefix", str, ""),
    )
    inner.reject_unknown_keys()
    return embedding


def _check(table: TypedTable) -> Check:
    check = Check(
        question=table.get("question", str),
        passages=table.get_list("passages", str),
        scores=table.get_list("scores", float),
        apart=table.get("apart", float, 0.0),
    )
    table.reject_unknown_keys()
    if len(check.passages) < 2:
        raise table.error("`passages` has fewer than two")
    if check.scores and len(check.scores) != len(check.passages):
        raise table.error("`scores` has not one number a passage")
    return check


def _artefact(table: TypedTable | None) -> Artefact | None:
    if table is None:
        return None
    artefact = Artefact(url=table.get("url", str))
    table.reject_unknown_keys()
    return artefact
