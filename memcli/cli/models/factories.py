"""What fetching and verifying models is handed: backends, as functions."""

from collections.abc import Sequence
from pathlib import Path

from memcli.cli.models.load import Loader, digest_of
from memcli.weights.pull import Workshop
from memcli.weights.verify_model import Inspector, Progress


def inspector() -> Inspector:
    """Return what verifies weights."""
    return Inspector(digest_of, logits_of, Loader())


def workshop(folder: Path, progress: Progress) -> Workshop:
    """Return what fetches, converts, quantizes and verifies into a folder."""
    from memcli.backends.llama.quantize import quantize

    return Workshop(folder, inspector(), quantize, progress)


def logits_of(path: Path, *, gpu_layers: int | None = None) -> Sequence[float]:
    """Run a GGUF file once over a few words, and return what it thinks of some next tokens.

    Raises:
        BackendError: llama.cpp refuses the file or fails.
    """
    from memcli.backends.llama.context import Context, Run
    from memcli.backends.llama.model import Model

    model = Model(path, gpu_layers=gpu_layers)
    try:
        tokens = model.plain("The capital of China is")
        with Context(model, len(tokens)) as context:
            context.feed([Run(tokens)])
            return context.logits(0, sorted({*tokens, *model.special}))
    finally:
        model.close()
