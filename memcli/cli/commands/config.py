"""`mem config`."""

from typing import Annotated, Literal

import typer

from memcli.cli.json_output.store_documents import ConfigJson, SettingJson
from memcli.cli.options import Json, words
from memcli.cli.output.console import console, print_json, safe
from memcli.errors import UsageError
from memcli.settings import DEFAULT, Value, change, config_file, origins

Action = Annotated[
    Literal["list", "set", "unset"],
    typer.Argument(metavar="[list|set|unset]", show_default=False, help="What to do."),
]
Key = Annotated[
    str | None,
    typer.Argument(parser=words, metavar="[KEY]", show_default=False, help="`models.embedder`."),
]
NewValue = Annotated[
    str | None,
    typer.Argument(parser=words, metavar="[VALUE]", show_default=False, help="`bge-m3`."),
]


def config(
    action: Action = "list", key: Key = None, value: NewValue = None, as_json: Json = False
) -> None:
    """Show every setting and where it comes from, or write one.

    Defaults, then `config.toml`, then `MEM_*` variables, then options: the later goes before.
    Comments and all else in the file stay when a setting is written.

    `models.embedder`, `models.reranker`, `models.sifter`, `models.reader` and `models.chat` name
    a model each: by its name, its path, the address of its server, or `none`.

    `servers.ADDRESS.key_env` is the variable that holds a server's key, and
    `servers.ADDRESS.key_file` the file; `servers.ADDRESS.scheme` what the header says before it,
    by default `Bearer`; `servers.ADDRESS.context` how many tokens it allows.
    """
    if (action != "list") != (key is not None) or (action == "set") != (value is not None):
        hint = "`mem config`, `mem config set KEY VALUE`, or `mem config unset KEY`"
        raise UsageError(f"`mem config {action}` takes something else", hint=hint)
    if key is not None:
        change(key, value)
    elif as_json:
        settings: list[SettingJson] = [
            {"key": one.key, "value": one.value, "from": one.origin} for one in origins()
        ]
        print_json(ConfigJson(schema="mem.config/1", file=str(config_file()), values=settings))
    else:
        _print(origins())


def _print(values: list[Value]) -> None:
    from rich.text import Text

    out = console()
    width = max(len(one.key) for one in values)
    for one in values:
        style = "dim" if one.origin == DEFAULT else "green"
        line = Text.assemble(
            (f"{safe(one.key):<{width}}", "cyan"), "  ", safe(one.value) or "-",
            (f"  ({safe(one.origin)})", style),
        )  # fmt: skip
        out.print(line, soft_wrap=not out.is_terminal)
