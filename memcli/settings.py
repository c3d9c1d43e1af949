"""What the person decided, and where memcli keeps things.

Defaults, then `config.toml`, then `MEM_*`, then options: the later goes before. The file is
`~/.config/mem/config.toml` (macOS: `~/Library/Application Support/mem/config.toml`), or the one
that MEM_CONFIG names:

    [models]                    # each a name, a path, `none`, or the address of a served model
    embedder = "bge-m3"
    reranker = "http://localhost:8000/v1#memreranker-4b"

    [servers."http://localhost:8000/v1"]
    key_env = "VLLM_KEY"        # the variable that holds its key
    key_file = "~/.vllm-key"    # or the file
    scheme = "Bearer"           # what the header says before the key
    context = 16384             # tokens, where it allows fewer than the model

    [people]                    # who is called what where; `me` is yourself
    me = ["Mira Santos", "mira"]
    "Kaito Mori" = ["kaito", "+81 90 1234 5678"]
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs

from memcli.errors import InputError
from memcli.files import private_file

MEMOS = "https://memos.memtensor.cn/api/openmem/v1"
OWNER = "me"  # among [people]: the person whose memory it is; assistants call them "user"
DEFAULT = "default"
NO_MODEL = "none"  # in place of a model: the stage is left out
ROLES = ("embedder", "reranker", "sifter", "reader", "chat")


@dataclass(frozen=True, slots=True)
class Server:
    """How a served model is reached, beside its address. A key itself is never in the file."""

    key_env: str = ""  # a variable
    key_file: str = ""  # a path
    scheme: str = "Bearer"  # before the key, in the header
    context: int | None = None  # tokens it allows; None is what the model allows


@dataclass(frozen=True, slots=True)
class Settings:
    """What `config.toml` and the environment say."""

    models: Mapping[str, str] = field(default_factory=dict)  # by role
    servers: Mapping[str, Server] = field(default_factory=dict)  # by address
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names, by one of them

    @property
    def own_names(self) -> tuple[str, ...]:
        """What the person is called."""
        return self.people.get(OWNER, ())

    def names(self, name: str) -> tuple[str, ...]:
        """Return all names of somebody, this one included; case is ignored."""
        for called, others in {OWNER: (), **self.people}.items():
            known = (called, *others, *(["user"] if called == OWNER else []))
            if name.casefold() in map(str.casefold, known):
                return known
        return (name,)

    def server(self, named: str) -> Server:
        """Return how the server of a model is reached, by `address#model`."""
        address = named.partition("#")[0].rstrip("/")
        memos = {memos_address(): Server(key_env="MEMOS_API_KEY", scheme="Token")}
        known = memos | {url.rstrip("/"): server for url, server in self.servers.items()}
        return known.get(address, Server())


@dataclass(frozen=True, slots=True)
class Value:
    """A setting, and where it comes from."""

    key: str
    value: str  # empty where there is none
    origin: str  # DEFAULT, the path of `config.toml`, or a variable


def settings() -> Settings:
    """Return what the person decided.

    Raises:
        InputError: `config.toml` cannot be read, or says something that nobody understands.
    """
    path = config_file()
    return _decided(_read(path), path)


def origins() -> list[Value]:
    """Return every setting, and where it comes from.

    Raises:
        InputError: as from `settings`.
    """
    path, decided = config_file(), settings()
    written = _read(path).get("models", {})
    found = [
        _place("config", "MEM_CONFIG", path),
        _place("database", "MEM_DB", os.environ.get("MEM_DB") or database_path()),
        _place("models_folder", "MEM_MODELS", models_folder()),
        _place("gpu_layers", "MEM_GPU_LAYERS", os.environ.get("MEM_GPU_LAYERS") or "auto"),
    ]
    for role in ROLES:
        variable = f"MEM_{role.upper()}"
        where = variable if os.environ.get(variable) else str(path) if role in written else DEFAULT
        found.append(Value(f"models.{role}", decided.models.get(role, ""), where))
    for address, server in decided.servers.items():
        for one in fields(Server):
            value, usual = getattr(server, one.name), one.default
            where = DEFAULT if value == usual else str(path)
            told = "" if value is None else str(value)
            found.append(Value(f"servers.{address}.{one.name}", told, where))
    return found


def change(key: str, value: str | None) -> None:
    """Write a setting into `config.toml`, or with None take it out; all else there stays.

    Args:
        key: `models.ROLE` or `servers.ADDRESS.FIELD`.
        value: as a person types it.

    Raises:
        InputError: the file cannot be read or written; there is no such setting; or the value is
            none that it can have.
    """
    import tomlkit

    path = config_file().resolve()  # a link stays one
    text = _text_of(path) or ""
    _parsed(text, path)  # tomlkit's own errors are not told as well
    document = tomlkit.parse(text)
    *tables, last = _parts(key)
    table: Any = document  # tomlkit's containers have no common type
    around: Any = document
    for name in tables:
        if name not in table:
            table[name] = tomlkit.table(is_super_table=name == "servers")
        around, table = table, table[name]
        _table(table, f"{path}: {name}")
    if value is not None:
        table[last] = int(value) if last == "context" and value.isdecimal() else value
    elif last in table:
        del table[last]
        if not table and len(tables) > 1:  # nothing more is said of a server
            del around[tables[-1]]
    else:
        raise InputError(f"`{key}` is not set in {path}", hint="`mem config` lists what is")
    changed = tomlkit.dumps(document)
    _decided(_parsed(changed, path), path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {path.parent}: {error.strerror}") from error
    with private_file(path, InputError) as part:
        part.write_text(changed, "utf-8")


def _parts(key: str) -> tuple[str, ...]:
    """Return the names of a key; an address has dots of its own."""
    first, _, rest = key.partition(".")
    if first != "servers":
        parts: tuple[str, ...] = (first, *rest.split(".")) if rest else (first,)
    else:
        address, _, last = rest.rpartition(".")
        parts = (first, address.strip("\"'"), last)
    if not all(parts) or len(parts) != (3 if first == "servers" else 2):
        known = ", ".join(f"`models.{role}`" for role in ROLES)
        raise InputError(f"`{key}` is no setting", hint=f"{known}, or `servers.ADDRESS.key_env`")
    return parts


def _place(key: str, variable: str, value: object) -> Value:
    return Value(key, str(value), variable if os.environ.get(variable) else DEFAULT)


def _decided(found: dict[str, Any], path: Path) -> Settings:
    _known(found, [each.name for each in fields(Settings)], str(path))
    models = _table(found.get("models", {}), f"{path}: [models]")
    _known(models, ROLES, f"{path}: [models]")
    named = {role: os.environ.get(f"MEM_{role.upper()}", "") for role in ROLES}
    servers = _table(found.get("servers", {}), f"{path}: [servers]")
    return Settings(
        models={
            **{role: _text(value, role, f"{path}: [models]") for role, value in models.items()},
            **{role: value for role, value in named.items() if value},
        },
        servers={url: _server(value, f"{path}: [servers.{url}]") for url, value in servers.items()},
        people={
            called: _texts(value, called, f"{path}: [people]")
            for called, value in _table(found.get("people", {}), f"{path}: [people]").items()
        },
    )


def memos_address() -> str:
    """Return where the Memos Rerank API is: `MEMOS_BASE_URL`, or what its makers say."""
    return (os.environ.get("MEMOS_BASE_URL") or MEMOS).rstrip("/")


def config_file() -> Path:
    """Return where the settings are: `MEM_CONFIG`, or in the configuration folder."""
    named = os.environ.get("MEM_CONFIG")
    return Path(named) if named else _config_folder() / "config.toml"


def manifests_folder() -> Path:
    """Return where the person's own manifests of models are: beside `config.toml`."""
    return config_file().parent / "models"


def database_path() -> Path:
    """Return where the database is, unless the person names another file."""
    return Path(platformdirs.user_data_dir("mem")) / "mem.db"


def models_folder() -> Path:
    """Return where model files are: `MEM_MODELS`, or a folder beside the database."""
    named = os.environ.get("MEM_MODELS")
    return Path(named) if named else Path(platformdirs.user_data_dir("mem")) / "models"


def state_folder() -> Path:
    """Return where is kept what memcli learned about this machine; losing it costs only time."""
    return Path(platformdirs.user_state_dir("mem"))


def _config_folder() -> Path:
    return Path(platformdirs.user_config_dir("mem"))


def _read(path: Path) -> dict[str, Any]:
    """Return what the file holds; nothing where it is not there, unless it was named."""
    text = _text_of(path)
    if text is None and "MEM_CONFIG" in os.environ:
        raise InputError(f"no settings at {path}, which MEM_CONFIG names")
    return _parsed(text or "", path)


def _text_of(path: Path) -> str | None:
    """Return a file's text, None where there is no file."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}") from error


def _server(found: object, where: str) -> Server:
    table = dict(_table(found, where))
    _known(table, [each.name for each in fields(Server)], where)
    context = table.pop("context", None)
    if context is not None and (type(context) is not int or context < 1):
        raise InputError(f"{where}: `context` is {context!r}, not a number of tokens")
    texts = {key: _text(value, key, where) for key, value in table.items()}
    return Server(**texts, context=context)


def _known(found: Mapping[str, Any], known: tuple[str, ...] | list[str], where: str) -> None:
    for key in found:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean `{near[0]}`" if near else f"known: {', '.join(known)}"
            raise InputError(f"{where}: nothing is called `{key}`", hint=hint)


def _table(found: object, where: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise InputError(f"{where} is {found!r}, not a table")
    return found


def _text(found: object, key: str, where: str) -> str:
    if not isinstance(found, str):
        raise InputError(f"{where}: `{key}` is {found!r}, not a text")
    return found


def _texts(found: object, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InputError(f"{where}: `{key}` is {found!r}, not a list of texts")
    return tuple(found)
