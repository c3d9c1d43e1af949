"""The shape of what commands that look after models and the store print; see `schemas`."""

from typing import Annotated, Literal, TypedDict

from memcli.catalog import ModelRole
from memcli.cli.json_output.kinds import Count, Moment


class ModelVerdict(TypedDict):
    """How weights did when they were verified."""

    passed: bool
    at: Moment
    faults: Annotated[list[str], "What is wrong, one sentence each."]
    facts: Annotated[list[str], "What was measured."]


class Model(TypedDict):
    """A model, on this machine or not."""

    name: str
    role: ModelRole
    quantization: str | None
    size: Annotated[int | None, "Bytes; of what is not here, roughly."]
    installed: bool
    state: Annotated[
        str, "`verified`, `failed`, `changed`, `unverified`, `damaged`, `absent` or `served`."
    ]
    used_as: Annotated[list[str], "Roles it plays unless an option says otherwise."]
    path: str | None
    repository: str | None
    licence: str | None
    parameters: int | None
    verdict: ModelVerdict | None


class Models(TypedDict):
    """Models on this machine, and those that could be fetched."""

    schema: Literal["mem.models/1"]
    models: list[Model]


class Check(TypedDict):
    """What was looked at, and what was found."""

    name: str
    state: Literal["ok", "note", "fault"]
    told: str
    remedy: Annotated[str | None, "What to type, or to do."]


class Doctor(TypedDict):
    """How the memory is."""

    schema: Literal["mem.doctor/1"]
    well: Annotated[bool, "Whether there is no fault."]
    checks: list[Check]
    fixed: Annotated[list[str], "With `--fix`."]


class Indexed(TypedDict):
    """What was indexed."""

    schema: Literal["mem.index/1"]
    embedder: str
    sessions: Count
    vectors: Count


_From = TypedDict("_From", {"from": Annotated[str, "`default`, a file, or a variable."]})


class Setting(_From):
    """A setting, and where it comes from."""

    key: str
    value: str


class Config(TypedDict):
    """The settings."""

    schema: Literal["mem.config/1"]
    file: str
    values: list[Setting]


class Month(TypedDict):
    """Sessions of a source in a month."""

    month: Annotated[str | None, "As `2024-03`; null for those without a time."]
    source: str
    sessions: Count


class Person(TypedDict):
    """Who speaks."""

    name: str
    turns: Count


class Vectors(TypedDict):
    """Vectors of an embedder."""

    embedder: str
    dimensions: int
    count: Count
    serving: Annotated[bool, "Whether questions are put to them."]


class Stats(TypedDict):
    """What is in the database."""

    schema: Literal["mem.stats/1"]
    database: str
    size: Annotated[Count, "Bytes."]
    sessions: Count
    turns: Count
    words: Count
    revisions: Count
    memories: Count
    first: Moment | None
    last: Moment | None
    months: list[Month]
    people: list[Person]
    vectors: list[Vectors]
