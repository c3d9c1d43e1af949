"""The settings of a person, and the places where memcli keeps its files.

Defaults, `config.toml`, `MEM_*` variables and options: later ones override earlier ones. The file
is `~/.config/mem/config.toml` (macOS: `~/Library/Application Support/mem/config.toml`), or the one
that MEM_CONFIG names:

    models_folder = "/data/models"  # or MEM_MODELS
    gpu_layers = 20             # or MEM_GPU_LAYERS, or `--gpu-layers`; "auto" for as many as fit

    [models]                    # each a name, a path, `none`, or the address of a served model
    embedder = "bge-m3"
    reranker = "http://localhost:8000/v1#memreranker-4b"

    [servers."http://localhost:8000/v1"]
    key_env = "VLLM_KEY"        # the variable that holds the key
    key_file = "~/.vllm-key"    # or the file that does
    scheme = "Bearer"           # the word before the key in the header
    context = 16384             # tokens, if the server allows fewer than the model
    redact = false              # sends secrets unmasked, as to servers on this machine

    [database]
    path = "/data/mem.db"       # or MEM_DB, or `--db`; the others say where its key is
    key_command = "pass show mem"  # prints it
    key_file = "~/.mem-key"     # holds it
    keyring = true              # the system keyring holds it

    [people]                    # the names of each person; `me` is yourself
    me = ["Mira Santos", "mira"]
    "Kaito Mori" = ["kaito", "+81 90 1234 5678"]
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from memcli.errors import InputError
from memcli.lazy_dataclasses import dataclass, field
from memcli.typed_table import TypedTable, shorten_repr

MEMOS_URL = "https://memos.memtensor.cn/api/openmem/v1"
OWNER = "me"  # the key in [people] of the memory's owner, whom assistants call "user"
LARGEST_TOML = 1 << 20  # bytes
# A key of many parts, for which the parser takes quadratic time.
_LONG_KEY = r"""(?:[\w"'-]{1,80}+[ \t]{0,9}+\.[ \t]{0,9}+){100}"""
DEFAULT = "default"
NO_MODEL = "none"  # in place of a model's name: the stage is left out
VARIABLES = {  # settings outside of tables, and the variables that override them
    "database": "MEM_DB",
    "models_folder": "MEM_MODELS",
    "gpu_layers": "MEM_GPU_LAYERS",
}
TABLES = ("models", "servers", "people", "database")
AUTO = "auto"  # as many layers on the GPU as fit
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
    database_file: Path | None = None
    models_folder: Path | None = None
    gpu_layers: int | None = None  # None for as many as fit
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


def load_settings() -> Settings:
    """Read `config.toml` and the environment.

    Raises:
        InputError: `config.toml` cannot be read, or holds a key or a value that is not allowed.
    """
    path = config_file()
    return build_settings(read_settings_file(path), path)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises:
        InputError: the file is missing, cannot be read, or is no TOML; with the line.
    """
    text = read_settings_text(path)
    if text is None:
        raise InputError(f"no file at {path}")
    return parse_toml(text, path)


def selected_gpu() -> int | None:
    """Return the number of the one GPU that models run on; None for all that there are.

    Raises:
        InputError: MEM_GPU is no number.
    """
    text = os.environ.get("MEM_GPU", "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise InputError(f"MEM_GPU is no number of a GPU: {text!r}", hint="they count from 0")
    return int(text) if text else None


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
    """Return the path of the database: `MEM_DB`, else that of the settings, else a default."""
    if path := os.environ.get("MEM_DB"):
        return Path(path)
    return load_settings().database_file or default_database()


def default_database() -> Path:
    """Return the path of the database that is used if none is named; its folder is memcli's."""
    return Path(platformdirs.user_data_dir("mem")) / "mem.db"


def models_folder() -> Path:
    """Return the folder of model files: `MEM_MODELS`, else that of the settings, else a default."""
    if path := os.environ.get("MEM_MODELS"):
        return Path(path)
    return load_settings().models_folder or Path(platformdirs.user_data_dir("mem")) / "models"


def state_folder() -> Path:
    """Return the folder of facts about this machine that memcli can learn again."""
    return Path(platformdirs.user_state_dir("mem"))


def build_settings(content: dict[str, Any], path: Path) -> Settings:
    """Return the settings that a file has, with the variables that override them.

    Raises:
        InputError: a key or a value is not allowed.
    """
    table = TypedTable(content, str(path))
    models, servers, people, database = map(table.get_table, TABLES)
    file = database.get_optional("path", str) if database else None
    folder = table.get_optional("models_folder", str)
    layers = content.get("gpu_layers", AUTO)
    if layers != AUTO and table.get("gpu_layers", int) < 0:
        raise table.error(f"`gpu_layers` is {layers}, not a number of layers")
    table.get_optional("gpu_layers", type(layers))
    table.reject_unknown_keys()
    return Settings(
        models=_models(models),
        servers={} if servers is None else {url: _server(servers, url) for url in servers.content},
        people={} if people is None else {name: _names(people, name) for name in people.content},
        database_file=Path(file).expanduser() if file else None,
        models_folder=Path(folder).expanduser() if folder else None,
        gpu_layers=None if layers == AUTO else layers,
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


def read_settings_file(path: Path) -> dict[str, Any]:
    """Return the contents of the settings file; a missing one is empty unless it was named."""
    text = read_settings_text(path)
    if text is None and "MEM_CONFIG" in os.environ:
        raise InputError(f"no settings at {path}, which MEM_CONFIG names")
    return parse_toml(text, path) if text else {}


def read_settings_text(path: Path) -> str | None:
    """Return the text of a file, None if there is no file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TOML + 1)
        if len(content) > LARGEST_TOML:
            raise InputError(f"{path} has more than {LARGEST_TOML:,} bytes")
        return content.decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the contents of a TOML file.

    Raises:
        InputError: it is no TOML; with the line.
    """
    if text.count(".") > 100 and re.search(_LONG_KEY, text):
        raise InputError(f"{path} is not valid TOML: a key has more than 100 parts")
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number may have too many digits
        raise InputError(f"{path} is not valid TOML: {error}") from error
