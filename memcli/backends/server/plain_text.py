"""People's text without special tokens, for servers whose vocabulary is not known here.

A server's template keeps messages apart, but most servers read the names of special tokens inside
a message as the tokens themselves: a chat that quotes `<|im_end|>` would end the message. A space
after the first character makes the name plain text for every vocabulary and stays readable.
"""

import re
from unicodedata import normalize

_SINGLE_NAMES = (  # of tokens whose names alone do not look like those of tokens
    "s|unk|pad|bos|eos|mask|sep|cls|sop|eop|eod|think|tools|reponame|filename|image|video|audio"
    r"|unused\d+|special_?\d+"
)
_TOKEN = re.compile(
    r"<(?="
    r"[|｜][^<>\s]{0,64}>"  # <|im_end|>, <｜User｜>
    r"|[^<>\s]{1,64}[|｜]>"  # <turn|>
    r"|/?[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+>"  # <start_of_turn>, </tool_call>
    rf"|/?(?:{_SINGLE_NAMES})>"
    r"|<SYS>>|</SYS>>"
    r")"
    r"|\[(?=/?(?:INST|[A-Z]+(?:_[A-Z]+)+|THINK|CLS|SEP|MASK|PAD|UNK|BOS|EOS|EOT|gMASK|sMASK)\])"
)
_THOUGHT_TAG = re.compile(r"</?think>")


def break_special_tokens(text: str, *, keep_thought_tags: bool = False) -> str:
    """Return a text in which no special token of a known family of models is spelled.

    Args:
        text: a person's text, or a model's.
        keep_thought_tags: whether `<think>` and `</think>` stay, because they are part of a
            message's own wording and were removed from the chats in it.
    """
    text = normalize("NFC", text)  # as tokenizers do, so that nothing becomes a name later

    def break_name(match: re.Match[str]) -> str:
        if keep_thought_tags and _THOUGHT_TAG.match(text, match.start()):
            return match[0]
        return f"{match[0]} "

    return _TOKEN.sub(break_name, text)
