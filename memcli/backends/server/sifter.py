"""Sessions in, a thought and a ranking out."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from memcli.backends.server.chat import UNKNOWN, ChatServer
from memcli.backends.server.endpoint import Endpoint, Note, unsaid
from memcli.backends.server.http import RefusedError
from memcli.backends.server.thinking_reply import Reply, finished, forms, read_reply, with_closing
from memcli.backends.server.thought_splitter import CLOSE, OPEN
from memcli.backends.server.token_estimate import estimated
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Ranking, Sampling

RANKING, RANKED = "<ranking>", "</ranking>"

_TAGS = 16  # tokens of the tags around a ranking
_LEEWAY = 256  # tokens for a model that is told to rank at once, and says something first
_CLOSING = "Stop thinking. Write the ranking now, only the ids: <ranking>...</ranking>"
_BLOCK = re.compile(rf"{RANKING}(.*?)({RANKED}|$)", re.DOTALL)
_OBJECT = re.compile(r'"ranking"\s*:\s*\[([^\]]*)(\]|$)')
_LIST = re.compile(rf"\s*([\d\s,]+)({RANKED}|$)", re.ASCII)
_ID = re.compile(r"\d{1,6}", re.ASCII)


def open_sifter(
    endpoint: Endpoint, *, context: int, sampling: Sampling, note: Note = unsaid
) -> "ServerSifter":
    """Return the sifter at an endpoint; nothing is sent before it has something to read.

    Args:
        endpoint: where it is.
        context: tokens that message, thought and ranking share, at most.
        sampling: how the thought is drawn.
        note: told, before the first text leaves this machine, where it goes.
    """
    return ServerSifter(endpoint, context=context, sampling=sampling, note=note)


class ServerSifter:
    """A served model that thinks before it ranks. Implements `protocols.Sifter`."""

    def __init__(self, endpoint: Endpoint, *, context: int, sampling: Sampling, note: Note) -> None:
        self.name, self.context = endpoint.model, context
        # What is served there may change without a word: weights have no digest from afar.
        self.fingerprint = fingerprint("sift", endpoint.url, endpoint.model, sampling)
        self._chat = ChatServer(endpoint, sampling, note)

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def count(self, text: str) -> int:
        """Return about how many tokens a text takes; rather too many than too few."""
        return estimated(text)

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | Ranking]:
        """Yield the thought in pieces as it is written, and last of all the Ranking.

        Where the thought exceeds its budget, or ends without a ranking, the model is made to go on
        behind `<ranking>`; where the server cannot do that, it is asked once more.

        Raises:
            BackendError: the model failed or gave no ranking, or everything together exceeds the
                context.
        """
        ranked = min(ranked, shown)
        if not ranked:
            yield Ranking(())
            return
        tokens = _TAGS + ranked * (len(str(shown - 1)) + 1)
        self._check(estimated(message), thought_tokens, tokens)
        asked = [{"role": "user", "content": message}]
        reply = Reply(cut=True)
        if thought_tokens:
            reply = yield from read_reply(
                self._chat.answer(asked, tokens=thought_tokens + tokens, thinking=True),
                thought_tokens=thought_tokens,
                answer_tokens=tokens,
                begins=(RANKING,),
            )
        order = order_in(reply.answer, shown, cut=reply.cut)
        for end in (self._continued, self._asked_again):
            order = order or end(asked, reply.thought, shown, tokens)
        if not order:
            raise BackendError(f"{self.name} at {self._chat.endpoint.url} gave no ranking")
        yield Ranking(order[:ranked])

    def _continued(
        self, asked: Sequence[dict[str, Any]], thought: str, shown: int, tokens: int
    ) -> tuple[int, ...]:
        """Let the model go on where we close its thought for it; () where the server cannot."""
        begun = f"{OPEN}\n{thought}\n{CLOSE}\n\n{RANKING}"
        return self._ended(
            [*asked, {"role": "assistant", "content": begun}],
            {"continue_final_message": True, "add_generation_prompt": False},
            tokens,
            lambda reply: _order_begun(reply, shown),
        )

    def _asked_again(
        self, asked: Sequence[dict[str, Any]], thought: str, shown: int, tokens: int
    ) -> tuple[int, ...]:
        """Order the model to rank, under a schema where the server has them; () is no ranking."""
        messages = with_closing(asked, thought, _CLOSING)
        held = [{"response_format": form} for form in forms("ranking", _schema(shown))]
        for extras in (*held, {}):
            order = self._ended(
                messages,
                extras,
                tokens + _LEEWAY,
                # Without tags, as under the schema, all of it looks like thought.
                lambda reply: order_in(reply.answer or reply.thought, shown, cut=reply.cut),
            )
            if order:
                return order
        return ()

    def _ended(
        self,
        messages: Sequence[Any],
        extras: dict[str, Any],
        tokens: int,
        order: Callable[[Reply], tuple[int, ...]],
    ) -> tuple[int, ...]:
        """Return the order that a short reply comes to; () where the server refuses to reply."""
        try:
            deltas = self._chat.answer(messages, tokens=tokens, thinking=False, extras=extras)
            return order(finished(deltas, tokens, RANKING))
        except RefusedError as error:
            if error.status not in UNKNOWN:
                raise
            return ()

    def _check(self, message: int, thought: int, ranking: int) -> None:
        """Refuse what does not fit the context."""
        if message + thought + ranking > self.context:
            raise BackendError(
                f"the message takes about {message:,} tokens, the thought {thought:,} and the"
                f" ranking {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )


def order_in(text: str, shown: int, *, cut: bool = False) -> tuple[int, ...]:
    """Return the ids of the last ranking in a text: those that were shown, each once.

    Args:
        text: with `<ranking>3,1</ranking>` or `{"ranking": [3, 1]}` in it.
        shown: ids count from 0 to this number - 1.
        cut: whether the text may end in the middle of an id.
    """
    blocks = _BLOCK.findall(text.rpartition(CLOSE)[2]) or _OBJECT.findall(text)
    if not blocks:
        return ()
    written, end = blocks[-1]
    if cut and not end:
        written = written.rstrip("0123456789")
    ids = (int(id) for id in _ID.findall(written))
    return tuple(dict.fromkeys(id for id in ids if id < shown))


def _order_begun(reply: Reply, shown: int) -> tuple[int, ...]:
    """Return the ids of a text that goes on behind `<ranking>`; some servers repeat the tag."""
    if order := order_in(reply.answer, shown, cut=reply.cut):
        return order
    begun = _LIST.match(reply.answer or reply.thought)  # without tags it looks like thought
    return order_in(RANKING + begun[0], shown, cut=reply.cut) if begun else ()


def _schema(shown: int) -> dict[str, Any]:
    """Return the schema of a ranking."""
    ids = {"type": "array", "items": {"type": "integer", "enum": list(range(shown))}}
    return {
        "type": "object",
        "properties": {"ranking": {**ids, "minItems": 1, "maxItems": shown}},
        "required": ["ranking"],
        "additionalProperties": False,
    }
