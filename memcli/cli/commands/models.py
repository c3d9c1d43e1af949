"""`mem models`: pull, verify, list and remove models."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from memcli.catalog import ROLES
from memcli.cli.completion import values
from memcli.cli.models.inventory import list_entries, model_json, models_document, print_inventory
from memcli.cli.models.maintain import (
    add_file,
    choose_models,
    confirm_download,
    print_verdicts,
    pull_model,
    remove_models,
    report_pulled,
    verify_installed,
    weights_named,
)
from memcli.cli.models.resolve import ModelResolver, load_catalog
from memcli.cli.options import Json, Jsonl, Quiet, words
from memcli.cli.output.console import print_json, print_jsonl
from memcli.cli.output.progress import bars, resumable
from memcli.errors import ExitCode
from memcli.settings import models_folder

RESTART = "the same command starts again from the beginning"

models = typer.Typer(
    name="models",
    help="Pull, verify, list and remove models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A GGUF file.")]
OptionalName = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        parser=words,
        autocompletion=values.offer_models_here,
        show_default=False,
        help="Name of a model.",
    ),
]
RequiredNames = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...",
        parser=words,
        autocompletion=values.offer_models_here,
        help="Names of models.",
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME...]",
        parser=words,
        autocompletion=values.offer_models,
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
        help="Quantization of the weights, such as `Q4_K_M` or `Q8_0`. By default the one that"
        " suits this machine's memory.",
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
KeepF16 = Annotated[bool, typer.Option("--keep-f16", help="Keep the F16 file that is quantized.")]
Update = Annotated[
    bool,
    typer.Option(
        "--update",
        help="Take the hub's current version, even if it differs from the one pulled first.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Pull without asking for confirmation.")]
Role = Annotated[
    str, typer.Option("--role", metavar="ROLE", help=f"Task of the model: {', '.join(ROLES)}.")
]
NewName = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        show_default=False,
        help="Name of the model. By default the name of the file.",
    ),
]
Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="NAME",
        show_default=False,
        help="Use this known model's prompt format. By default that of the role's default model.",
    ),
]


@models.command("list")
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


@models.command("pull")
def pull_models(
    names: Names = None,
    quantization: Quantization = None,
    backend: Backend = "llama",
    keep_f16: KeepF16 = False,
    update: Update = False,
    yes: Yes = False,
    quiet: Quiet = False,
) -> None:
    """Download models, convert, quantize and verify them.

    Without a name: the models that suit this machine, after showing their sizes and asking. An
    interrupted pull continues where it stopped. The hub is Hugging Face's, or the one that
    `HF_ENDPOINT` names.
    """
    known = load_catalog()
    selected = choose_models(known, names or [], quantization)
    if not names:
        confirm_download(selected, yes=yes)
    with (
        resumable("the same `mem models pull` continues where it stopped"),
        bars(quiet=quiet) as progress,
    ):
        for choice in selected:
            pulled = pull_model(choice, progress, backend=backend, keep_f16=keep_f16, update=update)
            if not quiet:
                report_pulled(pulled)


@models.command("verify")
def verify_models(
    names: Names = None, as_json: Json = False, as_jsonl: Jsonl = False, quiet: Quiet = False
) -> None:
    """Verify the checksum, header and scores of models again.

    Without a name: every model on this machine. Exits with status 7 if one does not pass.
    """
    with resumable(RESTART), bars(quiet=quiet or as_json or as_jsonl) as progress:
        items = [
            verify_installed(one, progress) for one in weights_named(load_catalog(), names or [])
        ]
    if as_json:
        print_json(models_document(items))
    elif as_jsonl:
        print_jsonl(map(model_json, items))
    else:
        print_verdicts(items, quiet=quiet)
    if any(item.status != "verified" for item in items):
        raise typer.Exit(ExitCode.BACKEND)


@models.command("add")
def add_model(
    file: File, role: Role, name: NewName = None, like: Like = None, quiet: Quiet = False
) -> None:
    """Verify a GGUF file of your own, and give it a name."""
    with resumable(RESTART), bars(quiet=quiet) as progress:
        added = add_file(file, role, name, like, load_catalog(), progress)
    if not quiet:
        typer.echo(f"{added.name}: {added.role}, verified")


@models.command("remove")
def remove_weights(names: RequiredNames) -> None:
    """Remove models from this machine.

    A file that was added with `mem models add` stays; only its name is removed.
    """
    remove_models(load_catalog(), names)


@models.command("path")
def print_path(name: OptionalName = None) -> None:
    """Print the path of a model's weights, or of the folder of all models."""
    typer.echo(weights_named(load_catalog(), [name])[0].path if name else models_folder())
