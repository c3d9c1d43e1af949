"""A causal language model, and one sequence of tokens that it reads and writes.

Hidden states of the last position alone meet the output matrix: over a whole prompt of 30,000
tokens, the logits of a vocabulary of 150,000 would take 9 GB.
"""

import copy
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from memcli.backends.generation.thought_stream import CLOSED
from memcli.backends.torch_bf16.tokenizer import Vocabulary
from memcli.backends.torch_bf16.torch_imports import chosen, loading, running, torch, transformers
from memcli.errors import BackendError
from memcli.protocols import Sampling

_STRETCH = 2048  # tokens read in one go: longer ones need memory without being faster


class LanguageModel:
    """A model's weights on a device, loaded when they are first needed.

    Args:
        folder: a folder that was checked.
        device: as torch names it; None is the fastest there is.
    """

    def __init__(self, folder: Path, device: str | None) -> None:
        self.folder, self._device_named = folder, device

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its tokenizer: much sooner there than the weights."""
        return Vocabulary(self.folder)

    @cached_property
    def trained_context(self) -> int:
        """Tokens the model was trained on."""
        return int(self._model.config.max_position_embeddings)

    @cached_property
    def device(self) -> Any:  # Any: of torch
        """Where it computes."""
        return chosen(self._device_named)[0]

    def close(self) -> None:
        """Free the weights."""
        self.__dict__.pop("_model", None)
        if "device" in self.__dict__ and self.device.type == "cuda":
            torch().cuda.empty_cache()

    @cached_property
    def _model(self) -> Any:  # Any: its class depends on the folder
        device, kind = chosen(self._device_named)
        with loading(self.folder):
            model, found = transformers().AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=kind,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
            if found["missing_keys"] or found["mismatched_keys"]:  # they would be random numbers
                lacking = sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]]))
                raise BackendError(f"the model in {self.folder} lacks {lacking[0]}")
            return model.to(device).eval()

    def read(self, rows: Sequence[Sequence[int]], before: Any = None) -> tuple[Any, Any]:
        """Compute rows of tokens, one sequence each.

        Args:
            rows: of any lengths; shorter ones are padded on the left.
            before: keys and values of what all of them follow, with a copy for each row; what is
                computed is added to them.

        Returns:
            The hidden state of each row's last token, shape (rows, dimensions), and the keys and
            values of everything.
        """
        library = torch()
        longest, read = max(map(len, rows)), 0 if before is None else before.get_seq_length()
        padded = [[0] * (longest - len(row)) + list(row) for row in rows]
        tokens = library.tensor(padded, device=self.device)
        blank = library.tensor([longest - len(row) for row in rows], device=self.device)[:, None]
        places = library.arange(longest, device=self.device)[None, :] - blank
        seen = library.ones(len(rows), read, dtype=library.long, device=self.device)
        state = self._model.get_decoder()(
            input_ids=tokens,
            attention_mask=library.cat([seen, (places >= 0).long()], dim=1),
            position_ids=places.clamp(min=0) + read,
            past_key_values=before,
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


def copies(before: Any, rows: int) -> Any:  # Any: of transformers
    """Return keys and values of one row so many times; the ones given are left as they are."""
    several = copy.deepcopy(before)
    several.batch_repeat_interleave(rows)
    return several


class Tape:
    """What a model has read and written so far in one sequence, and how it draws what follows."""

    def __init__(self, model: LanguageModel, sampling: Sampling) -> None:
        self.model, self._sampling = model, sampling
        self._cache: Any = None  # Any: of transformers, with the keys and values
        self.logits: Any = None  # Any: of torch; of all tokens, float32, on the CPU
        self._random = torch().Generator().manual_seed(sampling.seed & 0x7FFFFFFF)

    def feed(self, tokens: Sequence[int]) -> None:
        """Let these tokens follow.

        Raises:
            BackendError: torch failed.
        """
        with running(self.model.folder):
            for first in range(0, len(tokens), _STRETCH):
                stretch = tokens[first : first + _STRETCH]
                state, self._cache = self.model.read([stretch], self._cache)
            self.logits = self.model.logits(state)[0]

    def draw(self) -> int:
        """Draw the token after the last one."""
        return self._drawn(self.logits)

    def draw_among(self, tokens: Sequence[int]) -> int:
        """Draw one of these tokens, as if there were no others."""
        return tokens[self._drawn(self.logits[list(tokens)])]

    def best_of(self, tokens: Sequence[int]) -> int:
        """Return the likeliest of these tokens."""
        return tokens[int(self.logits[list(tokens)].argmax())]

    def likeliest(self, count: int) -> list[int]:
        """Return the likeliest tokens after the last one, the likeliest first."""
        return [int(token) for token in self.logits.topk(min(count, len(self.logits))).indices]

    def drawn(self, most: int) -> Iterator[bytes]:
        """Yield what each token drawn writes, until the model ends or `most` have come."""
        vocabulary = self.model.vocabulary
        for _ in range(most):
            token = self.draw()
            piece = vocabulary.piece(token)
            if vocabulary.ends(token) and piece != CLOSED.encode():
                return
            self.feed([token])
            yield piece

    def _drawn(self, logits: Any) -> int:  # Any: of torch
        """Draw a place: of the `top_k` likeliest, those that make up `top_p` at the temperature."""
        sampling = self._sampling
        if logits.isnan().any():
            raise BackendError(f"{self.model.folder} answers what is not a number: it is damaged")
        if sampling.temperature <= 0:
            return int(logits.argmax())
        kept = min(sampling.top_k, len(logits)) if sampling.top_k > 0 else len(logits)
        values, places = logits.topk(kept)
        shares = (values / sampling.temperature).softmax(dim=0)
        shares[shares.cumsum(dim=0) - shares >= sampling.top_p] = 0
        shares[0] = max(float(shares[0]), 1e-30)  # one is always left
        return int(places[shares.multinomial(1, generator=self._random)])
