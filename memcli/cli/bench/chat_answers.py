"""`mem bench --outcome`: a chat model answers from the sessions that are ranked."""

from collections.abc import Callable, Sequence

from memcli.evaluation.answer_quality import AnswerFunction, outcome_message
from memcli.protocols import Chat, Message

ANSWER_TOKENS = 64
FRAME_MARGIN = 64  # tokens of a chat template around a message, and of texts put together


def answer_function(chat: Chat, *, thought_tokens: int) -> AnswerFunction:
    """Return a function that lets a chat model answer.

    Sessions that do not fit its context together are cut at their ends, the longest first.
    """

    def answer(question: str, sessions: Sequence[str]) -> str:
        room = chat.context - thought_tokens - ANSWER_TOKENS - FRAME_MARGIN
        room -= chat.count(outcome_message("", question))
        message = outcome_message(fit_texts(sessions, chat.count, room), question)
        pieces = chat.write(
            [Message("user", message)], thought_tokens=thought_tokens, answer_tokens=ANSWER_TOKENS
        )
        return "".join(piece for piece in pieces if isinstance(piece, str)).strip()

    return answer


def fit_texts(texts: Sequence[str], count: Callable[[str], int], room: int) -> str:
    """Join texts that take at most so many tokens together, with a line break between them."""
    parts = list(texts)
    while (joined := "\n".join(parts).strip()) and count(joined) > room:
        longest = max(range(len(parts)), key=lambda at: len(parts[at]))
        parts[longest] = parts[longest][: len(parts[longest]) * 3 // 4]
    return joined
