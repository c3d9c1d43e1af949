"""The settings as text."""

import sys
from collections.abc import Sequence

from memcli.cli.json_output.store_documents import ConfigJson, SettingJson
from memcli.cli.output.console import console, note, one_line, print_json
from memcli.cli.output.session_view import RenderStyle
from memcli.cli.settings_editor import Setting, list_settings, setting_values
from memcli.errors import EarlyExit, ExitCode
from memcli.settings import DEFAULT, config_file


def config_document(settings: Sequence[Setting]) -> ConfigJson:
    """Return the document of `mem config`."""
    listed: list[SettingJson] = [
        {"key": one.key, "value": one.value, "from": one.origin} for one in settings
    ]
    return ConfigJson(schema="mem.config/1", file=str(config_file()), values=listed)


def print_one_setting(key: str, *, as_json: bool) -> None:
    """Print the values of a setting, one per line.

    Raises:
        InputError: there is no such setting.
        EarlyExit: it has no value.
    """
    values = setting_values(key)
    if as_json:
        print_json(config_document([one for one in list_settings() if one.key == key]))
    for value in () if as_json else values:
        sys.stdout.write(f"{one_line(value)}\n")
    if not values:
        note(f"`{key}` is not set")
        raise EarlyExit(ExitCode.NOTHING_FOUND)


def print_change(key: str, values: Sequence[str], *, as_json: bool, quiet: bool) -> None:
    """Say which setting was changed, and where."""
    if as_json:
        print_json(config_document([one for one in list_settings() if one.key == key]))
    if as_json or quiet:
        return
    what = f"{key} = {', '.join(values)}" if values else f"{key} removed"
    sys.stdout.write(f"{one_line(what)}  ({one_line(str(config_file()))})\n")


def print_settings(settings: Sequence[Setting]) -> None:
    """Print settings, one per line, each with its value and its origin."""
    out = console()
    text_type = RenderStyle.of(out).text_type
    width = max(len(one_line(one.key)) for one in settings)
    for one in settings:
        origin = text_type(
            f"  ({one_line(one.origin)})", "dim" if one.origin == DEFAULT else "green"
        )
        line = text_type.assemble(
            (f"{one_line(one.key):<{width}}", "cyan"), "  ", one_line(one.value) or "-"
        )
        out.print(line.append_text(origin), soft_wrap=not out.is_terminal)
