"""`mem config`."""

from typing import Annotated, Literal

from memcli.cli.completion.values import offer_settings
from memcli.cli.option_groups import ListOutputOptions
from memcli.cli.output.markdown_csv import print_listing
from memcli.cli.output.settings_view import (
    config_document,
    print_change,
    print_one_setting,
    print_settings,
)
from memcli.cli.parsing.parameters import Argument
from memcli.cli.settings_editor import edit_settings, list_settings, write_setting
from memcli.cli.typed_values import parse_text
from memcli.errors import UsageError

Action = Annotated[
    Literal["list", "get", "set", "unset", "edit"],
    Argument(
        metavar="[list|get|set|unset|edit]",
        show_default=False,
        help="List all settings (the default), print one, set one, remove one from the file, or"
        " open the file in an editor.",
    ),
]
Key = Annotated[
    str | None,
    Argument(
        parser=parse_text,
        metavar="[KEY]",
        show_default=False,
        autocompletion=offer_settings,
        help="Name of a setting, such as `models.embedder`.",
    ),
]
NewValues = Annotated[
    list[str] | None,
    Argument(
        parser=parse_text,
        metavar="[VALUE...]",
        show_default=False,
        help="New value, such as `bge-m3`; of `people.NAME` all names of that person.",
    ),
]


def config(
    action: Action = "list",
    key: Key = None,
    new_values: NewValues = None,
    *,
    output: ListOutputOptions,
) -> None:
    """Show every setting and its origin, or change one.

    A setting has a default; `config.toml` overrides it, a `MEM_*` variable overrides the file, and
    an option overrides both. When a setting is changed, comments and everything else in the file
    stay. `get` and `unset` also take a whole table, such as `people`. `mem config get` exits with
    status 3 if the setting has no value.

    `database` and `models_folder` are paths, and `gpu_layers` is a number or `auto`.

    `models.embedder`, `models.reranker`, `models.sifter`, `models.reader` and `models.chat` each
    name a model: by its name, its path, the address of its server, or `none`.

    `people.NAME` has the other names of a person, and `people.me` yours:
    `mem config set people.me "Mira Santos" mira`.

    `database.key_command` is a command that prints the key of an encrypted database, such as
    `pass show mem`; `database.key_file` is a file with the key, and `database.keyring true` takes
    it from the system keyring. The key itself is never in the settings.

    `servers.ADDRESS.key_env` is the variable with a server's key, and `servers.ADDRESS.key_file`
    the file with it. `servers.ADDRESS.scheme` is the word before the key in the header, by default
    `Bearer`. `servers.ADDRESS.context` is the number of tokens that the server allows.
    `servers.ADDRESS.redact` says whether secrets are masked in what is sent there: by default they
    are, unless the server is on this machine.
    """
    wanted = {"get": " KEY", "set": " KEY VALUE...", "unset": " KEY"}.get(action, "")
    if bool(wanted) != (key is not None) or (action == "set") != bool(new_values):
        raise UsageError(
            f"wrong arguments for `mem config {action}`", hint=f"`mem config {action}{wanted}`"
        )
    chosen = output.chosen_format()
    if action == "edit":
        edit_settings()
    elif action == "get":
        print_one_setting(key or "", as_json=chosen == "json")
    elif key is not None:
        write_setting(key, new_values or ())
        print_change(key, new_values or (), as_json=chosen == "json", quiet=output.quiet)
    else:
        listed = list_settings()
        print_listing(
            chosen,
            lambda: config_document(listed),
            lambda: config_document(listed)["values"],
            lambda: print_settings(listed),
        )
