"""Text to tokens and back, as in the llama backend: markup and people's text apart."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from memcli.backends.generation.plain_text import make_splitter
from memcli.backends.torch_bf16.torch_imports import transformers, translate_load_errors
from memcli.errors import BackendError

_CONTROL_NAME = re.compile(r"<\|.*\|>")  # control tokens need not be flagged as special


class TorchTokenizer:
    """The tokenizer in a model's folder.

    Raises:
        BackendError: there is none, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with translate_load_errors(folder):
            tokenizer = transformers().AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        self._tokenizer: Any = tokenizer  # Any: its class depends on the folder
        self._added = {
            token: (each.content, each.special)
            for token, each in tokenizer.added_tokens_decoder.items()
        }

    def encode_markup(self, text: str) -> list[int]:
        """Return the tokens of a prompt's own markup: names of special tokens become them."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a person's text: none is special, even if the text spells one."""
        valid = text.encode("utf-8", "replace").decode()  # lone surrogates are refused
        return [token for part in self._split(valid) for token in self._encode_part(part)]

    def _encode_part(self, text: str) -> list[int]:
        found = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return list(found["input_ids"])

    @property
    def bos_token(self) -> int | None:
        """The token that every prompt begins with; None if the vocabulary wants none."""
        wanted = getattr(self._tokenizer, "add_bos_token", False)
        return self._tokenizer.bos_token_id if wanted else None

    def encode_single(self, text: str) -> int:
        """Return the one token of a text.

        Raises:
            BackendError: the vocabulary spells it with several.
        """
        tokens = self.encode(text)
        if len(tokens) != 1:
            raise BackendError(f"the vocabulary of {self.folder} has no token for {text!r}")
        return tokens[0]

    def decode_token(self, token: int) -> bytes:
        """Return the text of a token: a special token's name; maybe only a part of a letter."""
        if token in self._added:
            return str(self._added[token][0]).encode()
        text = str(self._tokenizer.convert_ids_to_tokens(token) or "")
        if all(character in self._byte_of for character in text):
            return bytes(map(self._byte_of.__getitem__, text))
        return str(self._tokenizer.decode([token])).encode()

    def is_end(self, token: int) -> bool:
        """Return whether a model that samples this token has finished, or begins a new message."""
        name, special = self._added.get(token, ("", False))
        return (
            special or bool(_CONTROL_NAME.fullmatch(name)) or token == self._tokenizer.eos_token_id
        )

    @property
    def special_tokens(self) -> frozenset[int]:
        """The tokens that no text becomes."""
        return frozenset(self._added)

    @property
    def template_variables(self) -> dict[str, str]:
        """The texts of the chat template's `bos_token` and `eos_token`."""
        names = ("bos_token", "eos_token")
        return {name: str(getattr(self._tokenizer, name) or "") for name in names}

    @property
    def chat_template(self) -> str | None:
        """The chat template that came with the model."""
        template = self._tokenizer.chat_template
        found = template.get("default") if isinstance(template, dict) else template
        return str(found) if found else None

    @cached_property
    def _split(self) -> Any:  # Any: mypy takes a function kept in a property for a method
        return make_splitter(name for name, _ in self._added.values())

    @cached_property
    def _byte_of(self) -> dict[str, int]:
        """The bytes by GPT-2's printable characters that stand for them."""
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in printable]
        characters = {chr(byte): byte for byte in printable}
        return characters | {chr(256 + number): byte for number, byte in enumerate(others)}
