"""A thought and a ranking of sessions from an endpoint."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from memcli.backends.generation.ranking_constraint import RANKING_CLOSE, RANKING_OPEN
from memcli.backends.generation.thought_stream import THINK_CLOSE, THINK_OPEN
from memcli.backends.server.chat import UNKNOWN_FIELD, ChatClient
from memcli.backends.server.endpoint import Endpoint
from memcli.backends.server.http import RefusedError
from memcli.backends.server.plain_text import break_special_tokens
from memcli.backends.server.thinking_reply import (
    ThinkingReply,
    collect_reply,
    describe_field,
    response_format_variants,
    stream_reply,
    with_forced_close,
)
from memcli.backends.server.token_estimate import estimate_tokens
from memcli.callbacks import NoteCallback, ignore
from memcli.domain import fingerprint
from memcli.errors import BackendError
from memcli.protocols import Sampling, SiftedOrder

_TAG_TOKENS = 16  # the tags around a ranking
_PREAMBLE_TOKENS = 256  # sentences that a model may write before the ranking, although ordered
_ORDER = "Stop thinking. Write the ranking now, only the ids: <ranking>...</ranking>"
_BLOCK = re.compile(rf"{RANKING_OPEN}(.*?)({RANKING_CLOSE}|$)", re.DOTALL)
_OBJECT = re.compile(r'"ranking"\s*:\s*\[([^\]]*)(\]|$)')
_LIST = re.compile(rf"\s*([\d\s,]+)({RANKING_CLOSE}|$)", re.ASCII)
_ID = re.compile(r"\d{1,6}", re.ASCII)


class ServerSifter:
    """A served model that thinks before it ranks. Implements `protocols.Sifter`.

    Args:
        endpoint: the address; nothing is sent to it before there is a message to read.
        context: tokens that message, thought and ranking share, at most.
        sampling: how the thought is sampled.
        note: is called, before the first text leaves this machine, with its destination.
        refusals: the file that remembers which fields the server refused; None for this run.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        context: int,
        sampling: Sampling,
        note: NoteCallback = ignore,
        refusals: Path | None = None,
    ) -> None:
        self.name, self.context = endpoint.model, context
        # The server may change its weights unnoticed: a client cannot know their digest.
        self.fingerprint = fingerprint("sift", endpoint.url, endpoint.model, sampling)
        self._chat = ChatClient(endpoint, sampling, note, refusals)

    def close(self) -> None:
        """Close the connections."""
        self._chat.close()

    def count(self, text: str) -> int:
        """Return the estimated number of tokens of a text; rather too many than too few."""
        return estimate_tokens(text)

    def sift(
        self, message: str, *, shown: int, ranked: int, thought_tokens: int
    ) -> Iterator[str | SiftedOrder]:
        """Yield the thought in pieces as it comes, and finally the Ranking.

        If the thought exceeds its budget, or ends without a ranking, the model continues after
        `<ranking>`; if the server cannot do that, a second request orders the ranking.

        Raises:
            BackendError: the model failed or gave no ranking, or everything together exceeds the
                context.
        """
        ranked = min(ranked, shown)
        if not ranked:
            yield SiftedOrder(())
            return
        tokens = _TAG_TOKENS + ranked * (len(str(shown - 1)) + 1)
        self._check_fits(estimate_tokens(message), thought_tokens, tokens)
        # The message's own wording speaks of thought tags; the chats in it have none any more.
        plain = break_special_tokens(message, keep_thought_tags=True)
        messages = [{"role": "user", "content": plain}]
        reply = ThinkingReply(is_cut=True)
        if thought_tokens:
            reply = yield from stream_reply(
                self._chat.stream_reply(messages, tokens=thought_tokens + tokens, thinking=True),
                thought_tokens=thought_tokens,
                answer_tokens=tokens,
                answer_tags=(RANKING_OPEN,),
            )
        order = parse_ranking(reply.answer, shown, cut=reply.is_cut)
        refused: list[str] = []
        for finish in (self._continue_reply, self._ask_again):
            order = order or finish(messages, reply.thought, shown, tokens, refused)
        if not order:
            raise BackendError(f"{self.name} at {self._chat.endpoint.url} gave no ranking")
        self._chat.refused.add(*refused)
        yield SiftedOrder(order[:ranked])

    def _continue_reply(
        self,
        messages: Sequence[dict[str, Any]],
        thought: str,
        shown: int,
        tokens: int,
        refused: list[str],
    ) -> tuple[int, ...]:
        """Let the model continue after the closed thought; return () if the server cannot."""
        thought = break_special_tokens(thought)
        beginning = f"{THINK_OPEN}\n{thought}\n{THINK_CLOSE}\n\n{RANKING_OPEN}"
        return self._request_order(
            [*messages, {"role": "assistant", "content": beginning}],
            {"continue_final_message": True, "add_generation_prompt": False},
            tokens,
            lambda reply: _parse_continued_ranking(reply, shown),
            refused,
        )

    def _ask_again(
        self,
        messages: Sequence[dict[str, Any]],
        thought: str,
        shown: int,
        tokens: int,
        refused: list[str],
    ) -> tuple[int, ...]:
        """Order the model to rank, under a schema if the server has them; () is no ranking."""
        dialogue = with_forced_close(messages, thought, _ORDER)
        variants = [
            {"response_format": response_format}
            for response_format in response_format_variants("ranking", _ranking_schema(shown))
        ]
        for extras in (*variants, {}):
            order = self._request_order(
                dialogue,
                extras,
                tokens + _PREAMBLE_TOKENS,
                # Without tags, as under the schema, the whole text looks like a thought.
                lambda reply: parse_ranking(reply.answer or reply.thought, shown, cut=reply.is_cut),
                refused,
            )
            if order:
                return order
        return ()

    def _request_order(
        self,
        messages: Sequence[Any],
        extras: dict[str, Any],
        tokens: int,
        parse: Callable[[ThinkingReply], tuple[int, ...]],
        refused: list[str],
    ) -> tuple[int, ...]:
        """Return the order in a short reply; () if the server refuses to reply.

        The field that it refuses is added to `refused`, and is not sent if it is known already.
        """
        field = describe_field(extras)
        if field in self._chat.refused:
            return ()
        try:
            deltas = self._chat.stream_reply(messages, tokens=tokens, thinking=False, extras=extras)
            return parse(collect_reply(deltas, tokens=tokens, answer_tag=RANKING_OPEN))
        except RefusedError as error:
            if error.status not in UNKNOWN_FIELD:
                raise
            refused.append(field)
            return ()

    def _check_fits(self, message: int, thought: int, ranking: int) -> None:
        """Refuse numbers of tokens that exceed the context."""
        if message + thought + ranking > self.context:
            raise BackendError(
                f"the message takes about {message:,} tokens, the thought {thought:,} and the"
                f" ranking {ranking:,}: more than the context of {self.context:,}",
                hint="show fewer sessions, or allow a shorter thought",
            )


def parse_ranking(text: str, shown: int, *, cut: bool = False) -> tuple[int, ...]:
    """Return the ids of the last ranking in a text: those of sessions shown, each once.

    Args:
        text: has `<ranking>3,1</ranking>` or `{"ranking": [3, 1]}` in it.
        shown: ids count from 0 to this number - 1.
        cut: True if the text may end in the middle of an id.
    """
    blocks = _BLOCK.findall(text.rpartition(THINK_CLOSE)[2]) or _OBJECT.findall(text)
    if not blocks:
        return ()
    content, end = blocks[-1]
    if cut and not end:
        content = content.rstrip("0123456789")
    ids = (int(id) for id in _ID.findall(content))
    return tuple(dict.fromkeys(id for id in ids if id < shown))


def _parse_continued_ranking(reply: ThinkingReply, shown: int) -> tuple[int, ...]:
    """Return the ids of a text that continues after `<ranking>`; some servers repeat the tag."""
    if order := parse_ranking(reply.answer, shown, cut=reply.is_cut):
        return order
    ids = _LIST.match(reply.answer or reply.thought)  # without tags it looks like a thought
    return parse_ranking(RANKING_OPEN + ids[0], shown, cut=reply.is_cut) if ids else ()


def _ranking_schema(shown: int) -> dict[str, Any]:
    """Return the schema of a ranking."""
    ids = {"type": "array", "items": {"type": "integer", "enum": list(range(shown))}}
    return {
        "type": "object",
        "properties": {"ranking": {**ids, "minItems": 1, "maxItems": shown}},
        "required": ["ranking"],
        "additionalProperties": False,
    }
