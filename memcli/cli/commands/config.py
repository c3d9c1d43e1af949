"""`mem config`."""

from typing import Annotated, Literal

import typer

from memcli.cli.json_output.store_documents import ConfigJson, SettingJson
from memcli.cli.options import Json, parse_text
from memcli.cli.output.console import print_json
from memcli.cli.output.settings_view import print_settings
from memcli.errors import UsageError
from memcli.settings import config_file, list_settings, write_setting

Action = Annotated[
    Literal["list", "set", "unset"],
    typer.Argument(
        metavar="[list|set|unset]",
        show_default=False,
        help="List all settings (the default), set one, or remove one from the file.",
    ),
]
Key = Annotated[
    str | None,
    typer.Argument(
        parser=parse_text,
        metavar="[KEY]",
        show_default=False,
        help="Name of a setting, such as `models.embedder`.",
    ),
]
NewValue = Annotated[
    str | None,
    typer.Argument(
        parser=parse_text,
        metavar="[VALUE]",
        show_default=False,
        help="New value, such as `bge-m3`.",
    ),
]


def config(
    action: Action = "list", key: Key = None, value: NewValue = None, as_json: Json = False
) -> None:
    """Show every setting and its origin, or change one.

    A setting has a default; `config.toml` overrides it, a `MEM_*` variable overrides the file, and
    an option overrides both. When a setting is changed, comments and everything else in the file
    stay.

    `models.embedder`, `models.reranker`, `models.sifter`, `models.reader` and `models.chat` each
    name a model: by its name, its path, the address of its server, or `none`.

    `servers.ADDRESS.key_env` is the variable with a server's key, and `servers.ADDRESS.key_file`
    the file with it. `servers.ADDRESS.scheme` is the word before the key in the header, by default
    `Bearer`. `servers.ADDRESS.context` is the number of tokens that the server allows.
    """
    if (action != "list") != (key is not None) or (action == "set") != (value is not None):
        hint = "`mem config`, `mem config set KEY VALUE`, or `mem config unset KEY`"
        raise UsageError(f"wrong arguments for `mem config {action}`", hint=hint)
    if key is not None:
        write_setting(key, value)
    elif as_json:
        settings: list[SettingJson] = [
            {"key": one.key, "value": one.value, "from": one.origin} for one in list_settings()
        ]
        print_json(ConfigJson(schema="mem.config/1", file=str(config_file()), values=settings))
    else:
        print_settings(list_settings())
