"""Classes of `memcli.lazy_dataclasses` behave as those of the standard library."""

import copy
import dataclasses
import pickle
from typing import ClassVar

import pytest

from memcli import lazy_dataclasses


def make(module, name):
    """Return a class with every kind of field that memcli uses."""

    @module.dataclass(frozen=True, slots=True)
    class Base:
        """A base."""

        number: int
        words: tuple[str, ...] = ()

    @module.dataclass(frozen=True, slots=True)
    class Whole(Base):
        """Every kind of field."""

        words: tuple[str, ...] = ("other",)
        kind: ClassVar[str] = "a class variable"
        found: list[int] = module.field(default_factory=list, compare=False)
        hidden: str = module.field(default="x", repr=False)
        schema: str = module.field(default="one", init=False)

    @module.dataclass(slots=True)
    class Draft:
        """A thing that changes."""

        text: str = ""
        parts: list[str] = module.field(default_factory=list)

        def __post_init__(self):
            self.text = self.text.strip()

    @module.dataclass
    class Plain:
        """A class without slots."""

        text: str
        size: int = 3
        left: int = module.field(default=7, init=False)

    made = {"Base": Base, "Whole": Whole, "Draft": Draft, "Plain": Plain}[name]
    made.__qualname__ = name
    return made


@pytest.fixture(params=["Base", "Whole", "Draft", "Plain"])
def pair(request):
    """Return a class of ours, and the same of the standard library."""
    return make(lazy_dataclasses, request.param), make(dataclasses, request.param)


ARGUMENTS = {
    "Base": [((1,), {}), ((), {"number": 2, "words": ("a",)})],
    "Whole": [((1,), {}), ((2, ("a",), [3]), {}), ((), {"number": 1, "hidden": "y"})],
    "Draft": [((), {}), ((" a ",), {"parts": ["b"]})],
    "Plain": [(("a",), {}), (("a", 4), {})],
}


def test_objects_are_alike(pair):
    ours, theirs = pair
    for arguments, named in ARGUMENTS[ours.__name__]:
        mine, other = ours(*arguments, **named), theirs(*arguments, **named)

        assert repr(mine) == repr(other)
        assert mine == ours(*arguments, **named)
        assert (mine == other, mine != other, mine == 1) == (False, True, False)
        assert ours.__match_args__ == theirs.__match_args__


def test_fields_are_seen_by_the_standard_library(pair):
    ours, theirs = pair

    for mine, other in zip(dataclasses.fields(ours), dataclasses.fields(theirs), strict=True):
        facts = ("name", "type", "init", "repr", "compare", "default_factory")
        assert [getattr(mine, fact) for fact in facts] == [getattr(other, fact) for fact in facts]
        assert (mine.default is dataclasses.MISSING) == (other.default is dataclasses.MISSING)
    assert dataclasses.is_dataclass(ours)


def test_what_is_compared_and_hashed():
    whole = make(lazy_dataclasses, "Whole")

    assert whole(1, found=[1]) == whole(1, found=[2])
    assert hash(whole(1, found=[1])) == hash(whole(1, found=[2]))
    assert whole(1, ("a",)) != whole(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(make(lazy_dataclasses, "Draft")())


def test_a_frozen_object_cannot_be_changed():
    one = make(lazy_dataclasses, "Whole")(1)

    with pytest.raises(dataclasses.FrozenInstanceError):
        one.number = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.number
    with pytest.raises((AttributeError, TypeError)):
        make(lazy_dataclasses, "Draft")().other = 1


def test_copies(pair):
    ours, _ = pair
    arguments, named = ARGUMENTS[ours.__name__][-1]
    one = ours(*arguments, **named)

    assert copy.deepcopy(one) == copy.copy(one) == one
    assert dataclasses.replace(one) == lazy_dataclasses.replace(one) == one
    assert dataclasses.asdict(one) == {
        each.name: getattr(one, each.name) for each in dataclasses.fields(one)
    }


def test_some_fields_are_replaced():
    whole = make(lazy_dataclasses, "Whole")

    changed = lazy_dataclasses.replace(whole(1, hidden="z"), number=5)

    assert (changed.number, changed.hidden) == (5, "z")
    with pytest.raises(TypeError, match="schema"):
        lazy_dataclasses.replace(whole(1), schema="two")
    with pytest.raises(TypeError, match="unexpected"):
        lazy_dataclasses.replace(whole(1), nothing=2)


@pytest.mark.parametrize("arguments", [(), (1, (), [], "", "one too many")])
def test_wrong_arguments_are_named(arguments):
    with pytest.raises(TypeError, match=r"Whole\.__init__\(\)"):
        make(lazy_dataclasses, "Whole")(*arguments)


def test_objects_travel_to_other_processes():
    from memcli.domain import Passage

    passage = Passage(1, 2)

    assert pickle.loads(pickle.dumps(passage)) == passage


def test_every_dataclass_of_the_package_is_lazy():
    import subprocess
    import sys

    code = (
        "import sys, memcli.cli.commands.search, memcli.cli.commands.ingest\n"
        "print('dataclasses' in sys.modules and any(\n"
        "    '__dataclass_params__' in vars(each) and not hasattr(each, '__lazy_fields__')\n"
        "    for name, module in sys.modules.items() if name.startswith('memcli')\n"
        "    for each in vars(module).values() if isinstance(each, type)))\n"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == (
        "False\n"
    )
