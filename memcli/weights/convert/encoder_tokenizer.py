"""The tokenizer of an encoder, as llama.cpp wants to have it told.

A tokenizer.json describes a pipeline of any parts; llama.cpp has one of each kind in code. What
differs from it is refused: see `vocabulary`.
"""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from gguf import GGUFWriter, TokenType

from memcli.errors import BackendError
from memcli.weights.convert.checkpoint import Checkpoint
from memcli.weights.convert.json_file import JsonFile

_WORD_PIECES = {  # place in tokenizer.json: values that mean what llama.cpp's code does anyway
    "model.type": ("WordPiece",),
    "model.continuing_subword_prefix": ("##",),
    "normalizer.type": ("BertNormalizer",),
    "normalizer.clean_text": (True,),
    "normalizer.handle_chinese_chars": (True,),
    "normalizer.strip_accents": (None, True),
    "normalizer.lowercase": (True,),  # the other way, only the youngest llama.cpp can
    "pre_tokenizer": ({"type": "BertPreTokenizer"},),
}
_LARGEST = 1e6  # of scores, which are logarithms
_UNIGRAMS = {
    "model.type": ("Unigram",),
    "model.byte_fallback": (None, False),
}
_SPACE = "▁"


def write_word_pieces(writer: GGUFWriter, checkpoint: Checkpoint, size: int) -> None:
    """Write BERT's vocabulary.

    Args:
        writer: of the file to be.
        checkpoint: the folder, with a tokenizer.json.
        size: rows of the model's embedding: ids up to it that nobody uses become `[PAD<id>]`.

    Raises:
        BackendError: tokenizer.json is missing, or has what llama.cpp would do otherwise.
    """
    file = _agreed(checkpoint, _WORD_PIECES)
    listed = _Listed.empty(file, size)
    for piece, number in file.take("model.vocab", dict).items():
        listed.put(_marked(piece), number, TokenType.NORMAL)
    listed.add_special()
    unknown = listed.number_of(file.take("model.unk_token", str))
    listed.kinds[unknown] = TokenType.UNKNOWN
    begin, end = _frame(file)
    writer.add_tokenizer_model("bert")
    listed.write(writer)
    writer.add_unk_token_id(unknown)
    writer.add_bos_token_id(listed.number_of(begin))
    writer.add_sep_token_id(listed.number_of(end))
    _write_padding(writer, checkpoint)


def write_unigrams(writer: GGUFWriter, checkpoint: Checkpoint, size: int) -> None:
    """Write XLM-RoBERTa's vocabulary; arguments and errors are those of `write_word_pieces`."""
    file = _agreed(checkpoint, _UNIGRAMS)
    if not _splits_at_spaces(file.look("pre_tokenizer")):
        raise BackendError(f"{file.path} has a pre_tokenizer that llama.cpp does not know")
    listed, scores = _Listed.empty(file, size), [0.0] * size
    for number, entry in enumerate(file.take("model.vocab", list)):
        match entry:
            case [str(piece), int(score) | float(score)] if abs(score) < _LARGEST:
                listed.put(piece, number, TokenType.NORMAL)
                scores[number] = float(score)
            case _:
                raise BackendError(f"{file.path} has {entry!r} in its vocabulary")
    listed.add_special()
    unknown = file.take("model.unk_id", int)
    listed.kinds[listed.within("what is unknown", unknown)] = TokenType.UNKNOWN
    begin, end = _frame(file)
    writer.add_tokenizer_model("t5")
    listed.write(writer)
    writer.add_token_scores(scores)
    writer.add_unk_token_id(unknown)
    writer.add_bos_token_id(listed.number_of(begin))
    writer.add_eos_token_id(listed.number_of(end))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_precompiled_charsmap(_charsmap(file))
    _write_padding(writer, checkpoint)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A vocabulary in the making: every token at its number."""

    file: JsonFile
    tokens: list[str]
    kinds: list[TokenType]

    @classmethod
    def empty(cls, file: JsonFile, size: int) -> "_Listed":
        return cls(file, [f"[PAD{number}]" for number in range(size)], [TokenType.UNUSED] * size)

    def put(self, token: str, number: object, kind: TokenType) -> None:
        place = self.within(token, number)
        self.tokens[place], self.kinds[place] = token, kind

    def within(self, token: str, number: object) -> int:
        if not isinstance(number, int) or not 0 <= number < len(self.tokens):
            raise BackendError(
                f"{self.file.path} gives {token!r} the id {number!r}, of {len(self.tokens):,}"
            )
        return number

    def add_special(self) -> None:
        """Put the tokens that are found in a text before all others, if somebody lets them."""
        for entry in self.file.take("added_tokens", list):
            match entry:
                case {"content": str(token), "id": number, "special": True}:
                    self.put(token, number, TokenType.CONTROL)
                case _:
                    raise BackendError(f"{self.file.path} has an added token {entry!r}")

    def number_of(self, token: str) -> int:
        if token not in self.tokens:
            raise BackendError(f"{self.file.path} has no token {token!r}")
        return self.tokens.index(token)

    def write(self, writer: GGUFWriter) -> None:
        try:
            "".join(self.tokens).encode()
        except UnicodeEncodeError as error:
            raise BackendError(f"{self.file.path} has a token that is no text") from error
        if len(set(self.tokens)) < len(self.tokens):  # llama.cpp would end the process
            raise BackendError(f"{self.file.path} has two tokens that are spelled alike")
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.kinds)


def _agreed(checkpoint: Checkpoint, places: dict[str, tuple[Any, ...]]) -> JsonFile:
    """Return tokenizer.json once these places have values that llama.cpp agrees with."""
    file = JsonFile.read(checkpoint.folder / "tokenizer.json")
    for place, allowed in places.items():
        if file.look(place) not in allowed:
            raise BackendError(
                f"{file.path} has {file.look(place)!r} as {place}; llama.cpp does otherwise"
            )
    return file


def _marked(piece: str) -> str:
    """BERT marks where a word goes on, llama.cpp where it begins."""
    return piece[2:] if piece.startswith("##") and piece != "##" else _SPACE + piece


def _frame(file: JsonFile) -> tuple[str, str]:
    """Return the special tokens that a text stands between."""
    match file.look("post_processor"):
        case {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": str(begin)}},
                {"Sequence": {"id": "A"}},
                {"SpecialToken": {"id": str(end)}},
            ],
        }:
            return begin, end
        case {
            "type": "BertProcessing" | "RobertaProcessing",
            "cls": [str(begin), _],
            "sep": [str(end), _],
        }:
            return begin, end
    raise BackendError(f"{file.path} puts a text between other tokens than llama.cpp does")


def _splits_at_spaces(found: object) -> bool:
    """Whether words are what stands between spaces, each with a mark before it."""
    match found:
        case {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, last]}:
            return _splits_at_spaces(last)
        case {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}:
            return True
        case {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}:
            return True
    return False


def _charsmap(file: JsonFile) -> bytes:
    """Return SentencePiece's table of what a letter is replaced by."""
    found = file.look("normalizer")
    steps = found.get("normalizers") if isinstance(found, dict) else None
    encoded = ""
    for step in steps if isinstance(steps, list) else [found]:
        match step:
            case {"type": "Precompiled", "precompiled_charsmap": str(table)}:
                encoded = table
            case {"type": "Strip"} | {"type": "Replace", "pattern": {"Regex": " {2,}"}}:
                pass  # spaces that llama.cpp drops too
            case _:
                raise BackendError(f"{file.path} has a normalizer that llama.cpp does not know")
    try:
        decoded = b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise BackendError(f"{file.path} has a precompiled_charsmap that is no base64") from error
    if not 4 <= int.from_bytes(decoded[:4], "little") < len(decoded) - 4:
        raise BackendError(f"{file.path} has no precompiled_charsmap, or one that is cut short")
    return decoded


def _write_padding(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    padding = checkpoint.config.look("pad_token_id")
    if isinstance(padding, int):
        writer.add_pad_token_id(padding)
