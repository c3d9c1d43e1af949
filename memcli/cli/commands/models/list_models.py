"""`mem models list`."""

from memcli.cli.models.inventory import (
    list_entries,
    model_json,
    models_document,
    print_inventory,
)
from memcli.cli.models.resolve import ModelResolver, load_catalog
from memcli.cli.options import Json, Jsonl
from memcli.cli.output.console import print_json, print_jsonl


def list_models(as_json: Json = False, as_jsonl: Jsonl = False) -> None:
    """List the models on this machine, and those that can be pulled.

    A star marks the models that are used without an option.
    """
    items = list_entries(load_catalog(), ModelResolver())
    if as_json:
        print_json(models_document(items))
    elif as_jsonl:
        print_jsonl(map(model_json, items))
    else:
        print_inventory(items)
