"""Documents of the commands that care for the store, the settings and the models."""

from typing import Annotated, Literal, TypedDict

from memcli.catalog import ModelRole
from memcli.cli.json_output.value_kinds import Count, Moment


class ModelVerdictJson(TypedDict):
    """The result of verifying weights."""

    passed: bool
    at: Moment
    faults: Annotated[list[str], "Faults, one sentence each."]
    facts: Annotated[list[str], "Measurements, one sentence each."]


class ModelJson(TypedDict):
    """A model, on this machine or not."""

    name: str
    role: ModelRole
    quantization: str | None
    size: Annotated[int | None, "Bytes; an estimate for a model that is not installed."]
    installed: bool
    state: Annotated[
        str, "`verified`, `failed`, `changed`, `unverified`, `damaged`, `absent` or `served`."
    ]
    used_as: Annotated[list[str], "Roles it plays unless an option says otherwise."]
    path: str | None
    repository: str | None
    licence: str | None
    parameters: int | None
    verdict: ModelVerdictJson | None


class ModelsJson(TypedDict):
    """Models on this machine, and those that could be downloaded."""

    schema: Literal["mem.models/1"]
    models: list[ModelJson]


class CheckJson(TypedDict):
    """A check of `mem doctor`, and its result."""

    name: str
    state: Literal["ok", "note", "fault"]
    told: str
    remedy: Annotated[str | None, "The command to type, or the thing to do."]


class DoctorJson(TypedDict):
    """The state of the database, its index, the models and the settings."""

    schema: Literal["mem.doctor/1"]
    well: Annotated[bool, "True if there is no fault."]
    checks: list[CheckJson]
    fixed: Annotated[list[str], "With `--fix`."]
    secrets: Annotated[dict[str, int] | None, "Their number by kind, with `--secrets`."]


class BackupJson(TypedDict):
    """A copy of the database."""

    schema: Literal["mem.backup/1"]
    path: str
    size: Annotated[int, "Bytes."]
    verified: Annotated[bool, "True if the copy was opened and checked: `--verify`."]


class IndexedJson(TypedDict):
    """Counts of what was indexed."""

    schema: Literal["mem.index/1"]
    embedder: str
    sessions: Count
    vectors: Count


# `from` is a keyword of Python, so that this key cannot be written in a class.
_FromJson = TypedDict("_FromJson", {"from": Annotated[str, "`default`, a file, or a variable."]})


class SettingJson(_FromJson):
    """A setting, and where it comes from."""

    key: str
    value: str


class ConfigJson(TypedDict):
    """The settings."""

    schema: Literal["mem.config/1"]
    file: str
    values: list[SettingJson]


class MonthJson(TypedDict):
    """Sessions of a source in a month."""

    month: Annotated[str | None, "As `2024-03`; null for those without a time."]
    source: str
    sessions: Count


class PersonJson(TypedDict):
    """A speaker."""

    name: str
    turns: Count


class VectorsJson(TypedDict):
    """Vectors of an embedder."""

    embedder: str
    dimensions: int
    count: Count
    serving: Annotated[bool, "True if questions are compared with them."]


class StatsJson(TypedDict):
    """Counts of what is in the database."""

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
    months: list[MonthJson]
    people: list[PersonJson]
    vectors: list[VectorsJson]
