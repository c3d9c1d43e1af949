"""Frozen dataclasses as JSON: the result of a command is printed as it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import Field


def serialize_value(value: Any) -> Any:  # Any: JSON has no type in Python
    """Return a value as JSON: dataclasses become objects with a key for each field.

    A field with the default None is an optional key, and left out where it is None; its type is
    written `Annotated[X, "..."] | None`. One underscore at the end of a field's name is not part
    of its key: `import_` is `import`.
    """
    if hasattr(type(value), "__dataclass_fields__"):
        from dataclasses import fields

        found = {one: getattr(value, one.name) for one in fields(value)}
        return {
            json_key(one.name): serialize_value(inner)
            for one, inner in found.items()
            if not (inner is None and is_optional(one))
        }
    if isinstance(value, Mapping):
        return {key: serialize_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [serialize_value(inner) for inner in value]
    return value


def json_key(name: str) -> str:
    """Return the key of a field: its name without an underscore at its end."""
    return name.removesuffix("_")


def is_optional(field: "Field[Any]") -> bool:
    """Return whether a field's key is left out where its value is None."""
    return field.default is None
