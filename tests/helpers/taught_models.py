"""Tiny rerankers that give the scores of a model card, and damaged ones that do not.

The layers are random. The two rows of the output matrix that say yes and no are solved for, so
that the margins of a few known prompts are what they should be: real models as far as fetching,
converting, quantizing and judging are concerned, and small enough for a test.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from helpers.random_models import (
    CONFIG,
    SMALL,
    qwen3_weights,
    stored,
    write_qwen3,
    write_safetensors,
)
from memcli.backends.llama import open_reranker
from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.model import LlamaModel
from memcli.catalog import Catalog
from memcli.weights.convert.gguf_writer import convert_checkpoint

NOWHERE = Path("/nowhere")
CARD = Catalog(NOWHERE, NOWHERE).manifests["memreranker-4b"].checks[0]  # published by its authors
SQUEEZED = [
    1 / (1 + np.exp(-score)) for score in CARD.scores
]  # a sigmoid more than there should be


def write_reranker(folder, *, scores=CARD.scores, shuffled=False, likely=0.0):
    """Write a checkpoint whose yes - no for the passages of CARD are these; return its folder.

    With `shuffled` the rows of its output matrix change places. Both words have the logit `likely`
    on top: servers tell only the likeliest words.
    """
    write_qwen3(folder, tied=False)
    weights = _weights()
    head = weights["lm_head.weight"]
    states, yes, no = _states()
    half = np.linalg.lstsq(states, np.array(scores), rcond=None)[0] / 2
    both = np.linalg.lstsq(states, np.full(len(scores), likely), rcond=None)[0]
    head[yes], head[no] = both + half, both - half
    if shuffled:
        weights["lm_head.weight"] = np.random.default_rng(1).permutation(head)
    rounded = {name: stored(numbers, "BF16") for name, numbers in weights.items()}
    write_safetensors(folder / "model.safetensors", rounded, "BF16")
    return folder


def manifest_text(name="tiny-reranker", repository="ann/reranker", checks=True):
    """Return the manifest of such a model, as a person would write it."""
    prompt = Catalog(NOWHERE, NOWHERE).manifests["memreranker-4b"].prompt
    lines = [
        f'name = "{name}"\nrole = "reranker"\nrepository = "{repository}"\ncontext = 4096',
        "parameters = 1_700_000",
        'special = ["<|im_start|>", "<|im_end|>", "<think>", "</think>"]',
        "[quantizations]\nQ8_0 = 0",
        '[shape]\narchitecture = "qwen3"\nblocks = 2\ndimensions = 256\ntied = false',
        "[prompt]",
        *(f"{key} = {_quoted(text)}" for key, text in prompt.items()),
    ]
    if checks:
        passages = ", ".join(map(_quoted, CARD.passages))
        lines += ["[[checks]]", f"question = {_quoted(CARD.question)}", f"passages = [{passages}]"]
        lines += [f"scores = {list(CARD.scores)}", "apart = 0.5"]
    return "\n".join(lines) + "\n"


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _weights():
    return dict(qwen3_weights({**CONFIG, **SMALL, "tie_word_embeddings": False}))


@cache
def _states():
    """Return what the layers make of the last token of each prompt, and the tokens yes and no.

    llama.cpp gives logits; as the output matrix has more rows than columns, they say it all.
    """
    prompt = Catalog(NOWHERE, NOWHERE).manifests["memreranker-4b"].rerank_prompt()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "random.gguf"
        convert_checkpoint(write_qwen3(Path(folder) / "random", tied=False), path, dtype="F32")
        reranker, model = open_reranker(path, prompt), LlamaModel(path)
        logits = []
        for tokens in reranker.encode_prompts(CARD.question, CARD.passages):
            with LlamaContext(model, len(tokens)) as context:
                context.feed([TokenRun(tokens)])
                logits.append(context.logits(0, range(int(str(SMALL["vocab_size"])))))
        yes, no = model.encode_single("yes"), model.encode_single("no")
        reranker.close()
        model.close()
    bits = stored(_weights()["lm_head.weight"], "BF16").astype(np.uint32) << 16
    head = bits.view(np.float32).astype(np.float64)
    return np.linalg.lstsq(head, np.array(logits).T, rcond=None)[0].T, yes, no
