"""A causal language model, and one sequence of tokens that it reads and generates.

Only the hidden states of the last position are multiplied with the output matrix: over a whole
prompt of 30,000 tokens, the logits of a vocabulary of 150,000 would take 9 GB.
"""

import copy
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from memcli.backends.generation.generator import common_prefix_length
from memcli.backends.generation.thought_stream import THINK_CLOSE
from memcli.backends.torch_bf16.tokenizer import TorchTokenizer
from memcli.backends.torch_bf16.torch_imports import (
    inference,
    select_device,
    torch,
    transformers,
    translate_load_errors,
)
from memcli.errors import BackendError
from memcli.protocols import Sampling

# Tokens read in one go: more would be hardly faster, and of a prompt that was read before only
# whole such blocks are kept.
_READ_TOKENS = 512


class TorchLanguageModel:
    """A model's weights on a device, loaded when they are first needed.

    Args:
        folder: a folder that was checked.
        device: torch's name of a device; None is the fastest there is.
    """

    def __init__(self, folder: Path, device: str | None) -> None:
        self.folder, self._device_name = folder, device

    @cached_property
    def tokenizer(self) -> TorchTokenizer:
        """The model's tokenizer, which loads much faster than the weights."""
        return TorchTokenizer(self.folder)

    @cached_property
    def trained_context(self) -> int:
        """The number of tokens that the model was trained on."""
        return int(self._model.config.max_position_embeddings)

    @cached_property
    def device(self) -> Any:  # Any: of torch
        """The device that it computes on."""
        return select_device(self._device_name)[0]

    def close(self) -> None:
        """Free the weights."""
        self.__dict__.pop("_model", None)
        if "device" in self.__dict__ and self.device.type == "cuda":
            torch().cuda.empty_cache()

    @cached_property
    def _model(self) -> Any:  # Any: its class depends on the folder
        device, dtype = select_device(self._device_name)
        with translate_load_errors(self.folder):
            model, found = transformers().AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=dtype,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
            if found["missing_keys"] or found["mismatched_keys"]:  # they would be random numbers
                missing = sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]]))
                raise BackendError(f"the model in {self.folder} lacks {missing[0]}")
            return model.to(device).eval()

    def read(self, rows: Sequence[Sequence[int]], cache: Any = None) -> tuple[Any, Any]:
        """Compute rows of tokens, one sequence each.

        Args:
            rows: of any lengths; shorter ones are padded on the left.
            cache: keys and values of the tokens before the rows, with a copy for each row; those
                of the rows are added to them.

        Returns:
            The hidden state of each row's last token, shape (rows, dimensions), and the keys and
            values of all tokens.
        """
        library = torch()
        longest, start = max(map(len, rows)), 0 if cache is None else cache.get_seq_length()
        padded = [[0] * (longest - len(row)) + list(row) for row in rows]
        tokens = library.tensor(padded, device=self.device)
        padding = library.tensor([longest - len(row) for row in rows], device=self.device)[:, None]
        positions = library.arange(longest, device=self.device)[None, :] - padding
        cached = library.ones(len(rows), start, dtype=library.long, device=self.device)
        state = self._model.get_decoder()(
            input_ids=tokens,
            attention_mask=library.cat([cached, (positions >= 0).long()], dim=1),
            position_ids=positions.clamp(min=0) + start,
            past_key_values=cache,
            use_cache=True,
        )
        return state.last_hidden_state[:, -1], state.past_key_values

    def logits(self, states: Any, tokens: Sequence[int] | None = None) -> Any:  # Any: of torch
        """Return the logits of these tokens, of all by default, after each hidden state.

        Returns:
            float32, shape (rows, tokens), on the CPU.
        """
        head = self._model.get_output_embeddings()
        if tokens is None:
            return head(states).float().cpu()
        return (states.float() @ head.weight[list(tokens)].float().T).cpu()


def repeat_cache(cache: Any, rows: int) -> Any:  # Any: of transformers
    """Return a copy of the keys and values of one row, repeated for so many rows."""
    repeated = copy.deepcopy(cache)
    repeated.batch_repeat_interleave(rows)
    return repeated


class TorchSequence:
    """The tokens that a model has read and generated in one sequence, and its sampler."""

    def __init__(self, model: TorchLanguageModel, sampling: Sampling) -> None:
        self.model, self._sampling = model, sampling
        self.tokens: list[int] = []
        self._prompt_tokens = 0  # tokens at the beginning that were read in blocks
        self._cache: Any = None  # Any: keys and values, of transformers
        self.logits: Any = None  # Any: of torch; for all tokens, float32, on the CPU
        self._random = torch().Generator().manual_seed(sampling.seed & 0x7FFFFFFF)

    def restart(self, prompt: Sequence[int], seed: int = 0) -> None:
        """Begin anew with a prompt; the blocks that it shares with the old tokens stay.

        Only whole blocks stay, and none with sampled tokens: other blocks would round otherwise,
        and the same dialogue with the same seed would depend on what came before it.

        Args:
            prompt: its tokens.
            seed: is added to the seed of the sampling.

        Raises:
            BackendError: torch failed.
        """
        self._random.manual_seed((self._sampling.seed + seed) & 0x7FFFFFFF)
        shared = common_prefix_length(self.tokens[: self._prompt_tokens], prompt[:-1])
        kept = shared // _READ_TOKENS * _READ_TOKENS
        if not kept or any(self._cache.is_sliding):  # what left a window cannot be had back
            kept, self._cache = 0, None
        else:
            self._cache.crop(kept - len(self.tokens))  # a negative number is taken off
        del self.tokens[kept:]
        self.feed(prompt[kept:])
        self._prompt_tokens = len(self.tokens)

    def feed(self, tokens: Sequence[int]) -> None:
        """Add these tokens at the end.

        Raises:
            BackendError: torch failed.
        """
        with inference(self.model.folder):
            for first in range(0, len(tokens), _READ_TOKENS):
                part = tokens[first : first + _READ_TOKENS]
                state, self._cache = self.model.read([part], self._cache)
            self.logits = self.model.logits(state)[0]
        self.tokens += tokens

    def sample(self) -> int:
        """Sample the token after the last one."""
        return self._sample_index(self.logits)

    def sample_among(self, tokens: Sequence[int]) -> int:
        """Sample one of these tokens, as if there were no others."""
        return tokens[self._sample_index(self.logits[list(tokens)])]

    def most_likely_of(self, tokens: Sequence[int]) -> int:
        """Return the most likely of these tokens."""
        return tokens[int(self.logits[list(tokens)].argmax())]

    def most_likely(self, count: int) -> list[int]:
        """Return the most likely tokens after the last one, best first."""
        return [int(token) for token in self.logits.topk(min(count, len(self.logits))).indices]

    def generate(self, max_tokens: int) -> Iterator[bytes]:
        """Yield the text of each sampled token, until the model ends or `max_tokens` have come."""
        tokenizer = self.model.tokenizer
        for _ in range(max_tokens):
            token = self.sample()
            piece = tokenizer.decode_token(token)
            if tokenizer.is_end(token) and piece != THINK_CLOSE.encode():
                return
            self.feed([token])
            yield piece

    def _sample_index(self, logits: Any) -> int:  # Any: of torch
        """Sample an index: of the `top_k` best, those that make up `top_p` at the temperature."""
        sampling = self._sampling
        if logits.isnan().any():
            raise BackendError(f"{self.model.folder} gives invalid logits: it is damaged")
        if sampling.temperature <= 0:
            return int(logits.argmax())
        kept = min(sampling.top_k, len(logits)) if sampling.top_k > 0 else len(logits)
        values, indices = logits.topk(kept)
        shares = (values / sampling.temperature).softmax(dim=0)
        shares[shares.cumsum(dim=0) - shares >= sampling.top_p] = 0
        shares[0] = max(float(shares[0]), 1e-30)  # the best one always stays
        return int(indices[shares.multinomial(1, generator=self._random)])
