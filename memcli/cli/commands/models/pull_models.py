"""`mem models pull`."""

from typing import Annotated, Literal

from memcli.cli.commands.models.model_options import Names, named_models
from memcli.cli.models.maintain import (
    announce_models,
    announce_originals,
    choose_models,
    confirm_download,
    drop_cached_originals,
    pull_model,
    report_pulled,
    require_local_models,
)
from memcli.cli.models.resolve import load_catalog
from memcli.cli.option_groups import ResultOptions
from memcli.cli.output.console import print_json
from memcli.cli.output.progress import progress_bars, resume_hint
from memcli.cli.parsing.parameters import Option

Quantization = Annotated[
    str | None,
    Option(
        "--quant",
        metavar="KIND",
        show_default=False,
        help="Quantization of the weights, such as `Q4_K_M` or `Q8_0`. By default the one that"
        " suits this machine's memory.",
    ),
]
Backend = Annotated[
    Literal["llama", "torch"],
    Option(
        "--backend",
        metavar="NAME",
        help="`llama` for a GGUF file, `torch` for the weights as published.",
    ),
]
KeepF16 = Annotated[bool, Option("--keep-f16", help="Keep the F16 file that is quantized.")]
Update = Annotated[
    bool,
    Option(
        "--update",
        help="Take the hub's current version, even if it differs from the one pulled first.",
    ),
]
DropOriginals = Annotated[
    bool | None,
    Option(
        "--drop-originals/--keep-originals",
        show_default=False,
        help="After a verified conversion, drop the downloaded originals from the hub's cache, or"
        " keep them. By default a terminal asks, and elsewhere they are kept.",
    ),
]
Yes = Annotated[bool, Option("--yes", "-y", help="Pull without asking for confirmation.")]


def pull_models(
    names: Names = None,
    quantization: Quantization = None,
    backend: Backend = "llama",
    keep_f16: KeepF16 = False,
    update: Update = False,
    drop_originals: DropOriginals = None,
    yes: Yes = False,
    *,
    output: ResultOptions,
) -> None:
    """Download models, convert, quantize and verify them.

    Without a name: the models that suit this machine, after showing their sizes and asking. An
    interrupted pull continues where it stopped. The hub is Hugging Face's, or the one that
    `HF_ENDPOINT` names.
    """
    quiet = output.quiet or output.as_json
    if backend == "llama":
        require_local_models()
    known = load_catalog()
    selected = choose_models(known, names or [], quantization)
    if not quiet or not names:
        announce_models(selected)
    if not (names or yes):
        confirm_download(selected)
    if backend == "llama" and not quiet:
        announce_originals(selected)
    pulled_models = []
    with (
        resume_hint("the same `mem models pull` continues where it stopped"),
        progress_bars(quiet=quiet) as progress,
    ):
        for choice in selected:
            pulled = pull_model(choice, progress, backend=backend, keep_f16=keep_f16, update=update)
            pulled_models.append(pulled)
            if not quiet:
                report_pulled(pulled)
    if drop_originals or not quiet:
        drop_cached_originals(pulled_models, drop=drop_originals)
    if output.as_json:
        print_json(named_models(one.weights.manifest.name for one in pulled_models))
