"""`mem models`: fetch, verify, list and remove models."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from memcli.catalog import ROLES
from memcli.cli.completion import values
from memcli.cli.models.inventory import inventory, model_json, models_document, print_inventory
from memcli.cli.models.maintain import (
    add_file,
    choices,
    confirm,
    fetch_model,
    print_verdicts,
    remove_all,
    tell_pulled,
    verify_weights,
    weights_of,
)
from memcli.cli.models.open import House, catalog
from memcli.cli.options import Json, Jsonl, Quiet, words
from memcli.cli.output.console import print_json, print_jsonl
from memcli.cli.output.progress import bars, resumable
from memcli.errors import ExitCode
from memcli.settings import models_folder

ANEW = "the same command begins anew"

models = typer.Typer(
    name="models",
    help="Fetch, verify, list and remove models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A GGUF file.")]
MaybeName = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        parser=words,
        autocompletion=values.models_here,
        show_default=False,
        help="Name of a model.",
    ),
]
SomeNames = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...",
        parser=words,
        autocompletion=values.models_here,
        help="Names of models.",
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME...]",
        parser=words,
        autocompletion=values.models,
        show_default=False,
        help="Names of models.",
    ),
]
Quantization = Annotated[
    str | None,
    typer.Option(
        "--quant",
        metavar="KIND",
        show_default=False,
        help="How to write the weights, such as `Q4_K_M` or `Q8_0`. By default what suits this"
        " machine's memory.",
    ),
]
Backend = Annotated[
    Literal["llama", "torch"],
    typer.Option(
        "--backend",
        metavar="NAME",
        help="`llama` for a GGUF file, `torch` for the weights as published.",
    ),
]
KeepF16 = Annotated[
    bool, typer.Option("--keep-f16", help="Keep the F16 file that the weights are quantized from.")
]
Update = Annotated[
    bool,
    typer.Option("--update", help="Take what the hub has now, if it is not what it had first."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Role = Annotated[
    str, typer.Option("--role", metavar="ROLE", help=f"What it is to do: {', '.join(ROLES)}.")
]
NewName = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", show_default=False, help="What to call it; as the file if unsaid."
    ),
]
Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="NAME",
        show_default=False,
        help="The known model that it is spoken to like; by default the best known of its role.",
    ),
]


@models.command("list")
def list_models(as_json: Json = False, as_jsonl: Jsonl = False) -> None:
    """List the models here, and those that could be fetched.

    A star marks the models that are used unless an option says otherwise.
    """
    items = inventory(catalog(), House())
    if as_json:
        print_json(models_document(items))
    elif as_jsonl:
        print_jsonl(map(model_json, items))
    else:
        print_inventory(items)


@models.command()
def pull(
    names: Names = None,
    quantization: Quantization = None,
    backend: Backend = "llama",
    keep_f16: KeepF16 = False,
    update: Update = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Fetch models, convert, quantize and verify them.

    Without a name: the set that suits this machine, shown with its sizes and asked for first. A
    pull that was interrupted goes on where it stopped. The hub is Hugging Face's, or the one that
    `HF_ENDPOINT` names.
    """
    known = catalog()
    chosen = choices(known, names or [], quantization)
    if not names:
        confirm(chosen, yes=yes)
    with (
        resumable("`mem models pull` of the same goes on where it stopped"),
        bars(quiet=quiet) as progress,
    ):
        for one in chosen:
            pulled = fetch_model(one, progress, backend=backend, keep_f16=keep_f16, update=update)
            if not quiet:
                tell_pulled(pulled)


@models.command()
def verify(
    names: Names = None, as_json: Json = False, as_jsonl: Jsonl = False, quiet: Quiet = False
) -> None:
    """Check again a model's checksum, header and scores.

    Without a name: every model on this machine. Exits with status 7 when one does not pass.
    """
    with resumable(ANEW), bars(quiet=quiet or as_json or as_jsonl) as progress:
        items = [verify_weights(one, progress) for one in weights_of(catalog(), names or [])]
    if as_json:
        print_json(models_document(items))
    elif as_jsonl:
        print_jsonl(map(model_json, items))
    else:
        print_verdicts(items, quiet=quiet)
    if any(item.standing != "verified" for item in items):
        raise typer.Exit(ExitCode.BACKEND)


@models.command()
def add(
    file: File, role: Role, name: NewName = None, like: Like = None, quiet: Quiet = False
) -> None:
    """Give a GGUF file of your own a name, once it is verified."""
    with resumable(ANEW), bars(quiet=quiet) as progress:
        added = add_file(file, role, name, like, catalog(), progress)
    if not quiet:
        typer.echo(f"{added.name}: {added.role}, verified")


@models.command()
def remove(names: SomeNames) -> None:
    """Remove models from this machine.

    Of a file that was added only the name goes.
    """
    remove_all(catalog(), names)


@models.command()
def path(name: MaybeName = None) -> None:
    """Print where a model's weights are, or all of them."""
    typer.echo(weights_of(catalog(), [name])[0].path if name else models_folder())
