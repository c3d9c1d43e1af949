"""Dataclasses whose `__init__` is compiled when the first object is made.

A command imports some ninety classes and makes objects of a third of them. The standard library
compiles six methods for each class, half a millisecond that every start of `mem` would wait for.
Here all but `__init__` are the same few functions for all classes. For the type checker, and for
everything that inspects fields, these are dataclasses; `memcli` uses no further parameters.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:

    def dataclass(cls: Any = None, *, frozen: bool = False, slots: bool = False) -> Any:
        """Make a class a dataclass, as the standard library's decorator of this name does."""
        if cls is None:
            return lambda each: _make(each, frozen=frozen, slots=slots)
        return _make(cls, frozen=frozen, slots=slots)

    def field(**options: Any) -> Any:
        """Return the description of a field, as the standard library's function does."""
        return _Field(options)

    def replace(instance: Any, /, **changes: Any) -> Any:
        """Return a copy of an object with other values of some fields."""
        described = type(instance).__lazy_fields__
        for name, each in described.items():
            if each.options.get("init", True):
                if name not in changes:
                    changes[name] = getattr(instance, name)
            elif name in changes:
                raise TypeError(f"{name} cannot be replaced: it is no argument of __init__")
        return type(instance)(**changes)


class _Field:
    """The options of one field, as `dataclasses.field` takes them."""

    __slots__ = ("options",)

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options


class _StandardFields:
    """The descriptor of the fields that `dataclasses.fields` reads; made when first read."""

    def __init__(self, *, frozen: bool) -> None:
        self.frozen = frozen

    def __get__(self, _instance: object, owner: Any) -> Any:
        twin = _standard_twin(owner, frozen=self.frozen)
        owner.__dataclass_fields__ = twin.__dataclass_fields__
        return twin.__dataclass_fields__


class _StandardParameters(_StandardFields):
    """The same for the parameters, which a dataclass reads of the classes that it inherits from."""

    def __get__(self, _instance: object, owner: Any) -> Any:
        return _standard_twin(owner, frozen=self.frozen).__dataclass_params__


def _standard_twin(owner: Any, *, frozen: bool) -> Any:
    """Return a dataclass of the standard library with the fields of a class."""
    import dataclasses

    kinds = _kinds(owner)
    specs = [
        (name, kinds[name], dataclasses.field(**each.options))
        for name, each in owner.__lazy_fields__.items()
    ]
    return dataclasses.make_dataclass(owner.__name__, specs, frozen=frozen)


def _kinds(owner: type) -> dict[str, Any]:
    """Return the annotations of a class and of those that it inherits from."""
    kinds: dict[str, Any] = {}
    for each in reversed(owner.__mro__[:-1]):
        kinds |= each.__annotations__
    return kinds


def _make(cls: Any, *, frozen: bool, slots: bool) -> Any:
    """Return a class with the methods of a dataclass; the same one, unless it gets slots."""
    own: dict[str, _Field] = {}
    for name, kind in cls.__annotations__.items():
        if getattr(kind, "__origin__", kind) is not ClassVar:
            given = cls.__dict__.get(name, _Field({}))
            own[name] = given if isinstance(given, _Field) else _Field({"default": given})
    described: dict[str, _Field] = {}
    for base in cls.__mro__[:0:-1]:
        described |= base.__dict__.get("__lazy_fields__", {})
    slot_names = tuple(name for name in own if name not in described)
    described |= own
    content = {name: each for name, each in cls.__dict__.items() if name not in own}
    methods = _methods(content, described, frozen=frozen)
    if slots:
        content.pop("__dict__", None)
        content.pop("__weakref__", None)
        made = type(cls)(cls.__name__, cls.__bases__, content | methods | {"__slots__": slot_names})
        made.__qualname__ = cls.__qualname__
    else:
        made = cls
        for name, method in methods.items():
            setattr(made, name, method)
        for name, each in own.items():
            if "default" in each.options:
                setattr(made, name, each.options["default"])
            elif name in made.__dict__:
                delattr(made, name)

    def __init__(self: Any, *args: Any, **values: Any) -> None:  # noqa: N807  # it becomes one
        made.__init__ = _compile_init(made, described, frozen=frozen, slots=slots)
        made.__init__(self, *args, **values)

    made.__init__ = __init__
    return made


def _methods(
    content: Mapping[str, Any], described: Mapping[str, _Field], *, frozen: bool
) -> dict[str, Any]:
    """Return the methods and attributes that a class gets beside `__init__`."""
    compared = [name for name, each in described.items() if each.options.get("compare", True)]
    methods: dict[str, Any] = {
        "__lazy_fields__": described,
        "__lazy_key__": staticmethod(_key_of(compared)),
        "__dataclass_fields__": _StandardFields(frozen=frozen),
        "__dataclass_params__": _StandardParameters(frozen=frozen),
        "__match_args__": tuple(name for name, each in described.items() if _is_argument(each)),
        "__hash__": _hash if frozen else None,
        "__repr__": _repr,
        "__eq__": _eq,
    }
    methods |= {name: content[name] for name in ("__repr__", "__eq__") if name in content}
    if content.get("__hash__"):
        methods["__hash__"] = content["__hash__"]
    if frozen:
        methods |= {"__setattr__": _refuse_change, "__delattr__": _refuse_change}
        methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    return methods


def _key_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function for the values of fields; for two or more, `attrgetter` is fastest."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _is_argument(described: _Field) -> bool:
    return bool(described.options.get("init", True))


def _compile_init(
    cls: Any, described: Mapping[str, _Field], *, frozen: bool, slots: bool
) -> Callable[..., None]:
    """Return the `__init__` of a class: an argument for each field, in their order."""
    names: dict[str, Any] = {"_none": object(), "_set": object.__setattr__}
    arguments, body = ["self"], []
    for name, each in described.items():
        value = _initial_value(name, each, arguments, names)
        if not value:
            continue
        if frozen and slots:
            names[f"_set_{name}"] = getattr(cls, name).__set__
            body.append(f"_set_{name}(self, {value})")
        else:
            body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n ".join(body or ["pass"])
    exec(f"def __init__({', '.join(arguments)}):\n {lines}", names)
    init: Any = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    return init  # type: ignore[no-any-return]  # it was made from text


def _initial_value(name: str, each: _Field, arguments: list[str], names: dict[str, Any]) -> str:
    """Return the expression for a field's first value, "" for none; add its argument and names."""
    value = name
    if factory := each.options.get("default_factory"):
        names[f"_make_{name}"] = factory
        value = f"_make_{name}()"
        if _is_argument(each):
            arguments.append(f"{name}=_none")
            value = f"{value} if {name} is _none else {name}"
    elif "default" in each.options:
        names[f"_default_{name}"] = each.options["default"]
        if _is_argument(each):
            arguments.append(f"{name}=_default_{name}")
        else:
            value = f"_default_{name}"
    elif _is_argument(each):
        arguments.append(name)
    else:
        return ""
    return value


def _repr(self: Any) -> str:
    shown = (
        f"{name}={getattr(self, name)!r}"
        for name, each in self.__lazy_fields__.items()
        if each.options.get("repr", True)
    )
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self.__lazy_key__(self) == self.__lazy_key__(other)


def _hash(self: Any) -> int:
    return hash(self.__lazy_key__(self))


def _refuse_change(_self: object, name: str, _value: object = None) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__lazy_fields__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__lazy_fields__, state, strict=True):
        object.__setattr__(self, name, value)
