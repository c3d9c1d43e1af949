"""`mem people merge`."""

from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.option_groups import ResultOptions
from memcli.cli.output.settings_view import print_change
from memcli.cli.parsing.parameters import Argument
from memcli.cli.settings_editor import setting_values, write_setting
from memcli.cli.typed_values import parse_text
from memcli.settings import load_settings

MainName = Annotated[
    str,
    Argument(
        parser=parse_text,
        autocompletion=values.offer_speakers,
        metavar="NAME",
        help="The name that the person keeps; `me` is you.",
    ),
]
OtherNames = Annotated[
    list[str],
    Argument(
        parser=parse_text,
        autocompletion=values.offer_speakers,
        metavar="OTHER...",
        help="Further names of the same person, as `mem people` lists them.",
    ),
]


def merge_people(name: MainName, others: OtherNames, *, output: ResultOptions) -> None:
    """Record that several names are one person, in the settings.

    `--speaker` with any of the names then finds all of them. `mem config unset people.NAME` undoes
    it.
    """
    known = load_settings().names_of(name)
    main = known[0]
    key = f"people.{main}"
    given = [*setting_values(key), *([name] if name != main else []), *others]
    names = [one for one in dict.fromkeys(given) if one != main]
    write_setting(key, names)
    print_change(key, names, as_json=output.as_json, quiet=output.quiet)
