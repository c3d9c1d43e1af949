"""The settings one by one: listed with their origins, written into the file, and edited there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memcli.cli.output.console import note
from memcli.errors import InputError, suggest_near
from memcli.files import atomic_write
from memcli.lazy_dataclasses import dataclass
from memcli.settings import (
    AUTO,
    DEFAULT,
    ROLES,
    TABLES,
    VARIABLES,
    KeySettings,
    Server,
    build_settings,
    config_file,
    database_path,
    load_settings,
    models_folder,
    parse_toml,
    read_settings_file,
    read_settings_text,
)
from memcli.typed_table import TypedTable

TEMPLATE = """\
# Settings of mem; `mem config` lists all of them.
#
# [models]                      # a name, a path, `none`, or the address of a served model
# reranker = "memreranker-4b"
#
# [database]                    # where the key of an encrypted database is
# key_command = "pass show mem"
#
# [people]                      # the names of each person; `me` is yourself
# me = ["Mira Santos", "mira"]
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one setting and its origin."""

    key: str
    value: str  # empty if unset
    origin: str  # DEFAULT, the path of `config.toml`, or a variable


def list_settings() -> list[Setting]:
    """Return every setting with its origin.

    Raises:
        InputError: see `load_settings`.
    """
    path, current = config_file(), load_settings()
    content = read_settings_file(path)
    layers = AUTO if current.gpu_layers is None else current.gpu_layers
    values = (database_path(), models_folder(), os.environ.get("MEM_GPU_LAYERS") or layers)
    origin = "MEM_CONFIG" if os.environ.get("MEM_CONFIG") else DEFAULT
    found = [Setting("config", str(path), origin)]
    for (key, variable), value in zip(VARIABLES.items(), values, strict=True):
        in_file = "path" in content.get(key, {}) if key == "database" else key in content
        origin = variable if os.environ.get(variable) else str(path) if in_file else DEFAULT
        found.append(Setting(key, str(value), origin))
    models = content.get("models", {})
    for role in ROLES:
        variable = f"MEM_{role.upper()}"
        origin = variable if os.environ.get(variable) else str(path) if role in models else DEFAULT
        found.append(Setting(f"models.{role}", current.models.get(role, ""), origin))
    tables: dict[str, KeySettings | Server] = {"database": current.database}
    tables |= {f"servers.{address}": server for address, server in current.servers.items()}
    for name, table in tables.items():
        for one in table.__match_args__:
            value = getattr(table, one)
            default = getattr(type(table)(), one)
            origin = DEFAULT if value == default else str(path)
            found.append(Setting(f"{name}.{one}", _typed_text(value, default), origin))
    for name, others in current.people.items():
        found.append(Setting(f"people.{name}", ", ".join(others), str(path)))
    return found


def _typed_text(value: str | int | None, default: str | int | None) -> str:
    """Return a value as a person types it; "" for none, and for a flag that is not set."""
    if isinstance(value, bool):
        return "" if value is default is False else str(value).lower()
    return str(value or "")


def setting_values(key: str) -> list[str]:
    """Return the values of a setting: none if it is not set, several if it is a list.

    A table, such as `models` or `people`, has lines `KEY = VALUE`.

    Raises:
        InputError: there is no such setting; or see `load_settings`.
    """
    if key.startswith("people."):
        return list(load_settings().people.get(key.partition(".")[2], ()))
    known = {setting.key: setting.value for setting in list_settings()}
    if key in known:
        return [known[key]] if known[key] else []
    if inside := [name for name in known if name.startswith(f"{key}.")]:
        return [f"{name} = {known[name]}" for name in inside if known[name]]
    if key in TABLES:
        return []
    first, _, _ = _split_key(key)[0].partition(".")
    if first not in TABLES:
        raise InputError(
            f"`{key}` is not a setting",
            hint=suggest_near(key, known, "`mem config` lists the settings"),
        )
    if key.startswith("models."):
        roles = ", ".join(f"`models.{role}`" for role in ROLES)
        raise InputError(f"`{key}` is not a setting", hint=roles)
    return []


def write_setting(key: str, values: Sequence[str]) -> None:
    """Write a setting into `config.toml`, or remove it; everything else in the file stays.

    Args:
        key: `database`, `models_folder`, `gpu_layers`, `models.ROLE`, `database.FIELD`,
            `servers.ADDRESS.FIELD` or `people.NAME`. All of a table, such as `people` or
            `servers.ADDRESS`, can be removed.
        values: the value as a person types it, or the names of a person; none removes the setting.

    Raises:
        InputError: the file cannot be read or written; the setting does not exist; or it does not
            allow this value.
    """
    import tomlkit

    path = config_file().resolve()  # a link stays a link
    text = read_settings_text(path) or ""
    parse_toml(text, path)  # raises our own error before tomlkit raises its own
    document = tomlkit.parse(text)
    *tables, last = _split_key(key) if values else _split_removed(key, document)
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
        table[last] = _typed_value(last, values[0])
    elif last in table:
        del table[last]
        if not table and len(tables) > 1:  # the last setting of a server
            del parent[tables[-1]]
    else:
        raise InputError(f"`{key}` is not set in {path}", hint="`mem config` lists the settings")
    changed = tomlkit.dumps(document)
    build_settings(parse_toml(changed, path), path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {path.parent}: {error.strerror}") from error
    with atomic_write(path, InputError) as part:
        part.write_text(changed, "utf-8")


def _typed_value(last: str, value: str) -> str | int | bool:
    """Return a value as the file holds it; paths are made absolute, to hold in every folder."""
    if last in ("context", "gpu_layers") and value.isdecimal():
        return int(value)
    if last in ("path", "models_folder"):
        return str(Path(value).expanduser().resolve())
    booleans = {"true": True, "false": False} if last in ("redact", "keyring") else {}
    return booleans.get(value, value)


def _split_key(key: str) -> tuple[str, ...]:
    """Return the names of a key; the address of a server has dots of its own."""
    first, _, rest = key.partition(".")
    if key in VARIABLES:
        return ("database", "path") if key == "database" else (key,)
    if key == "config":
        raise InputError("`config` is the file itself", hint="`export MEM_CONFIG=...`")
    if first == "people":
        parts: tuple[str, ...] = (first, rest)
    elif first != "servers":
        parts = (first, *rest.split(".")) if rest else (first,)
    else:
        address, _, last = rest.rpartition(".")
        parts = (first, address.strip("\"'"), last)
    if not all(parts) or len(parts) != (3 if first == "servers" else 2):
        known = ", ".join(f"`{one}`" for one in (*VARIABLES, *(f"models.{role}" for role in ROLES)))
        raise InputError(
            f"`{key}` is not a setting",
            hint=f"{known}, `people.NAME`, `database.key_command` or `servers.ADDRESS.key_env`",
        )
    return parts


def _split_removed(key: str, content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a key that is to be removed, which may be that of a whole table."""
    first, _, rest = key.partition(".")
    address = rest.strip("\"'")
    if key in TABLES and key != "database":
        return (key,)
    if first == "servers" and address in content.get("servers", {}):
        return (first, address)
    return _split_key(key)


def edit_settings() -> None:
    """Open the settings in `VISUAL`, `EDITOR` or `vi`, and check them afterwards.

    Raises:
        InputError: the editor cannot be started or fails, or the settings are wrong afterwards.
    """
    import shlex
    import subprocess

    path = config_file()
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(TEMPLATE, "utf-8")
        before = path.read_bytes()
        status = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
        changed = path.read_bytes() != before
    except (OSError, ValueError) as error:
        raise InputError(
            f"`{editor} {path}` failed: {error}", hint="`export EDITOR=nano`, or another editor"
        ) from error
    if status:
        raise InputError(f"`{editor} {path}` ended with status {status}")
    load_settings()  # raises an error that names the line
    note(f"{path}: {'changed' if changed else 'not changed'}")
