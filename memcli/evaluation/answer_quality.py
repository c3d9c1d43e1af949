"""Scores a ranking by the answers of a chat model that reads it.

The model is asked without any session, and with the first 1, 2, 3, 5 and 8 of the ranking; its
answers are compared with the known one.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import log2

# From a question and sessions as text to the answer of a chat model.
AnswerFunction = Callable[[str, Sequence[str]], str]

STEPS = (1, 2, 3, 5, 8)  # numbers of sessions shown

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def outcome_message(sessions: str, question: str) -> str:
    """Return the message to a chat model, which asks for an answer as short as the known ones."""
    context = f"Conversations from the past:\n\n{sessions}\n\n" if sessions else ""
    return (
        f"{context}Question: {question}\n\n"
        "Answer in as few words as possible, without a sentence around them. If you are not told"
        " the answer, give your best guess."
    )


def task_outcome(
    question: str, known: str, sessions: Sequence[str], answer: AnswerFunction
) -> dict[str, float]:
    """Ask a chat model with more and more of a ranking.

    Args:
        question: the question.
        known: its known answer.
        sessions: as they are ranked, best first; none is shown beyond the last of STEPS.
        answer: the model.

    Returns:
        "f1@k" and "exact_match@k" of the answer with the first k sessions, in [0, 1];
        "utility@k", the gain of "f1@k" over the step before, in [-1, 1]; "reward", as `reward`
        computes it.

    Raises:
        BackendError: the model failed.
    """
    steps = [0, *(k for k in STEPS if k <= len(sessions))]
    answers = {k: answer(question, sessions[:k]) for k in steps}
    scores = {k: token_f1(answers[k], known) for k in steps}
    return {
        "reward": reward(scores),
        **{f"f1@{k}": scores[k] for k in steps},
        **{f"exact_match@{k}": exact_match(answers[k], known) for k in steps},
        **{f"utility@{k}": scores[k] - scores[before] for before, k in pairwise(steps)},
    }


def reward(scores: Mapping[int, float]) -> float:
    """Return the task-outcome reward: the gain from the sessions, earlier ones counting more.

    R = -s_0 + sum of w_n s_kn, where s_k is the score with the first k sessions, and w_n =
    1 / log2(k_n + 1) - 1 / log2(k_n+1 + 1), of the last step 1 / log2(k_N + 1). The weights add
    up to 1 where the first step is 1: R is in [-1, 1], and 0 where the sessions change nothing.

    Args:
        scores: by k, 0 included; with 0 alone R is 0, for no session was shown.

    Source:
        MemSifter, the outcome-driven reward that its sifter is trained with.
    """
    steps = sorted(k for k in scores if k)
    if not steps:
        return 0.0
    discounts = [1 / log2(k + 1) for k in steps] + [0.0]
    gain = sum(
        (here - after) * scores[k]
        for k, here, after in zip(steps, discounts, discounts[1:], strict=False)
    )
    return gain - scores[0]


def exact_match(answer: str, known: str) -> float:
    """Return 1 where two answers are the same once they are normalized, else 0.

    Source:
        Rajpurkar et al., SQuAD, EMNLP 2016: exact match.
    """
    return float(normalize_answer(answer) == normalize_answer(known))


def token_f1(answer: str, known: str) -> float:
    """Return the F1 of the words of an answer, as a bag, against those of the known one.

    In [0, 1]. Where one of them has no word left, 1 if both have none, else 0.

    Source:
        Rajpurkar et al., SQuAD, EMNLP 2016: F1; SQuAD 2.0's way with empty answers.
    """
    given, expected = normalize_answer(answer).split(), normalize_answer(known).split()
    if not (given and expected):
        return float(given == expected)
    shared = sum((Counter(given) & Counter(expected)).values())
    return 2 * shared / (len(given) + len(expected))


def normalize_answer(answer: str) -> str:
    """Return an answer in lower case, without ASCII punctuation, articles and repeated spaces.

    Source:
        Rajpurkar et al., SQuAD, EMNLP 2016: the normalization of its evaluation.
    """
    words = _ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION))
    return " ".join(words.split())
