"""Options that several commands of `mem models` share."""

from collections.abc import Iterable
from typing import Annotated

from memcli.cli.completion import values
from memcli.cli.json_output.store_documents import ModelsJson
from memcli.cli.models.inventory import list_entries, models_document
from memcli.cli.models.resolve import ModelResolver, load_catalog
from memcli.cli.parsing.parameters import Argument
from memcli.cli.typed_values import parse_text

RESTART = "the same command starts again from the beginning"


def named_models(names: Iterable[str]) -> ModelsJson:
    """Return the document of some models, as they are now."""
    wanted = set(names)
    entries = list_entries(load_catalog(), ModelResolver())
    return models_document([one for one in entries if one.name in wanted])


Names = Annotated[
    list[str] | None,
    Argument(
        metavar="[NAME...]",
        parser=parse_text,
        autocompletion=values.offer_models,
        show_default=False,
        help="Names of models.",
    ),
]
