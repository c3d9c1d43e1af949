"""Parsing of manifests: from TOML to a `Manifest`, every key checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memcli.catalog.manifest import (
    CHECKPOINT_FILES,
    ROLES,
    EmbeddingSettings,
    ExpectedHeader,
    Manifest,
    ModelRole,
    Pooling,
    PublishedFile,
    ReferenceRanking,
)
from memcli.errors import InputError
from memcli.protocols import DEFAULT_THOUGHT_TOKENS, Sampling
from memcli.settings import read_toml
from memcli.typed_table import TypedTable

POOLINGS: Mapping[str, Pooling] = {"cls": "cls", "mean": "mean", "last": "last"}
MOST_TOKENS = 1 << 24  # of a context, or a thought: no model has as many
PROMPT_FIELDS = {  # by role; the prompts of the other roles are the same for every model
    "reranker": ("prefix", "body", "suffix", "instruction"),
    "sifter": ("message",),
}
# Keys about the weights themselves, which a model that is like another one does not take over.
_WEIGHTS_KEYS = frozenset(
    "repository revision files gguf parameters licence shape special artefact file".split()
)


def read_manifests(*folders: Path) -> dict[str, Manifest]:
    """Return the manifests in these folders by name; a later folder overrides an earlier one.

    Args:
        folders: folders of `*.toml` files; they need not exist.

    Raises:
        InputError: a manifest is invalid; with file and key.
    """
    found: dict[str, Manifest] = {}
    known: dict[str, dict[str, Any]] = {}
    for folder in folders:
        contents = {path: read_toml(path) for path in sorted(folder.glob("*.toml"))}
        merged: dict[str, dict[str, Any]] = {}
        # A manifest that is like another one of the same folder comes after it.
        for path, content in sorted(contents.items(), key=lambda one: "like" in one[1]):
            table = _merge_like(content, {**known, **merged}, str(path))
            model = parse_manifest(table, str(path))
            merged[model.name], found[model.name] = table, model
        known |= merged
    return found


def parse_manifest(content: Mapping[str, Any], where: str) -> Manifest:
    """Return the manifest in a table.

    Raises:
        InputError: a key is missing, unknown or of another type.
    """
    table = TypedTable(content, where)
    role = _role(table)
    model = Manifest(
        name=_name(table),
        role=role,
        context=_tokens(table, "context", table.get("context", int)),
        repository=table.get("repository", str, ""),
        revision=table.get("revision", str, "main"),
        files=table.get_list("files", str) or CHECKPOINT_FILES,
        licence=table.get("licence", str, ""),
        parameters=table.get("parameters", int, 0),
        file=table.get("file", str, ""),
        prompt=_prompt(table, role),
        sampling=_sampling(table.get_table("sampling")),
        thought_tokens=_thought_tokens(table.get_table("generation")),
        sources=_sources(table),
        quantizations=table.get_mapping("quantizations", float),
        gguf=_published_files(table.get_table("gguf")),
        expected_header=_expected_header(table.get_table("shape")),
        special=table.get_list("special", str),
        embedding=_embedding(table, role),
        checks=tuple(_reference_ranking(each) for each in table.get_tables("checks")),
        wording_url=_wording_url(table.get_table("artefact")),
    )
    table.reject_unknown_keys()
    return model


def _merge_like(
    content: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], where: str
) -> dict[str, Any]:
    """Return a manifest with the keys that it takes from the one it is `like`, table by table.

    A manifest that is like its own name changes single keys of ours. Another model takes over the
    prompts, and nothing that is true of those weights alone, such as published scores.
    """
    if "like" not in content:
        return dict(content)
    like = content["like"]
    if like not in tables:
        raise InputError(f"{where}: `like` names {like!r}, which no manifest describes")
    taken = {key: value for key, value in tables[like].items() if key != "like"}
    if content.get("name") != like:
        taken = {key: value for key, value in taken.items() if key not in _WEIGHTS_KEYS}
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
    name = table.get("role", str)
    for role in ROLES:
        if role == name:
            return role
    raise table.error(f"`role` is {name!r}, not one of {', '.join(ROLES)}")


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
    default = Sampling()
    sampling = Sampling(
        temperature=table.get("temperature", float, default.temperature),
        top_p=table.get("top_p", float, default.top_p),
        top_k=table.get("top_k", int, default.top_k),
    )
    table.get("source", str, "")
    table.reject_unknown_keys()
    return sampling


def _thought_tokens(table: TypedTable | None) -> int:
    if table is None:
        return DEFAULT_THOUGHT_TOKENS
    tokens = table.get("thought_tokens", int, DEFAULT_THOUGHT_TOKENS)
    table.get("source", str, "")
    table.reject_unknown_keys()
    return _tokens(table, "thought_tokens", tokens)


def _tokens(table: TypedTable, key: str, count: int) -> int:
    """Return a number of tokens that a model may have."""
    if not 0 <= count <= MOST_TOKENS:
        raise table.error(f"`{key}` is {count:,}, not a number of tokens up to {MOST_TOKENS:,}")
    return count


def _sources(table: TypedTable) -> dict[str, str]:
    """Return where the settings of a manifest were published, by table."""
    tables = ((name, table.get_table(name)) for name in ("sampling", "generation"))
    return {name: inner.get("source", str, "") for name, inner in tables if inner}


def _published_files(table: TypedTable | None) -> dict[str, PublishedFile]:
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


def _expected_header(table: TypedTable | None) -> ExpectedHeader:
    if table is None:
        return ExpectedHeader()
    header = ExpectedHeader(
        architecture=table.get("architecture", str, ""),
        blocks=table.get_optional("blocks", int),
        dimensions=table.get_optional("dimensions", int),
        tied=table.get_optional("tied", bool),
    )
    table.reject_unknown_keys()
    return header


def _embedding(table: TypedTable, role: ModelRole) -> EmbeddingSettings | None:
    inner = table.get_table("embedding")
    if inner is None:
        if role == "embedder":
            raise table.error("an embedder needs [embedding] with pooling")
        return None
    pooling = inner.get("pooling", str)
    if pooling not in POOLINGS:
        raise inner.error(f"`pooling` is {pooling!r}, not one of {', '.join(POOLINGS)}")
    embedding = EmbeddingSettings(
        pooling=POOLINGS[pooling],
        question_prefix=inner.get("question_prefix", str, ""),
        passage_prefix=inner.get("passage_prefix", str, ""),
    )
    inner.reject_unknown_keys()
    return embedding


def _reference_ranking(table: TypedTable) -> ReferenceRanking:
    ranking = ReferenceRanking(
        question=table.get("question", str),
        passages=table.get_list("passages", str),
        scores=table.get_list("scores", float),
        min_gap=table.get("apart", float, 0.0),
    )
    table.reject_unknown_keys()
    if len(ranking.passages) < 2:
        raise table.error("`passages` has fewer than two entries")
    if ranking.scores and len(ranking.scores) != len(ranking.passages):
        raise table.error("`scores` needs one number for each passage")
    return ranking


def _wording_url(table: TypedTable | None) -> str:
    if table is None:
        return ""
    url = table.get("url", str)
    table.reject_unknown_keys()
    return url
