"""`mem models list`."""

from memcli.cli.models.inventory import (
    list_entries,
    model_json,
    models_document,
    print_inventory,
)
from memcli.cli.models.resolve import ModelResolver, load_catalog
from memcli.cli.option_groups import ListOutputOptions
from memcli.cli.output.markdown_csv import print_listing


def list_models(output: ListOutputOptions) -> None:
    """List the models on this machine, and those that can be pulled.

    A star marks the models that are used without an option.
    """
    items = list_entries(load_catalog(), ModelResolver())
    print_listing(
        output.chosen_format(),
        lambda: models_document(items),
        lambda: map(model_json, items),
        lambda: print_inventory(items),
    )
