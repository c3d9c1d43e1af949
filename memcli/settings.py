"""The settings of a person, and the places where memcli keeps its files.

Defaults, `config.toml`, `MEM_*` variables and options: later ones override earlier ones. The file
is `~/.config/mem/config.toml` (macOS: `~/Library/Application Support/mem/config.toml`), or the one
that MEM_CONFIG names:

    [models]                    # each a name, a path, `none`, or the address of a served model
    embedder = "bge-m3"
    reranker = "http://localhost:8000/v1#memreranker-4b"

    [servers."http://localhost:8000/v1"]
    key_env = "VLLM_KEY"        # the variable that holds the key
    key_file = "~/.vllm-key"    # or the file that does
    scheme = "Bearer"           # the word before the key in the header
    context = 16384             # tokens, if the server allows fewer than the model
    redact = false              # sends secrets unmasked, as to servers on this machine

    [database]                  # where the key of an encrypted database is
    key_command = "pass show mem"  # prints it
    key_file = "~/.mem-key"     # holds it
    keyring = true              # the system keyring holds it

    [people]                    # the names of each person; `me` is yourself
    me = ["Mira Santos", "mira"]
    "Kaito Mori" = ["kaito", "+81 90 1234 5678"]
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs

from memcli.errors import InputError
from memcli.files import atomic_write
from memcli.lazy_dataclasses import dataclass, field
from memcli.typed_table import TypedTable, shorten_repr

MEMOS_URL = "https://memos.memtensor.cn/api/openmem/v1"
OWNER = "me"  # the key in [people] of the memory's owner, whom assistants call "user"
DEFAULT = "default"
NO_MODEL = "none"  # in place of a model's name: the stage is left out
VARIABLES = {  # settings that a variable overrides and the file does not hold
    "config": "MEM_CONFIG",
    "database": "MEM_DB",
    "models_folder": "MEM_MODELS",
    "gpu_layers": "MEM_GPU_LAYERS",
}
ROLES = ("embedder", "reranker", "sifter", "reader", "chat")


@dataclass(frozen=True, slots=True)
class Server:
    """The access to a server of models, its address aside. The file never holds the key itself."""

    key_env: str = ""  # name of a variable
    key_file: str = ""  # path
    scheme: str = "Bearer"  # word before the key in the header
    context: int | None = None  # tokens the server allows; None if as many as the model
    redact: bool | None = None  # whether secrets are masked; None if it is not on this machine


@dataclass(frozen=True, slots=True)
class KeySettings:
    """The places where the key of an encrypted database is. The file never holds the key itself."""

    key_command: str = ""  # prints it
    key_file: str = ""  # path
    keyring: bool = False  # of the system

    @property
    def has_source(self) -> bool:
        """True if any place is named."""
        return bool(self.key_command or self.key_file or self.keyring)


@dataclass(frozen=True, slots=True)
class Settings:
    """The contents of `config.toml` and of the environment."""

    models: Mapping[str, str] = field(default_factory=dict)  # by role
    servers: Mapping[str, Server] = field(default_factory=dict)  # by address
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names, by one of them
    database: KeySettings = KeySettings()

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names of the owner."""
        return self.people.get(OWNER, ())

    def names_of(self, name: str) -> tuple[str, ...]:
        """Return all names of a person, this one included, ignoring case."""
        for main_name, others in {OWNER: (), **self.people}.items():
            known = (main_name, *others, *(["user"] if main_name == OWNER else []))
            if name.casefold() in map(str.casefold, known):
                return known
        return (name,)

    @property
    def people_with_names(self) -> tuple[tuple[str, ...], ...]:
        """The names of each person who has several; `me` is a word of too many questions."""
        groups = ((main, *others) for main, others in self.people.items())
        return tuple(tuple(name for name in group if name != OWNER) for group in groups)

    def server_for(self, name: str) -> Server:
        """Return the access to the server of a model that is named `address#model`."""
        address = name.partition("#")[0].rstrip("/")
        memos = {memos_address(): Server(key_env="MEMOS_API_KEY", scheme="Token")}
        known = memos | {url.rstrip("/"): server for url, server in self.servers.items()}
        return known.get(address, Server())


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one setting and its origin."""

    key: str
    value: str  # empty if unset
    origin: str  # DEFAULT, the path of `config.toml`, or a variable


def load_settings() -> Settings:
    """Read `config.toml` and the environment.

    Raises:
        InputError: `config.toml` cannot be read, or holds a key or a value that is not allowed.
    """
    path = config_file()
    return _to_settings(_read(path), path)


def list_settings() -> list[Setting]:
    """Return every setting with its origin.

    Raises:
        InputError: see `load_settings`.
    """
    from dataclasses import fields

    path, current = config_file(), load_settings()
    in_file = _read(path).get("models", {})
    found = [
        _from_environment("config", "MEM_CONFIG", path),
        _from_environment("database", "MEM_DB", os.environ.get("MEM_DB") or database_path()),
        _from_environment("models_folder", "MEM_MODELS", models_folder()),
        _from_environment(
            "gpu_layers", "MEM_GPU_LAYERS", os.environ.get("MEM_GPU_LAYERS") or "auto"
        ),
    ]
    for role in ROLES:
        variable = f"MEM_{role.upper()}"
        origin = variable if os.environ.get(variable) else str(path) if role in in_file else DEFAULT
        found.append(Setting(f"models.{role}", current.models.get(role, ""), origin))
    for place in fields(KeySettings):
        value = getattr(current.database, place.name)
        origin = DEFAULT if value == place.default else str(path)
        text = "true" if value is True else value or ""
        found.append(Setting(f"database.{place.name}", text, origin))
    for address, server in current.servers.items():
        for one in fields(Server):
            value = getattr(server, one.name)
            origin = DEFAULT if value == one.default else str(path)
            text = (
                ""
                if value is None
                else str(value).lower()
                if value in (True, False)
                else str(value)
            )
            found.append(Setting(f"servers.{address}.{one.name}", text, origin))
    for name, others in current.people.items():
        found.append(Setting(f"people.{name}", ", ".join(others), str(path)))
    return found


def setting_values(key: str) -> list[str]:
    """Return the values of a setting: none if it is not set, several if it is a list.

    Raises:
        InputError: there is no such setting; or see `load_settings`.
    """
    if key.startswith("people."):
        return list(load_settings().people.get(key.partition(".")[2], ()))
    known = {setting.key: setting.value for setting in list_settings()}
    if key not in known:
        _split_key(key)
        if key.startswith("models."):
            roles = ", ".join(f"`models.{role}`" for role in ROLES)
            raise InputError(f"`{key}` is not a setting", hint=roles)
    return [known[key]] if known.get(key) else []


def write_setting(key: str, values: Sequence[str]) -> None:
    """Write a setting into `config.toml`, or remove it; everything else in the file stays.

    Args:
        key: `models.ROLE`, `database.FIELD`, `servers.ADDRESS.FIELD` or `people.NAME`.
        values: the value as a person types it, or the names of a person; none removes the setting.

    Raises:
        InputError: the file cannot be read or written; the setting does not exist; or it does not
            allow this value.
    """
    import tomlkit

    path = config_file().resolve()  # a link stays a link
    text = _read_text(path) or ""
    _parse(text, path)  # raises our own error before tomlkit raises its own
    document = tomlkit.parse(text)
    *tables, last = _split_key(key)
    table: Any = document  # tomlkit's containers have no common type
    parent: Any = document
    for name in tables:
        if name not in table:
            table[name] = tomlkit.table(is_super_table=name == "servers")
        parent, table = table, table[name]
        TypedTable(table, f"{path}: {name}")
    if tables == ["people"] and values:
        table[last] = list(values)
    elif len(values) > 1:
        raise InputError(f"`{key}` has one value, not {len(values)}", hint="put it in quotes")
    elif values:
        [value] = values
        table[last] = _typed_value(last, value)
    elif last in table:
        del table[last]
        if not table and len(tables) > 1:  # the last setting of a server
            del parent[tables[-1]]
    else:
        raise InputError(f"`{key}` is not set in {path}", hint="`mem config` lists the settings")
    changed = tomlkit.dumps(document)
    _to_settings(_parse(changed, path), path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {path.parent}: {error.strerror}") from error
    with atomic_write(path, InputError) as part:
        part.write_text(changed, "utf-8")


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises:
        InputError: the file is missing, cannot be read, or is no TOML; with the line.
    """
    text = _read_text(path)
    if text is None:
        raise InputError(f"no file at {path}")
    return _parse(text, path)


def memos_address() -> str:
    """Return the address of the Memos Rerank API: `MEMOS_BASE_URL`, or its makers' default."""
    return (os.environ.get("MEMOS_BASE_URL") or MEMOS_URL).rstrip("/")


def config_file() -> Path:
    """Return the path of the settings: `MEM_CONFIG`, or a file in the configuration folder."""
    path = os.environ.get("MEM_CONFIG")
    return Path(path) if path else Path(platformdirs.user_config_dir("mem")) / "config.toml"


def manifests_folder() -> Path:
    """Return the folder of the person's own manifests of models, beside `config.toml`."""
    return config_file().parent / "models"


def database_path() -> Path:
    """Return the path of the database that is used if no other one is named."""
    return Path(platformdirs.user_data_dir("mem")) / "mem.db"


def models_folder() -> Path:
    """Return the folder of model files: `MEM_MODELS`, or a folder beside the database."""
    path = os.environ.get("MEM_MODELS")
    return Path(path) if path else Path(platformdirs.user_data_dir("mem")) / "models"


def state_folder() -> Path:
    """Return the folder of facts about this machine that memcli can learn again."""
    return Path(platformdirs.user_state_dir("mem"))


def _split_key(key: str) -> tuple[str, ...]:
    """Return the names of a key; the address of a server has dots of its own."""
    first, _, rest = key.partition(".")
    if key in VARIABLES:
        raise InputError(f"`{key}` is set by a variable", hint=f"`export {VARIABLES[key]}=...`")
    if first == "people":
        parts: tuple[str, ...] = (first, rest)
    elif first != "servers":
        parts = (first, *rest.split(".")) if rest else (first,)
    else:
        address, _, last = rest.rpartition(".")
        parts = (first, address.strip("\"'"), last)
    if not all(parts) or len(parts) != (3 if first == "servers" else 2):
        known = ", ".join(f"`models.{role}`" for role in ROLES)
        raise InputError(
            f"`{key}` is not a setting",
            hint=f"{known}, `people.NAME`, `database.key_command` or `servers.ADDRESS.key_env`",
        )
    return parts


def _typed_value(name: str, value: str) -> str | int | bool:
    """Return the value of a setting as TOML has it, from the one that a person typed."""
    if name == "context" and value.isdecimal():
        return int(value)
    booleans = {"true": True, "false": False} if name in ("redact", "keyring") else {}
    return booleans.get(value, value)


def _from_environment(key: str, variable: str, value: object) -> Setting:
    return Setting(key, str(value), variable if os.environ.get(variable) else DEFAULT)


def _to_settings(content: dict[str, Any], path: Path) -> Settings:
    table = TypedTable(content, str(path))
    tables = map(table.get_table, ("models", "servers", "people", "database"))
    models, servers, people, database = tables
    table.reject_unknown_keys()
    return Settings(
        models=_models(models),
        servers={} if servers is None else {url: _server(servers, url) for url in servers.content},
        people={} if people is None else {name: _names(people, name) for name in people.content},
        database=_key_settings(database),
    )


def _models(table: TypedTable | None) -> dict[str, str]:
    """Return the models by role; a variable overrides the file."""
    found = {}
    for role in ROLES:
        in_file = table.get_optional(role, str) if table else None
        name = os.environ.get(f"MEM_{role.upper()}") or in_file
        if name is not None:
            found[role] = name
    if table:
        table.reject_unknown_keys()
    return found


def _server(servers: TypedTable, address: str) -> Server:
    table = servers.get_table(address)
    assert table, "an address of this very table"
    context = table.content.get("context")
    if context is not None and (type(context) is not int or context < 1):
        raise table.error(f"`context` is {shorten_repr(context)}, not a number of tokens")
    server = Server(
        key_env=table.get("key_env", str, ""),
        key_file=table.get("key_file", str, ""),
        scheme=table.get("scheme", str, Server().scheme),
        context=table.get_optional("context", int),
        redact=table.get_optional("redact", bool),
    )
    table.reject_unknown_keys()
    return server


def _key_settings(table: TypedTable | None) -> KeySettings:
    if table is None:
        return KeySettings()
    found = KeySettings(
        key_command=table.get("key_command", str, ""),
        key_file=table.get("key_file", str, ""),
        keyring=table.get("keyring", bool, False),
    )
    table.reject_unknown_keys()
    return found


def _names(people: TypedTable, name: str) -> tuple[str, ...]:
    names = people.content[name]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise people.error(f"`{name}` is {shorten_repr(names)}, not a list of texts")
    return tuple(names)


def _read(path: Path) -> dict[str, Any]:
    """Return the contents of the settings file; a missing one is empty unless it was named."""
    text = _read_text(path)
    if text is None and "MEM_CONFIG" in os.environ:
        raise InputError(f"no settings at {path}, which MEM_CONFIG names")
    return _parse(text or "", path)


def _read_text(path: Path) -> str | None:
    """Return the text of a file, None if there is no file."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number may have too many digits
        raise InputError(f"{path} is not valid TOML: {error}") from error
