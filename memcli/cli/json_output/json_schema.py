"""JSON Schemas of documents: TypedDicts and frozen dataclasses, their keys documented by Annotated.

Not pydantic's: its schemas name, order and reference in ways that differ from the recorded ones,
and the descriptions here are plain strings, so that no command imports a library to define them.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from memcli.cli.json_output.serialize import is_optional, json_key

JsonSchema = dict[str, Any]  # Any: as JSON Schema has it

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
# Keywords whose contents may grow while every old document keeps its meaning.
_GROWS = ("$defs", "properties", "items", "additionalProperties")


def document_schema(document: type) -> JsonSchema:
    """Return the schema of a document.

    A string beside a type in Annotated is the description of the key; a pair of a keyword and a
    value adds to its schema, and with the keyword `type` replaces the type's own. Types inside the
    document are in `$defs`, by their names. Unknown keys are allowed: later documents may have
    them.
    """
    inner = {
        object_name(each): _object_schema(each)
        for each in object_types(document)
        if each is not document
    }
    schema = {"$schema": DIALECT, "title": document_title(document), **_object_schema(document)}
    return {**schema, "$defs": inner} if inner else schema


def document_title(document: type) -> str:
    """Return the value of the key `schema`; the name of a type that has no such key."""
    hint = key_types(document).get("schema")
    return str(get_args(hint)[0]) if hint else object_name(document)


def object_name(kind: type) -> str:
    """Return the name of a type in schemas and manual: `TurnJson` is `Turn` there."""
    return kind.__name__.removesuffix("Json")


def key_types(kind: type) -> dict[str, Any]:  # Any: a type expression
    """Return the type of each key of an object, without its annotations."""
    return {key: _split_annotation(hint)[0] for key, hint in _key_hints(kind).items()}


def key_description(kind: type, key: str) -> str:
    """Return the description of a key, or an empty string."""
    return str(_split_annotation(_key_hints(kind)[key])[1].get("description", ""))


def required_keys(kind: type) -> frozenset[str]:
    """Return the keys that every such object has."""
    if is_dataclass(kind):
        return frozenset(json_key(one.name) for one in fields(kind) if not is_optional(one))
    required: frozenset[str] = kind.__required_keys__  # type: ignore[attr-defined]  # TypedDict's
    return required


def type_in_words(kind: Any) -> str:
    """Return a type in the words of JSON: `list of string`, `Quote or null`."""
    origin, inner = get_origin(kind), tuple(_split_annotation(each)[0] for each in get_args(kind))
    if kind is object:
        return "anything"
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f'"{each.value}"' for each in kind)
    if origin is Literal:
        return " or ".join(json.dumps(each) for each in inner)
    if origin in (list, tuple):
        return f"list of {type_in_words(inner[0])}"
    if origin is dict:
        return f"object of {type_in_words(inner[1])}"
    if origin in (Union, UnionType):
        return " or ".join(map(type_in_words, inner))
    return object_name(kind)


def object_types(document: type) -> Iterator[type]:
    """Yield a document's type and the object types inside it, each once, in order of first use."""
    seen: dict[type, None] = {}

    def visit(kind: Any) -> None:
        kind = _split_annotation(kind)[0]
        if _is_object(kind):
            if kind not in seen:
                seen[kind] = None
                for each in key_types(kind).values():
                    visit(each)
        else:
            for each in get_args(kind):
                visit(each)

    visit(document)
    yield from seen


def removed_guarantees(old: JsonSchema, new: JsonSchema, where: str = "") -> Iterator[str]:
    """Yield the guarantees of an old schema that a new one lacks: keys are only ever added."""
    for key in old.get("required", ()):
        if key not in new.get("required", ()):
            yield f"{where}.{key}".lstrip(".")
    for word in ("type", "const", "$ref", "anyOf", "format"):
        if old.get(word) != new.get(word):
            yield f"{where or 'the document'}: its {word}"
    if not set(new.get("enum", ())) >= set(old.get("enum", ())):
        yield f"{where}: a value"
    for word in _GROWS:
        yield from _removed_inside(old, new, where, word)


def _removed_inside(old: JsonSchema, new: JsonSchema, where: str, word: str) -> Iterator[str]:
    before, now = old.get(word), new.get(word)
    if not isinstance(before, dict):
        return
    if not isinstance(now, dict):
        yield f"{where}: its {word}"
    elif word in ("items", "additionalProperties"):
        yield from removed_guarantees(before, now, f"{where}[]")
    else:
        for key, inner in before.items():
            place = f"{where}.{key}".lstrip(".")
            yield from removed_guarantees(inner, now[key], place) if key in now else [place]


def _is_object(kind: Any) -> bool:
    return is_typeddict(kind) or (isinstance(kind, type) and is_dataclass(kind))


def _object_schema(kind: type) -> JsonSchema:
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "properties": {key: _value_schema(hint) for key, hint in _key_hints(kind).items()},
        "required": sorted(required_keys(kind)),
    }


def _value_schema(hint: Any) -> JsonSchema:
    kind, annotations = _split_annotation(hint)
    return annotations if "type" in annotations else {**_type_schema(kind), **annotations}


def _type_schema(kind: Any) -> JsonSchema:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is object:
        return {}
    if kind in _SIMPLE:
        return {"type": _SIMPLE[kind]}
    if _is_object(kind):
        return {"$ref": f"#/$defs/{object_name(kind)}"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    if origin is Literal:
        return {"const": inner[0]} if len(inner) == 1 else {"enum": list(inner)}
    if origin in (list, tuple):
        return {"type": "array", "items": _value_schema(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _value_schema(inner[1])}
    if origin in (Union, UnionType):
        return {"anyOf": [_value_schema(each) for each in inner]}
    raise TypeError(f"no JSON Schema for {kind}")


def _split_annotation(hint: Any) -> tuple[Any, JsonSchema]:
    """Return a type, and its annotations as JSON Schema."""
    if get_origin(hint) in (NotRequired, Required):
        [hint] = get_args(hint)
    if get_origin(hint) is not Annotated:
        return hint, {}
    kind, *annotations = get_args(hint)
    pairs = (("description", one) if isinstance(one, str) else one for one in annotations)
    return kind, dict(pairs)


def _key_hints(kind: type) -> dict[str, Any]:
    """Return the type of each key with its annotations; of an optional key without None."""
    hints = get_type_hints(kind, include_extras=True)
    if not is_dataclass(kind):
        return hints
    return {
        json_key(one.name): _without_none(hints[one.name]) if is_optional(one) else hints[one.name]
        for one in fields(kind)
    }


def _without_none(hint: Any) -> Any:
    """Return the type beside None: `Annotated[X, "..."]` of `Annotated[X, "..."] | None`."""
    [kind] = [each for each in get_args(hint) if each is not NoneType]
    return kind
