"""The tokenizer beside a checkpoint, as llama.cpp wants to have it told.

llama.cpp has its own code for each way of cutting a text before byte pairs are merged and knows
it by a name. What it has no name for is refused: a model that reads slightly other tokens than
it was trained on gives slightly wrong answers, and nobody notices.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gguf import GGUFWriter, TokenType

from memcli.errors import BackendError
from memcli.weights.convert.checkpoint import Checkpoint
from memcli.weights.convert.json_file import JsonFile, read_text

_CUTS = {  # regular expression in tokenizer.json: llama.cpp's name for it
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+": "qwen2",
}
_CUT_BY_CLASS = {"Qwen2Tokenizer": "qwen2", "Qwen2TokenizerFast": "qwen2"}
_AS_LLAMA_CPP_DOES = {  # place in tokenizer.json: values that mean what its code does anyway
    "model.type": ("BPE",),
    "model.dropout": (None, 0),
    "model.unk_token": (None,),
    "model.byte_fallback": (None, False),
    "model.ignore_merges": (None, False),
    "model.continuing_subword_prefix": (None, ""),
    "model.end_of_word_suffix": (None, ""),
    "normalizer": ({"type": "NFC"},),
}
_MARKUP = re.compile(r"<\|.*\|>")  # what names a control token, flagged as special or not
_END_OF_TURN = "<|im_end|>"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A byte-level vocabulary: every token by its id, and how bytes merge into tokens."""

    tokens: tuple[str, ...]
    kinds: tuple[TokenType, ...]
    merges: tuple[str, ...]  # two tokens and a space between
    cut: str  # llama.cpp's name for how a text is cut first
    ids: Mapping[str, int]

    def write(self, writer: GGUFWriter) -> None:
        """Write it into a header."""
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self.cut)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.kinds)
        writer.add_token_merges(self.merges)


def byte_level_vocabulary(checkpoint: Checkpoint, size: int) -> Vocabulary:
    """Return the vocabulary in tokenizer.json, or in vocab.json and merges.txt.

    Args:
        checkpoint: the folder.
        size: rows of the model's embedding: ids up to it that nobody uses become `[PAD<id>]`.

    Raises:
        BackendError: a file is missing, or has what llama.cpp would do otherwise.
    """
    if (checkpoint.folder / "tokenizer.json").is_file():
        return _of_tokenizer_json(checkpoint.json("tokenizer.json"), size)
    return _of_vocab_json(checkpoint, size)


def write_marks(writer: GGUFWriter, checkpoint: Checkpoint, vocabulary: Vocabulary) -> None:
    """Write which tokens begin and end a text, and the chat template.

    Raises:
        BackendError: a file names a token that the vocabulary does not have.
    """
    for name, write in (
        ("bos", writer.add_bos_token_id),
        ("eos", writer.add_eos_token_id),
        ("pad", writer.add_pad_token_id),
    ):
        token = _mark(name, checkpoint, vocabulary)
        if token is not None:
            write(token)
    if _END_OF_TURN in vocabulary.ids:
        writer.add_eot_token_id(vocabulary.ids[_END_OF_TURN])
    settings = checkpoint.json("tokenizer_config.json")
    writer.add_add_bos_token(bool(settings.look("add_bos_token")))
    template = _chat_template(checkpoint)
    if template is not None:
        writer.add_chat_template(template)


def _mark(name: str, checkpoint: Checkpoint, vocabulary: Vocabulary) -> int | None:
    """Return the token of this name: the tokenizer's word goes before the model's number."""
    settings = checkpoint.json("tokenizer_config.json")
    match settings.look(f"{name}_token"):
        case str(text) | {"content": str(text)}:
            if text not in vocabulary.ids:
                raise BackendError(f"{settings.path} has a {name}_token {text!r} that is no token")
            return vocabulary.ids[text]
    for file in (checkpoint.json("generation_config.json"), checkpoint.config):
        match file.look(f"{name}_token_id"):
            case int(token) | [int(token), *_]:
                if not 0 <= token < len(vocabulary.tokens):
                    raise BackendError(f"{file.path} has a {name}_token_id {token} of no token")
                return token
    return None


def _chat_template(checkpoint: Checkpoint) -> str | None:
    path = checkpoint.folder / "chat_template.jinja"
    if path.is_file():
        return read_text(path)
    match checkpoint.json("tokenizer_config.json").look("chat_template"):
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


def _of_tokenizer_json(file: JsonFile, size: int) -> Vocabulary:
    for place, allowed in _AS_LLAMA_CPP_DOES.items():
        if file.look(place) not in allowed:
            raise BackendError(
                f"{file.path} has {file.look(place)!r} as {place}; llama.cpp does otherwise"
            )
    return _vocabulary(
        file,
        words=file.take("model.vocab", dict),
        added=file.take("added_tokens", list),
        merges=file.take("model.merges", list),
        cut=_cut(file),
        size=size,
    )


def _cut(file: JsonFile) -> str:
    """Return llama.cpp's name for how a text is cut, found by the regular expression that cuts."""
    match file.look("pre_tokenizer"):
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
        } if expression in _CUTS:
            return _CUTS[expression]
    raise BackendError(f"{file.path} has a pre_tokenizer that llama.cpp has no name for")


def _of_vocab_json(checkpoint: Checkpoint, size: int) -> Vocabulary:
    words = JsonFile.read(checkpoint.folder / "vocab.json")
    settings = JsonFile.read(checkpoint.folder / "tokenizer_config.json")
    name = settings.take("tokenizer_class", str)
    if name not in _CUT_BY_CLASS:
        raise BackendError(
            f"{settings.path} has the tokenizer_class {name}, which llama.cpp has no name for"
        )
    added = settings.take("added_tokens_decoder", dict)
    lines = read_text(checkpoint.folder / "merges.txt").split("\n")
    return _vocabulary(
        settings,
        words=words.content,
        added=[_with_id(number, entry) for number, entry in added.items()],
        merges=[line for line in lines if line and not line.startswith("#version")],
        cut=_CUT_BY_CLASS[name],
        size=size,
    )


def _with_id(number: str, entry: object) -> object:
    return {**entry, "id": int(number)} if isinstance(entry, dict) and number.isdecimal() else entry


def _vocabulary(
    file: JsonFile,
    *,
    words: Mapping[str, Any],
    added: Sequence[object],
    merges: Sequence[object],
    cut: str,
    size: int,
) -> Vocabulary:
    """Put everything at its id.

    Raises:
        BackendError: two tokens share an id, or one lies outside the model's embedding.
    """
    tokens = [f"[PAD{number}]" for number in range(size)]
    kinds = [TokenType.UNUSED] * size
    entries = [(token, number, TokenType.NORMAL) for token, number in words.items()]
    for token, number, kind in (*entries, *_added(file, added)):
        if type(number) is not int or not 0 <= number < size:
            raise BackendError(f"{file.path} gives {token!r} the id {number!r}, of {size:,}")
        if kinds[number] != TokenType.UNUSED and tokens[number] != token:
            raise BackendError(f"{file.path} gives {token!r} the id of {tokens[number]!r}")
        tokens[number], kinds[number] = token, kind
    ids = {token: number for number, token in enumerate(tokens)}
    return Vocabulary(tuple(tokens), tuple(kinds), tuple(_merges(file, merges)), cut, ids)


def _added(file: JsonFile, entries: Sequence[object]) -> Iterator[tuple[str, int, TokenType]]:
    """Yield (token, id, kind) of the tokens that are found in a text before all others."""
    for entry in entries:
        match entry:
            case {"content": str(token), "id": int(number), "special": bool(special), **rest}:
                if any(rest.get(wish) for wish in ("lstrip", "rstrip", "single_word")):
                    raise BackendError(
                        f"{file.path} wants {token!r} found in a way that llama.cpp does not know"
                    )
                control = special or _MARKUP.fullmatch(token)
                yield token, number, TokenType.CONTROL if control else TokenType.USER_DEFINED
            case _:
                raise BackendError(f"{file.path} describes an added token as {entry!r}")


def _merges(file: JsonFile, merges: Sequence[object]) -> Iterator[str]:
    for merge in merges:
        match merge.split(" ") if isinstance(merge, str) else merge:
            case [str(left), str(right)] if left and right and " " not in left + right:
                yield f"{left} {right}"
            case _:
                raise BackendError(f"{file.path} has a merge {merge!r}, which is no pair of tokens")
