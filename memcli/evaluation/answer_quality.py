"""What a ranking is worth to a chat model that answers from it.

The model is asked without any session, and with the first 1, 2, 3, 5 and 8 of the ranking; its
answers are compared with the one known.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import log2

Answer = Callable[[str, Sequence[str]], str]  # what a chat model says: question, sessions as text

STEPS = (1, 2, 3, 5, 8)  # sessions shown

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def outcome_message(sessions: str, question: str) -> str:
    """Return what a chat model is asked, for an answer as short as the known ones are."""
    shown = f"Conversations from the past:\n\n{sessions}\n\n" if sessions else ""
    return (
        f"{shown}Question: {question}\n\n"
        "Answer in as few words as possible, without a sentence around them. If you are not told"
        " the answer, give your best guess."
    )


def task_outcome(
    question: str, known: str, sessions: Sequence[str], answer: Answer
) -> dict[str, float]:
    """Ask a chat model with more and more of a ranking.

    Args:
        question: what is asked.
        known: the answer.
        sessions: as they are ranked, best first; beyond the last of STEPS none is shown.
        answer: the model.

    Returns:
        "f1@k" and "exact_match@k" of the answer with the first k sessions, in [0, 1];
        "utility@k", how much "f1@k" is above that of the step before, in [-1, 1]; "reward", see
        there.

    Raises:
        BackendError: the model failed.
    """
    steps = [0, *(k for k in STEPS if k <= len(sessions))]
    said = {k: answer(question, sessions[:k]) for k in steps}
    scores = {k: token_f1(said[k], known) for k in steps}
    return {
        "reward": reward(scores),
        **{f"f1@{k}": scores[k] for k in steps},
        **{f"exact_match@{k}": exact_match(said[k], known) for k in steps},
        **{f"utility@{k}": scores[k] - scores[before] for before, k in pairwise(steps)},
    }


def reward(scores: Mapping[int, float]) -> float:
    """Return the task-outcome reward: what the sessions add, the more the earlier they do.

    R = -s_0 + sum of w_n s_kn, where s_k is the score with the first k sessions, and w_n =
    1 / log2(k_n + 1) - 1 / log2(k_n+1 + 1), of the last step 1 / log2(k_N + 1). The weights add
    up to 1 where the first step is 1: R is in [-1, 1], and 0 where the sessions change nothing.

    Args:
        scores: by k, with 0; without any other, R is 0: there was nothing to show.

    Source:
        MemSifter, the outcome-driven reward that its sifter is trained with.
    """
    steps = sorted(k for k in scores if k)
    if not steps:
        return 0.0
    discounts = [1 / log2(k + 1) for k in steps] + [0.0]
    gained = sum(
        (here - beyond) * scores[k]
        for k, here, beyond in zip(steps, discounts, discounts[1:], strict=False)
    )
    return gained - scores[0]


def exact_match(answer: str, known: str) -> float:
    """Return 1 where two answers are the same once they are normalised, else 0.

    Source:
        Rajpurkar et al., SQuAD, EMNLP 2016: exact match.
    """
    return float(normalised(answer) == normalised(known))


def token_f1(answer: str, known: str) -> float:
    """Return the F1 of the words of an answer, as a bag, against those of the known one.

    In [0, 1]. Where one of them has no word left, 1 if both have none, else 0.

    Source:
        Rajpurkar et al., SQuAD, EMNLP 2016: F1; SQuAD 2.0's way with empty answers.
    """
    given, wanted = normalised(answer).split(), normalised(known).split()
    if not (given and wanted):
        return float(given == wanted)
    shared = sum((Counter(given) & Counter(wanted)).values())
    return 2 * shared / (len(given) + len(wanted))


def normalised(answer: str) -> str:
    """Return an answer in small letters, without ASCII punctuation, articles, and wide spaces.

    Source:
        Rajpurkar et al., SQuAD, EMNLP 2016: how its evaluation compares.
    """
    words = _ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION))
    return " ".join(words.split())
