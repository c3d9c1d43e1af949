"""From typed shapes to JSON Schema: TypedDicts whose keys are documented with Annotated."""

import json
from collections.abc import Iterator
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

JsonSchema = dict[str, Any]  # whatever JSON Schema holds

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
# What may become wider while every old document still means the same.
_GROWS = ("$defs", "properties", "items", "additionalProperties")


def schema_of(shape: type) -> JsonSchema:
    """Return the schema of documents of this shape.

    A string beside a type in Annotated is the description of the key, a pair of a word and a
    value more of its schema. Shapes inside it are in `$defs`, by their names. Keys that nobody
    named are allowed: later documents may have them.
    """
    inner = {each.__name__: _object(each) for each in parts(shape) if each is not shape}
    schema = {"$schema": DIALECT, "title": identity(shape), **_object(shape)}
    return {**schema, "$defs": inner} if inner else schema


def identity(shape: type) -> str:
    """Return what the key `schema` of such documents says, or the name of a shape without."""
    hint = keys(shape).get("schema")
    return str(get_args(hint)[0]) if hint else shape.__name__


def keys(shape: type) -> dict[str, Any]:  # types, of which Python knows no type
    """Return what is behind each key of a shape, without what Annotated says of it."""
    return {key: split(hint)[0] for key, hint in _hints(shape).items()}


def description(shape: type, key: str) -> str:
    """Return what is said of a key."""
    return str(split(_hints(shape)[key])[1].get("description", ""))


def told(kind: Any) -> str:
    """Return a type in the words of JSON: `list of string`, `Quote or null`."""
    origin, inner = get_origin(kind), tuple(split(each)[0] for each in get_args(kind))
    if kind is object:
        return "anything"
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f'"{each.value}"' for each in kind)
    if origin is Literal:
        return " or ".join(json.dumps(each) for each in inner)
    if origin is list:
        return f"list of {told(inner[0])}"
    if origin is dict:
        return f"object of {told(inner[1])}"
    if origin in (Union, UnionType):
        return " or ".join(map(told, inner))
    return str(kind.__name__)


def parts(shape: type) -> Iterator[type]:
    """Yield a shape and those inside it, each once, in the order in which they are met."""
    met: dict[type, None] = {}

    def meet(kind: Any) -> None:
        kind = split(kind)[0]
        if is_typeddict(kind):
            if kind not in met:
                met[kind] = None
                for each in keys(kind).values():
                    meet(each)
        else:
            for each in get_args(kind):
                meet(each)

    meet(shape)
    yield from met


def split(hint: Any) -> tuple[Any, JsonSchema]:
    """Return a type, and what Annotated says of it as JSON Schema."""
    if get_origin(hint) in (NotRequired, Required):
        [hint] = get_args(hint)
    if get_origin(hint) is not Annotated:
        return hint, {}
    kind, *said = get_args(hint)
    return kind, dict(("description", each) if isinstance(each, str) else each for each in said)


def lost(old: JsonSchema, new: JsonSchema, where: str = "") -> Iterator[str]:
    """Yield what a schema no longer promises of what it once did: keys are only ever added."""
    for key in old.get("required", ()):
        if key not in new.get("required", ()):
            yield f"{where}.{key}".lstrip(".")
    for word in ("type", "const", "$ref", "anyOf", "format"):
        if old.get(word) != new.get(word):
            yield f"{where or 'the document'}: its {word}"
    if not set(new.get("enum", ())) >= set(old.get("enum", ())):
        yield f"{where}: a value"
    for word in _GROWS:
        yield from _lost_inside(old, new, where, word)


def _lost_inside(old: JsonSchema, new: JsonSchema, where: str, word: str) -> Iterator[str]:
    before, now = old.get(word), new.get(word)
    if not isinstance(before, dict):
        return
    if not isinstance(now, dict):
        yield f"{where}: its {word}"
    elif word in ("items", "additionalProperties"):
        yield from lost(before, now, f"{where}[]")
    else:
        for key, inner in before.items():
            place = f"{where}.{key}".lstrip(".")
            yield from lost(inner, now[key], place) if key in now else [place]


def _object(shape: type) -> JsonSchema:
    return {
        "type": "object",
        "description": " ".join((shape.__doc__ or "").split()),
        "properties": {key: _schema(hint) for key, hint in _hints(shape).items()},
        "required": sorted(shape.__required_keys__),  # type: ignore[attr-defined]  # TypedDict's
    }


def _schema(hint: Any) -> JsonSchema:
    kind, told = split(hint)
    return {**_type(kind), **told}


def _type(kind: Any) -> JsonSchema:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is object:
        return {}
    if kind in _SIMPLE:
        return {"type": _SIMPLE[kind]}
    if is_typeddict(kind):
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    if origin is Literal:
        return {"const": inner[0]} if len(inner) == 1 else {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _schema(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(inner[1])}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(each) for each in inner]}
    raise TypeError(f"no JSON Schema for {kind}")


def _hints(shape: type) -> dict[str, Any]:
    return get_type_hints(shape, include_extras=True)
