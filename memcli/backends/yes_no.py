"""What yes/no rerankers have in common, whichever library runs them."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from memcli.errors import BackendError
from memcli.protocols import RerankPrompt

if TYPE_CHECKING:
    from memcli.backends.generation.generator import Words

_FIELD = re.compile(r"\{(instruction|query|document)\}")


def check_prompt(prompt: RerankPrompt) -> None:
    """See that a prompt can be shared by many passages.

    Raises:
        BackendError: it does not end with the document.
    """
    if not prompt.body.endswith("{document}") or prompt.body.count("{document}") != 1:
        raise BackendError("a reranker's prompt shows {document} once, at the end of its body")


def filled(prompt: RerankPrompt, question: str, document: str = "") -> str:
    """Return the body of a prompt; what a text spells is no field."""
    fields = {"instruction": prompt.instruction, "query": question, "document": document}
    return _FIELD.sub(lambda field: fields[field[1]], prompt.body)


def prompts_of(
    words: "Words", prompt: RerankPrompt, context: int, question: str, passages: Sequence[str]
) -> list[list[int]]:
    """Return the tokens of each passage's whole prompt, only the passage cut to fit.

    Raises:
        BackendError: prefix, question and suffix alone fill the context.
    """
    prefix, suffix = words.markup(prompt.prefix), words.markup(prompt.suffix)
    room = context - len(prefix) - len(suffix)
    start = filled(prompt, question)
    taken = len(words.plain(start))
    if taken >= room:
        raise BackendError(
            f"the question takes {taken:,} of {max(room, 0):,} tokens"
            " and leaves none for a passage",
            hint="ask in fewer words",
        )
    # One text, as in training: a space that ends `start` belongs to the passage's first word.
    return [prefix + words.plain(start + passage)[:room] + suffix for passage in passages]


def shared(prompts: Sequence[list[int]]) -> int:
    """Return how many tokens all prompts begin with, leaving each at least one of its own."""
    # What the first and the last in sorted order share is what all share.
    first, last = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1
    return next((place for place in range(most) if first[place] != last[place]), most)


def probability(yes: float, no: float) -> float:
    """Return the share of yes in the softmax over the two logits.

    Raises:
        BackendError: a logit is no number.
    """
    margin = yes - no
    if math.isnan(margin):
        raise BackendError("the reranker's answer is not a number: its file may be damaged")
    # Beyond 500 the exponential overflows, and the answer is 0 or 1 long before.
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, margin))))
