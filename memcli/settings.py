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

MEMOS = "https://memos.memtensor.cn/api/openmem/v1"
OWNER = "me"  # among [people]: the person whose memory it is; assistants call them "user"
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


def settings() -> Settings:
    """Return what the person decided.

    Raises:
        InputError: `config.toml` cannot be read, or says something that nobody understands.
    """
    path = config_file()
    found = _read(path)
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
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        if "MEM_CONFIG" not in os.environ:
            return {}
        raise InputError(f"no settings at {path}, which MEM_CONFIG names") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error
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
