"""Measurements for `mem bench --speed`: llama.cpp itself, and a plain loop of reranking."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from memcli.backends.gguf_check import check_gguf
from memcli.backends.llama.batches import MAX_BATCH_TOKENS
from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.gpu_offload import Q8_0
from memcli.backends.llama.model import LlamaModel
from memcli.backends.llama.reranker import LlamaReranker
from memcli.backends.yes_no import yes_probability
from memcli.callbacks import NoteCallback, ignore
from memcli.errors import BackendError

REPLY_TOKENS = 32  # tokens that are generated at a time
TRIAL_TOKENS, TRIAL_REPLY = 1024, 8  # tokens that are read and written in a turn of a trial
LARGE_BATCH = 2048
FOLLOW_UP_SHARE = 0.29  # of a sifter's message that a follow-up repeats: the demo's median
DRAFT_TOKENS = 4
# What does not pay on the CPU, measured in turns by processor time, one thread, random Qwen3 of
# 0.6B widths with 6 layers, on a busy machine; above 1 our way is the faster one:
#
#     micro-batches of 2,048: reading 2,048 tokens 1.11 (Q8_0), reranking 16 passages of 128 tokens
#         1.30 (Q8_0), 1.19 (Q4_K_M): passages in one batch are masked from each other, not skipped
#     no flash attention: .98 to 1.65 in five runs, but for writing .8 in one
#     keys and values in 8 bits: reading 1.9, writing 1.3; used only where memory is short
#     drafts, if all tokens are right: 1/1.4 for 4 tokens, 1/2.2 for 12 (Q8_0): to pay, 3 of 4
#         drafted tokens have to be right; a ranking or call is short after a long thought
#     batches of 128 to 256 tokens of passages: .96 to 1.09; of one passage: 1.09 to 1.15
#     llama-server of xllamacpp, by processor time: 1.3 for passages of 64 tokens, .92 for 128 and
#         .72 for 256: its build computes a token in 1.6 ms, that of llama-cpp-python in 2.0
#     a sifter's history kept for a follow-up: reads 29 % less, and costs gigabytes: the two are
#         commands of their own, so that keys and values would lie on the disk between them
OTHER_SETTINGS: dict[str, dict[str, int]] = {
    "no flash attention": {"flash_attn_type": 0},
    "keys and values in 8 bits, not 16": {"type_k": Q8_0, "type_v": Q8_0},
}


class ModelBenchmark:
    """A model that reads a prompt as long as a batch, and generates a short reply to it.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: it is damaged, or there is no memory for it.
    """

    def __init__(
        self, path: Path, *, gpu_layers: int | None = None, note: NoteCallback = ignore
    ) -> None:
        check_gguf(path)
        self._model = LlamaModel(path, gpu_layers=gpu_layers, note=note)
        self._context = LlamaContext(self._model, MAX_BATCH_TOKENS + REPLY_TOKENS)
        text = "What was said about it? " * MAX_BATCH_TOKENS
        self._prompt = self._model.encode(text)[:MAX_BATCH_TOKENS]

    def read_prompt(self) -> int:
        """Read the prompt; return its number of tokens."""
        self._context.restart(0)
        self._context.feed([TokenRun(self._prompt)])
        return len(self._prompt)

    def generate_reply(self) -> int:
        """Generate any reply to the prompt; return its number of tokens."""
        self._context.restart(len(self._prompt))
        token = self._prompt[-1]
        for position in range(len(self._prompt), len(self._prompt) + REPLY_TOKENS):
            self._context.feed([TokenRun([token], start=position)])
            token = self._context.sample()
        return REPLY_TOKENS

    def close(self) -> None:
        """Free the model."""
        self._model.close()


class SettingTrial:
    """A piece of work that is done in our way and in another one."""

    def __init__(self, name: str, ours: Callable[[], None], other: Callable[[], None]) -> None:
        self.name, self.ours, self.other = name, ours, other


def setting_trials(path: Path, *, gpu_layers: int | None = None) -> Iterator[SettingTrial]:
    """Yield settings and ways that memcli does not use, each beside what it does.

    Each is valid until the next one.

    Raises:
        ModelNotFoundError: there is no such file.
        BackendError: it is damaged, or there is no memory for it.
    """
    check_gguf(path)
    model = LlamaModel(path, gpu_layers=gpu_layers)
    try:
        text = model.encode("What was said about it? " * LARGE_BATCH)[:LARGE_BATCH]
        tokens = text[:TRIAL_TOKENS]
        large = {"n_batch": LARGE_BATCH, "n_ubatch": LARGE_BATCH}
        with _open_trial(model, {}, text) as ours, _open_trial(model, large, text) as other:
            yield SettingTrial(
                f"micro-batches of {LARGE_BATCH:,} tokens, not {MAX_BATCH_TOKENS}",
                *(partial(_read_after, context, text, 0) for context in (ours, other)),
            )
        for name, settings in OTHER_SETTINGS.items():
            try:
                opened = _open_trial(model, settings, tokens)
            except BackendError:  # keys of some models do not fit the blocks of 8 bits
                continue
            with _open_trial(model, {}, tokens) as ours, opened as other:
                ways = (partial(_read_and_write, context, tokens) for context in (ours, other))
                yield SettingTrial(name, *ways)
        with _open_trial(model, {"n_outputs_max": DRAFT_TOKENS}, tokens) as context:
            context.feed([TokenRun(tokens)])
            yield SettingTrial(
                f"drafts of {DRAFT_TOKENS} tokens, if all of them are right",
                partial(_write, context, tokens, at_once=1),
                partial(_write, context, tokens, at_once=DRAFT_TOKENS),
            )
            yield SettingTrial(
                "all of a dialogue read again, not its new half alone",
                partial(_read_after, context, tokens, TRIAL_TOKENS // 2),
                partial(_read_after, context, tokens, 0),
            )
            yield SettingTrial(
                f"{FOLLOW_UP_SHARE:.0%} of a sifter's history kept for a follow-up",
                partial(_read_after, context, tokens, 0),
                partial(_read_after, context, tokens, round(FOLLOW_UP_SHARE * TRIAL_TOKENS)),
            )
    finally:
        model.close()


def _open_trial(
    model: LlamaModel, settings: Mapping[str, int], tokens: Sequence[int]
) -> LlamaContext:
    return LlamaContext(model, len(tokens) + REPLY_TOKENS, settings=settings)


def _read_and_write(context: LlamaContext, tokens: Sequence[int]) -> None:
    _read_after(context, tokens, 0)
    _write(context, tokens, at_once=1)


def _read_after(context: LlamaContext, tokens: Sequence[int], kept: int) -> None:
    context.restart(kept)
    context.feed([TokenRun(tokens[kept:], start=kept)])


def _write(context: LlamaContext, tokens: Sequence[int], *, at_once: int) -> None:
    """Compute a few tokens after the others, so many in a batch, as if they were sampled."""
    context.restart(len(tokens))
    for first in range(0, TRIAL_REPLY, at_once):
        places = range(first, first + at_once)
        context.feed([TokenRun([tokens[at]], start=len(tokens) + at) for at in places])


class NaiveReranker:
    """A reranker without our tricks: it reads each whole prompt, one after the other.

    The prompts are the same as the reranker's, and so are the model and its threads. The context
    is kept, too.
    """

    def __init__(self, reranker: LlamaReranker, tokens: int) -> None:
        self._reranker = reranker
        self._context = LlamaContext(reranker.model, tokens, threads=reranker.threads)

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index of the passage, P(yes) in [0, 1]) in the order given."""
        model, context = self._reranker.model, self._context
        answers = (model.encode_single("yes"), model.encode_single("no"))
        for index, prompt in enumerate(self._reranker.encode_prompts(question, passages)):
            context.truncate(0, 0)
            context.feed([TokenRun(prompt)])
            yield index, yes_probability(*context.logits(-1, answers))
