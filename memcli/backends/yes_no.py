"""Prompts and probabilities of yes/no rerankers, whichever library runs them."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from memcli.errors import BackendError
from memcli.protocols import RerankPrompt

if TYPE_CHECKING:
    from memcli.backends.generation.generator import Tokenizer

_FIELD = re.compile(r"\{(instruction|query|document)\}")
_MAX_LOGIT = 500.0  # beyond it the exponential overflows, and the sigmoid is 0 or 1 long before


def check_prompt(prompt: RerankPrompt) -> None:
    """Check that many passages can share the beginning of a prompt.

    Raises:
        BackendError: it does not end with the document.
    """
    if not prompt.body.endswith("{document}") or prompt.body.count("{document}") != 1:
        raise BackendError("a reranker's prompt shows {document} once, at the end of its body")


def fill_prompt(prompt: RerankPrompt, question: str, document: str = "") -> str:
    """Return the body of a prompt with its fields filled in.

    A text that spells the name of a field stays text: all fields are filled in at once.
    """
    fields = {"instruction": prompt.instruction, "query": question, "document": document}
    return _FIELD.sub(lambda field: fields[field[1]], prompt.body)


def tokenize_prompts(
    tokenizer: "Tokenizer",
    prompt: RerankPrompt,
    *,
    context: int,
    question: str,
    passages: Sequence[str],
) -> list[list[int]]:
    """Return the tokens of each passage's whole prompt, at most `context`; only passages are cut.

    Raises:
        BackendError: prefix, question and suffix alone fill the context.
    """
    prefix, suffix = tokenizer.encode_markup(prompt.prefix), tokenizer.encode_markup(prompt.suffix)
    room = context - len(prefix) - len(suffix)
    start = fill_prompt(prompt, question)
    start_tokens = len(tokenizer.encode(start))
    if start_tokens >= room:
        raise BackendError(
            f"the question takes {start_tokens:,} of {max(room, 0):,} tokens"
            " and leaves none for a passage",
            hint="ask in fewer words",
        )
    # Both are tokenized as one text, as in training: a space that ends `start` belongs to the
    # first word of the passage.
    return [prefix + tokenizer.encode(start + passage)[:room] + suffix for passage in passages]


def shared_prefix_length(prompts: Sequence[list[int]]) -> int:
    """Return how many tokens all prompts begin with, leaving each at least one of its own."""
    # The first and the last in sorted order share no more than all do.
    first, last = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1
    return next((place for place in range(most) if first[place] != last[place]), most)


def yes_probability(yes: float, no: float) -> float:
    """Return the share of yes in the softmax over the two logits, 0 to 1.

    Raises:
        BackendError: a logit is no number.
    """
    margin = yes - no
    if math.isnan(margin):
        raise BackendError("the reranker's answer is not a number: its file may be damaged")
    return sigmoid(margin)


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)) without overflow."""
    return 1 / (1 + math.exp(-max(-_MAX_LOGIT, min(_MAX_LOGIT, logit))))
