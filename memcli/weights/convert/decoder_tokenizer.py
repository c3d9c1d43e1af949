"""The byte-level tokenizer of a checkpoint, written as llama.cpp needs it.

Before byte pairs are merged, a text is split. llama.cpp has its own code for each way of splitting
and knows it by a name. A way without a name is refused: a model that reads slightly other tokens
than it was trained on gives slightly wrong answers, and nobody notices.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gguf import GGUFWriter, TokenType

from memcli.errors import BackendError
from memcli.lazy_dataclasses import dataclass
from memcli.weights.convert.checkpoint import Checkpoint
from memcli.weights.convert.json_file import JsonFile, read_utf8

_PRE_TOKENIZERS = {  # llama.cpp's name, by the regular expression in tokenizer.json
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+": "qwen2",
}
_PRE_TOKENIZER_BY_CLASS = {"Qwen2Tokenizer": "qwen2", "Qwen2TokenizerFast": "qwen2"}
_SUPPORTED = {  # by place in tokenizer.json: the values that llama.cpp's code supports
    "model.type": ("BPE",),
    "model.dropout": (None, 0),
    "model.unk_token": (None,),
    "model.byte_fallback": (None, False),
    "model.ignore_merges": (None, False),
    "model.continuing_subword_prefix": (None, ""),
    "model.end_of_word_suffix": (None, ""),
    "normalizer": ({"type": "NFC"},),
}
_MOST_TOKENS = 1 << 22  # of a vocabulary: the largest have 262,144
_CONTROL = re.compile(r"<\|.*\|>")  # the spelling of a control token, flagged as special or not
_END_OF_TURN = "<|im_end|>"


@dataclass(frozen=True, slots=True)
class ByteVocabulary:
    """A byte-level vocabulary: the tokens by id, and the merges of byte pairs."""

    tokens: tuple[str, ...]
    kinds: tuple[TokenType, ...]
    merges: tuple[str, ...]  # two tokens and a space between
    pre_tokenizer: str  # llama.cpp's name for the way of splitting a text
    ids: Mapping[str, int]

    def write(self, writer: GGUFWriter) -> None:
        """Write the vocabulary into a header."""
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self.pre_tokenizer)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.kinds)
        writer.add_token_merges(self.merges)


def read_vocabulary(checkpoint: Checkpoint, size: int) -> ByteVocabulary:
    """Read the vocabulary from tokenizer.json, or from vocab.json and merges.txt.

    Args:
        checkpoint: the folder.
        size: rows of the model's embedding; ids below it without a token become `[PAD<id>]`.

    Raises:
        BackendError: a file is missing, or asks for something that llama.cpp does otherwise.
    """
    if (checkpoint.folder / "tokenizer.json").is_file():
        return _from_tokenizer_json(checkpoint.json("tokenizer.json"), size)
    return _from_vocab_json(checkpoint, size)


def write_special_tokens(
    writer: GGUFWriter, checkpoint: Checkpoint, vocabulary: ByteVocabulary
) -> None:
    """Write the tokens that begin and end a text, and the chat template.

    Raises:
        BackendError: a file names a token that is not in the vocabulary.
    """
    for name, write in (
        ("bos", writer.add_bos_token_id),
        ("eos", writer.add_eos_token_id),
        ("pad", writer.add_pad_token_id),
    ):
        token = _special_token(name, checkpoint, vocabulary)
        if token is not None:
            write(token)
    if _END_OF_TURN in vocabulary.ids:
        writer.add_eot_token_id(vocabulary.ids[_END_OF_TURN])
    settings = checkpoint.json("tokenizer_config.json")
    writer.add_add_bos_token(bool(settings.find("add_bos_token")))
    template = _chat_template(checkpoint)
    if template is not None:
        writer.add_chat_template(template)


def _special_token(name: str, checkpoint: Checkpoint, vocabulary: ByteVocabulary) -> int | None:
    """Return the id of a special token; the tokenizer's settings override the model's."""
    settings = checkpoint.json("tokenizer_config.json")
    match settings.find(f"{name}_token"):
        case str(text) | {"content": str(text)}:
            if text not in vocabulary.ids:
                raise BackendError(
                    f"{settings.path} has a {name}_token {text!r} that is not a token"
                )
            return vocabulary.ids[text]
    for file in (checkpoint.json("generation_config.json"), checkpoint.config):
        match file.find(f"{name}_token_id"):
            case int(token) | [int(token), *_]:
                if not 0 <= token < len(vocabulary.tokens):
                    raise BackendError(f"{file.path} has a {name}_token_id {token} of no token")
                return token
    return None


def _chat_template(checkpoint: Checkpoint) -> str | None:
    path = checkpoint.folder / "chat_template.jinja"
    if path.is_file():
        return read_utf8(path)
    match checkpoint.json("tokenizer_config.json").find("chat_template"):
        case str(template):
            return template
        case [*several]:
            named = {each["name"]: each["template"] for each in several if _is_template(each)}
            return named.get("default")
    return None


def _is_template(found: object) -> bool:
    match found:
        case {"name": str(), "template": str()}:
            return True
    return False


def _from_tokenizer_json(file: JsonFile, size: int) -> ByteVocabulary:
    for place, allowed in _SUPPORTED.items():
        if file.find(place) not in allowed:
            raise BackendError(
                f"{file.path} has {file.find(place)!r} as {place}; llama.cpp does otherwise"
            )
    return _build_vocabulary(
        file,
        words=file.require("model.vocab", dict),
        added=file.require("added_tokens", list),
        merges=file.require("model.merges", list),
        pre_tokenizer=_find_pre_tokenizer(file),
        size=size,
    )


def _find_pre_tokenizer(file: JsonFile) -> str:
    """Return llama.cpp's name for the way of splitting, by its regular expression."""
    match file.find("pre_tokenizer"):
        case {
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": str(expression)},
                    "behavior": "Isolated",
                    "invert": False,
                },
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
            ],
        } if expression in _PRE_TOKENIZERS:
            return _PRE_TOKENIZERS[expression]
    raise BackendError(f"{file.path} has a pre_tokenizer that llama.cpp has no name for")


def _from_vocab_json(checkpoint: Checkpoint, size: int) -> ByteVocabulary:
    words = JsonFile.read(checkpoint.folder / "vocab.json")
    settings = JsonFile.read(checkpoint.folder / "tokenizer_config.json")
    name = settings.require("tokenizer_class", str)
    if name not in _PRE_TOKENIZER_BY_CLASS:
        raise BackendError(
            f"{settings.path} has the tokenizer_class {name}, which llama.cpp has no name for"
        )
    added = settings.require("added_tokens_decoder", dict)
    lines = read_utf8(checkpoint.folder / "merges.txt").split("\n")
    return _build_vocabulary(
        settings,
        words=words.content,
        added=[_add_id(number, entry) for number, entry in added.items()],
        merges=[line for line in lines if line and not line.startswith("#version")],
        pre_tokenizer=_PRE_TOKENIZER_BY_CLASS[name],
        size=size,
    )


def _add_id(number: str, entry: object) -> object:
    is_number = number.isdecimal() and len(number) < 12
    return {**entry, "id": int(number)} if isinstance(entry, dict) and is_number else entry


def _build_vocabulary(
    file: JsonFile,
    *,
    words: Mapping[str, Any],
    added: Sequence[object],
    merges: Sequence[object],
    pre_tokenizer: str,
    size: int,
) -> ByteVocabulary:
    """Put every token at its id.

    Raises:
        BackendError: two tokens share an id, or one lies outside the model's embedding.
    """
    if size > _MOST_TOKENS:
        raise BackendError(f"{file.path}: a vocabulary of {size:,} tokens is not plausible")
    tokens = [f"[PAD{number}]" for number in range(size)]
    kinds = [TokenType.UNUSED] * size
    entries = [(token, number, TokenType.NORMAL) for token, number in words.items()]
    for token, number, kind in (*entries, *_added_tokens(file, added)):
        if type(number) is not int or not 0 <= number < size:
            raise BackendError(f"{file.path} gives {token!r} the id {number!r}, of {size:,}")
        if kinds[number] != TokenType.UNUSED and tokens[number] != token:
            raise BackendError(f"{file.path} gives {token!r} the id of {tokens[number]!r}")
        tokens[number], kinds[number] = token, kind
    ids = {token: number for number, token in enumerate(tokens)}
    return ByteVocabulary(
        tuple(tokens), tuple(kinds), tuple(_merges(file, merges)), pre_tokenizer, ids
    )


def _added_tokens(
    file: JsonFile, entries: Sequence[object]
) -> Iterator[tuple[str, int, TokenType]]:
    """Yield (token, id, kind) of the tokens that are searched for before all others."""
    for entry in entries:
        match entry:
            case {"content": str(token), "id": int(number), "special": bool(special), **rest}:
                if any(rest.get(flag) for flag in ("lstrip", "rstrip", "single_word")):
                    raise BackendError(
                        f"{file.path} has flags for {token!r} that llama.cpp does not support"
                    )
                control = special or _CONTROL.fullmatch(token)
                yield token, number, TokenType.CONTROL if control else TokenType.USER_DEFINED
            case _:
                raise BackendError(f"{file.path} describes an added token as {entry!r}")


def _merges(file: JsonFile, merges: Sequence[object]) -> Iterator[str]:
    for merge in merges:
        match merge.split(" ") if isinstance(merge, str) else merge:
            case [str(left), str(right)] if left and right and " " not in left + right:
                yield f"{left} {right}"
            case _:
                raise BackendError(
                    f"{file.path} has a merge {merge!r}, which is not a pair of tokens"
                )
