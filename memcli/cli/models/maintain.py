"""What `mem models` does, one step at a time."""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from memcli.catalog import ROLES, Catalog, Manifest, ModelRole, Weights
from memcli.cli.models.factories import inspector, workshop
from memcli.cli.models.inventory import Item, item_of, told
from memcli.cli.models.load import digest_of
from memcli.cli.models.open import record_place
from memcli.cli.output.console import note, safe
from memcli.cli.output.progress import Progress
from memcli.errors import BackendError, InputError, ModelNotFoundError, UsageError
from memcli.files import whole_file
from memcli.settings import models_folder
from memcli.weights.hub.prompt_wording import fetch_wording, remove_wording
from memcli.weights.pull import Pulled, pull, pull_checkpoint
from memcli.weights.recommend import Choice, choice, memory, suited
from memcli.weights.record import Record, read_record, write_record
from memcli.weights.verify_model import verify


def choices(known: Catalog, names: Sequence[str], quantization: str | None) -> list[Choice]:
    """Return the models to fetch: those named, or the set that suits this machine.

    Raises:
        ModelNotFoundError: no model has this name.
        UsageError: it is a file of the person's own; or nothing suits.
    """
    room = shutil.disk_usage(_existing(known.folder)).free
    if not names:
        chosen = suited(known.manifests.values(), memory(), room)
        if not chosen:
            raise UsageError(
                f"no language model suits {memory():.1f} GiB of memory and {told(room)} of disk",
                hint="`mem models list` shows their sizes; name one to fetch it all the same",
            )
    else:
        chosen = [choice(_fetchable(known, name), memory()) for name in names]
    return [replace(one, quantization=(quantization or one.quantization).upper()) for one in chosen]


def confirm(chosen: Sequence[Choice], *, yes: bool) -> None:
    """Show what would be fetched, and ask.

    Raises:
        UsageError: there is nobody to ask.
    """
    width = max(len(one.manifest.name) for one in chosen)
    for one in chosen:
        note(
            f"{one.manifest.name:<{width}}  {one.manifest.role:<8}  {one.quantization:<7}"
            f" {told(one.size):>8}, a download of {told(one.download)}"
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to ask", hint="`mem models pull --yes` fetches them")
    if not typer.confirm("fetch them?", err=True):
        raise typer.Exit


def fetch_model(
    chosen: Choice, progress: Progress, *, backend: str, keep_f16: bool, update: bool
) -> Pulled:
    """Fetch a model, and whatever else its authors made that is used.

    Raises:
        MemError: see `pipeline.pull`.
    """
    shop = workshop(models_folder(), progress)
    known = chosen.manifest
    if backend == "torch":
        pulled = pull_checkpoint(known, shop, update=update)
    else:
        pulled = pull(known, chosen.quantization, shop, keep_f16=keep_f16, update=update)
    if known.artefact:
        try:
            fetch_wording(known.artefact.url, shop.folder, known.name)
        except BackendError as error:
            note(f"{known.name} is asked in memcli's words, not its authors': {error}")
    return pulled


def tell_pulled(pulled: Pulled) -> None:
    """Say what is on this machine now."""
    item = item_of(pulled.weights)
    note(
        f"{item.name} {item.quantization} is {'here already' if pulled.before else 'ready'}:"
        f" {told(item.size)}, verified"
    )


def weights_of(known: Catalog, names: Sequence[str]) -> list[Weights]:
    """Return the weights on this machine of these names, each name's newest first; all for none.

    Raises:
        ModelNotFoundError: there are none of a name.
    """
    if not names:
        return known.weights
    found = []
    for name in names:
        of_name = [one for one in known.weights if name in (one.manifest.name, one.stem)]
        if not of_name:
            known.manifest(name)
            raise ModelNotFoundError(
                f"{name} is not on this machine", hint=f"`mem models pull {name}`"
            )
        found += of_name
    return found


def verify_weights(weights: Weights, progress: Progress) -> Item:
    """Verify weights, and keep the verdict."""
    place = record_place(weights)
    record = read_record(place) or Record(weights.manifest.name, weights.quantization)
    write_record(verify(weights, record, inspector(), progress=progress), place)
    return item_of(weights)


def print_verdicts(items: Sequence[Item], *, quiet: bool) -> None:
    """Print what was measured, and what is wrong."""
    for item in items:
        verdict = item.verdict
        if verdict and not quiet:
            title = f"{item.name} {item.quantization}".rstrip()
            typer.echo(safe(f"{title}: {'verified' if verdict.passed else 'failed'}"))
            for fact in verdict.facts:
                typer.echo(safe(f"  {fact}"))
        for fault in verdict.faults if verdict else ():
            note(f"{item.name}: {fault}")


def add_file(
    file: Path, role: str, name: str | None, like: str | None, known: Catalog, progress: Progress
) -> Manifest:
    """Describe a GGUF file in a manifest of the person's own, once it was verified.

    Raises:
        UsageError: the role is none, the name is taken, or it cannot be said how to speak to it.
        ModelNotFoundError: there is no such file or no such model to be like.
        BackendError: the file is damaged or did not pass its verification.
    """
    path = file.expanduser().absolute()
    digest_of(path)
    known.own.mkdir(parents=True, exist_ok=True)
    name = name or re.sub(r"[^\w.-]+", "-", path.name.removesuffix(".gguf")).strip(".-")
    before = known.manifests.get(name)
    if before and before.file != str(path):
        raise UsageError(f"a model is called {name} already", hint="`--name` names it otherwise")
    spoken = known.like(role_of(role), like)
    weights = Weights(path, replace(spoken, name=name, file=str(path)))
    record = verify(weights, Record(name, weights.quantization), inspector(), progress=progress)
    if not record.verdict or not record.verdict.passed:
        faults = record.verdict.faults[:2] if record.verdict else ()
        raise BackendError(f"{path} did not pass its verification: {'; '.join(faults)}")
    write_record(record, record_place(weights))
    lines = {"name": name, "role": role, "like": spoken.name, "file": str(path)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    with whole_file(known.own / f"{name}.toml") as part:
        part.write_text(text, "utf-8")
    return weights.manifest


def remove_all(known: Catalog, names: Sequence[str]) -> None:
    """Remove the weights of these names, and say what is left of them elsewhere.

    Raises:
        ModelNotFoundError: there are none of a name; nothing is removed then.
        InputError: something keeps them from being removed.
    """
    found = weights_of(known, names)
    for weights in found:
        _remove(weights, known.own)
    for repository in sorted({one.manifest.repository for one in found} - {""}):
        note(
            "what was downloaded for it is still in Hugging Face's cache:"
            f" `hf cache rm model/{repository}`"
        )


def _remove(weights: Weights, own: Path) -> None:
    """Remove weights, their record, and with the last of a model what is known of its source."""
    known, folder = weights.manifest, models_folder()
    try:
        record_place(weights).unlink(missing_ok=True)
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


def role_of(text: str) -> ModelRole:
    """Return the role that a person names.

    Raises:
        UsageError: there is none of this name.
    """
    for role in ROLES:
        if role == text:
            return role
    raise UsageError(f"no model is called a {text}", hint=f"one of {', '.join(ROLES)}")


def _fetchable(known: Catalog, name: str) -> Manifest:
    manifest = known.manifest(name)
    if manifest.file:
        raise UsageError(f"{name} is a file of your own, {manifest.file}, and on no hub")
    return manifest


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    absolute = folder.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())
