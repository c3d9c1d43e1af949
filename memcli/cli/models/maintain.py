"""The steps of `mem models`: choose, pull, verify, add and remove."""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from memcli.backends.llama.host import free_memory
from memcli.catalog import ROLES, TORCH, Catalog, Manifest, ModelRole, Weights
from memcli.cli.confirmation import answers_yes
from memcli.cli.models.inventory import ModelEntry, describe_weights, human_size
from memcli.cli.models.resolve import weights_record_path
from memcli.cli.output.console import note, printable, write_line
from memcli.cli.output.progress import TaskProgress
from memcli.errors import BackendError, EarlyExit, InputError, ModelNotFoundError, UsageError
from memcli.files import locked_atomic_write
from memcli.lazy_dataclasses import replace
from memcli.settings import models_folder
from memcli.weights.hub.download import cached_weights, drop_cached_weights
from memcli.weights.hub.prompt_wording import fetch_wording, remove_wording
from memcli.weights.pull import PulledModel, PullOptions, pull_checkpoint, pull_gguf
from memcli.weights.recommend import (
    ModelChoice,
    choose_quantization,
    recommend_models,
    total_memory,
)
from memcli.weights.record import WeightsRecord, read_record, weights_digest, write_record
from memcli.weights.verify_model import verify_weights


def choose_models(
    known: Catalog, names: Sequence[str], quantization: str | None
) -> list[ModelChoice]:
    """Return the models to pull: those named, or those that suit this machine.

    Raises:
        ModelNotFoundError: no model has this name.
        UsageError: it is a file of the person's own; or no model suits.
    """
    room = shutil.disk_usage(_existing_parent(known.folder)).free
    if names:
        manifests = [_require_published(known, name) for name in names]
        choices = [choose_quantization(manifest, total_memory()) for manifest in manifests]
    else:
        choices = recommend_models(known.manifests.values(), total_memory(), room)
        if not choices:
            raise UsageError(
                f"no language model suits {total_memory():.1f} GiB of memory"
                f" and {human_size(room)} of disk",
                hint="`mem models list` shows their sizes; name one to pull it anyway",
            )
    chosen = [
        replace(choice, quantization=(quantization or choice.quantization).upper())
        for choice in choices
    ]
    for one in chosen:
        _check_quantization(one)
    return chosen


def _check_quantization(choice: ModelChoice) -> None:
    """Check that weights can be had in a quantization, before gigabytes are downloaded.

    Raises:
        UsageError: there is no such quantization.
    """
    from memcli.backends.llama.quantize import FILE_TYPES

    kinds = dict.fromkeys((*FILE_TYPES, *choice.manifest.gguf))
    if choice.quantization not in kinds:
        raise UsageError(
            f"there is no quantization {choice.quantization}", hint=f"one of {', '.join(kinds)}"
        )


def require_local_models() -> None:
    """Check that models can run here at all, before gigabytes are downloaded.

    Raises:
        BackendError: the extra `llama` is not installed.
    """
    from memcli.backends.llama.library import require_llama_cpp

    require_llama_cpp()


def announce_models(choices: Sequence[ModelChoice]) -> None:
    """Show the models to pull: what they take of disk and memory, and the memory that is free."""
    width = max(len(choice.manifest.name) for choice in choices)
    for choice in choices:
        note(
            f"{choice.manifest.name:<{width}}  {choice.manifest.role:<8}"
            f"  {choice.quantization:<7} {human_size(choice.size):>8},"
            f" a download of {human_size(choice.download)};"
            f" needs {human_size(choice.running_memory)} of memory to run"
        )
    if (free := free_memory()) is not None:
        note(f"{human_size(free)} of memory are free now; the models run one at a time")


def confirm_download(choices: Sequence[ModelChoice]) -> None:
    """Ask for confirmation.

    Raises:
        UsageError: standard input is not a terminal, so that nobody can be asked.
    """
    if not sys.stdin.isatty():
        download = human_size(sum(choice.download for choice in choices))
        raise UsageError(
            "not a terminal, so it cannot ask", hint=f"add `--yes` to download {download}"
        )
    if not answers_yes("download them?"):
        raise EarlyExit


def pull_model(
    choice: ModelChoice, progress: TaskProgress, *, backend: str, keep_f16: bool, update: bool
) -> PulledModel:
    """Pull a model, and the prompt of its authors if there is one.

    Raises:
        MemError: see `weights.pull`.
    """
    known = choice.manifest
    options = PullOptions(models_folder(), progress, note, update)
    if backend == "torch":
        pulled = pull_checkpoint(known, options)
    else:
        pulled = pull_gguf(known, choice.quantization, options, keep_f16=keep_f16)
    if known.wording_url:
        try:
            fetch_wording(known.wording_url, options.folder, known.name)
        except BackendError as error:
            note(f"{known.name} gets memcli's prompt, not its authors': {error}")
    return pulled


def report_pulled(pulled: PulledModel) -> None:
    """Tell the person that a model is on this machine."""
    item = describe_weights(pulled.weights)
    state = "already installed" if pulled.was_installed else "ready"
    note(f"{item.name} {item.quantization} is {state}: {human_size(item.size)}, verified")


def announce_originals(choices: Sequence[ModelChoice]) -> None:
    """Say, before a download starts, how much of it is needed only once."""
    converted = [one for one in choices if one.quantization not in one.manifest.gguf]
    if converted:
        size = human_size(sum(one.download for one in converted))
        note(
            f"{size} of originals are downloaded and converted; `--drop-originals` removes them"
            " after that"
        )


def drop_cached_originals(pulled: Sequence[PulledModel], *, drop: bool | None) -> None:
    """Drop the downloaded originals of verified conversions from the hub's cache.

    Args:
        pulled: the models that were pulled.
        drop: None asks on a terminal, and elsewhere keeps them.
    """
    linked = {one.weights.path.resolve() for one in pulled if one.weights.is_torch}
    linked |= {path.resolve() for path in models_folder().glob(f"*-{TORCH}") if path.is_dir()}
    for one in pulled:
        known, repository = one.weights.manifest, one.record.repository
        if one.weights.is_torch or one.weights.quantization in known.gguf or not repository:
            continue
        files = cached_weights(repository)
        if not files or any(file.parent.resolve() in linked for file in files):
            continue  # the torch backend uses them
        size = human_size(sum(files.values()))
        question = f"drop the {size} of originals of {known.name} from the hub's cache?"
        asks = drop is None and sys.stdin.isatty()
        if drop or (asks and answers_yes(question)):
            drop_cached_weights(repository)
            note(f"dropped {size} of originals of {known.name}")


def weights_named(
    known: Catalog, names: Sequence[str], *, hint: str = "`mem models pull {name}`"
) -> list[Weights]:
    """Return the weights on this machine with these names, the newest of each first.

    Args:
        known: the catalog.
        names: names of models or files; all weights if there are none.
        hint: the remedy if one is missing.

    Raises:
        ModelNotFoundError: a name has no weights.
    """
    if not names:
        return known.weights
    found = []
    for name in names:
        matching = [one for one in known.weights if name in (one.manifest.name, one.stem)]
        if not matching:
            known.manifest(name)
            raise ModelNotFoundError(f"{name} is not on this machine", hint=hint.format(name=name))
        found += matching
    return found


def verify_installed(weights: Weights, progress: TaskProgress) -> ModelEntry:
    """Verify weights, and record the verdict."""
    path = weights_record_path(weights)
    record = read_record(path) or WeightsRecord(weights.manifest.name, weights.quantization)
    write_record(verify_weights(weights, record, progress=progress, note=note), path)
    return describe_weights(weights)


def print_verdicts(items: Sequence[ModelEntry], *, quiet: bool) -> None:
    """Print the measurements, and on standard error the faults."""
    for item in items:
        verdict = item.verdict
        if verdict and not quiet:
            title = f"{item.name} {item.quantization}".rstrip()
            write_line(printable(f"{title}: {'verified' if verdict.passed else 'failed'}"))
            for fact in verdict.facts:
                write_line(printable(f"  {fact}"))
        for fault in verdict.faults if verdict else ():
            note(f"{item.name}: {fault}")


def add_file(
    file: Path,
    role: str,
    name: str | None,
    like: str | None,
    known: Catalog,
    progress: TaskProgress,
) -> Manifest:
    """Verify a GGUF file, and describe it in a manifest of the person's own.

    Raises:
        UsageError: the role is unknown, the name is taken, or the prompt format is unclear.
        ModelNotFoundError: the file or the model that it is like does not exist.
        BackendError: the file is damaged or did not pass its verification.
    """
    template = known.manifest_like(parse_role(role), like)
    path = file.expanduser().absolute()
    try:
        weights_digest(path)
    except BackendError as error:  # its own hint is for files that were pulled
        raise BackendError(str(error), hint="name a whole GGUF file") from error
    known.own.mkdir(parents=True, exist_ok=True)
    name = name or re.sub(r"[^\w.-]+", "-", path.name.removesuffix(".gguf")).strip(".-")
    existing = known.manifests.get(name)
    if existing and existing.file != str(path):
        raise UsageError(
            f"a model is called {name} already", hint="choose another name with `--name`"
        )
    weights = Weights(path, replace(template, name=name, file=str(path)))
    record = verify_weights(
        weights, WeightsRecord(name, weights.quantization), progress=progress, note=note
    )
    if not record.verdict or not record.verdict.passed:
        faults = record.verdict.faults[:2] if record.verdict else ()
        raise BackendError(f"{path} did not pass its verification: {'; '.join(faults)}")
    write_record(record, weights_record_path(weights))
    lines = {"name": name, "role": role, "like": template.name, "file": str(path)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    with locked_atomic_write(known.own / f"{name}.toml") as part:
        part.write_text(text, "utf-8")
    return weights.manifest


def remove_models(known: Catalog, names: Sequence[str]) -> None:
    """Remove the weights of these names, and report their downloads that stay in the hub's cache.

    Raises:
        ModelNotFoundError: a name has no weights; nothing is removed then.
        InputError: weights cannot be removed.
    """
    found = weights_named(known, names, hint="`mem models list` shows the models that are")
    for weights in found:
        _remove(weights, known.own)
    for repository in sorted({one.manifest.repository for one in found} - {""}):
        note(
            "its download is still in Hugging Face's cache: remove it with"
            f" `hf cache rm model/{repository}`"
        )


def _remove(weights: Weights, own: Path) -> None:
    """Remove weights and their record, and with the last weights of a model its pins and prompt."""
    known, folder = weights.manifest, models_folder()
    try:
        weights_record_path(weights).unlink(missing_ok=True)
        if known.file:
            (own / f"{known.name}.toml").unlink(missing_ok=True)
            return
        if weights.path.is_dir() and not weights.path.is_symlink():
            shutil.rmtree(weights.path)
        else:
            weights.path.unlink()
        if not any(one.manifest.name == known.name for one in Catalog(folder, own).weights):
            (folder / f"{known.name}.source.json").unlink(missing_ok=True)
            remove_wording(folder, known.name)
    except OSError as error:
        raise InputError(f"{weights.path} cannot be removed: {error.strerror}") from error


def parse_role(text: str) -> ModelRole:
    """Return the role that a person names.

    Raises:
        UsageError: no role has this name.
    """
    for role in ROLES:
        if role == text:
            return role
    raise UsageError(f"`{text}` is not a role", hint=f"one of {', '.join(ROLES)}")


def _require_published(known: Catalog, name: str) -> Manifest:
    manifest = known.manifest(name)
    if manifest.file:
        raise UsageError(f"{name} is a file of your own, {manifest.file}, and on no hub")
    return manifest


def _existing_parent(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    absolute = folder.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())
