"""Text to tokens and back, as the llama backend does it: markup and people's words apart."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from memcli.backends.generation.plain_text import cutter
from memcli.backends.torch_bf16.torch_imports import loading, transformers
from memcli.errors import BackendError

_MARKUP = re.compile(r"<\|.*\|>")  # what names a control token, flagged as special or not


class Vocabulary:
    """The tokenizer that lies beside a model.

    Raises:
        BackendError: there is none, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with loading(folder):
            tokenizer = transformers().AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        self._tokenizer: Any = tokenizer  # Any: its class depends on the folder
        self._added = {
            token: (each.content, each.special)
            for token, each in tokenizer.added_tokens_decoder.items()
        }

    def markup(self, text: str) -> list[int]:
        """Return the tokens of a prompt's own text: names of special tokens become them."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def plain(self, text: str) -> list[int]:
        """Return the tokens of somebody's words: none of them is special, whatever they spell."""
        sound = text.encode("utf-8", "replace").decode()  # lone surrogates are refused
        return [token for part in self._cut(sound) for token in self._words(part)]

    def _words(self, text: str) -> list[int]:
        found = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return list(found["input_ids"])

    @property
    def begin(self) -> int | None:
        """The token that every prompt begins with, in vocabularies that want one."""
        wanted = getattr(self._tokenizer, "add_bos_token", False)
        return self._tokenizer.bos_token_id if wanted else None

    def single(self, text: str) -> int:
        """Return the one token of a text.

        Raises:
            BackendError: the vocabulary spells it with several.
        """
        tokens = self.plain(text)
        if len(tokens) != 1:
            raise BackendError(f"the vocabulary of {self.folder} has no token for {text!r}")
        return tokens[0]

    def piece(self, token: int) -> bytes:
        """Return what a token writes: special tokens their names, others maybe half a letter."""
        if token in self._added:
            return str(self._added[token][0]).encode()
        text = str(self._tokenizer.convert_ids_to_tokens(token) or "")
        if all(letter in self._bytes for letter in text):
            return bytes(map(self._bytes.__getitem__, text))
        return str(self._tokenizer.decode([token])).encode()

    def ends(self, token: int) -> bool:
        """Return whether a model that draws this token has finished, or begins a new message."""
        name, special = self._added.get(token, ("", False))
        return special or bool(_MARKUP.fullmatch(name)) or token == self._tokenizer.eos_token_id

    @property
    def special(self) -> frozenset[int]:
        """Tokens that no text becomes."""
        return frozenset(self._added)

    @property
    def marks(self) -> dict[str, str]:
        """What a chat template knows the first and the last token by."""
        names = ("bos_token", "eos_token")
        return {name: str(getattr(self._tokenizer, name) or "") for name in names}

    @property
    def template(self) -> str | None:
        """The chat template that came with the model."""
        template = self._tokenizer.chat_template
        found = template.get("default") if isinstance(template, dict) else template
        return str(found) if found else None

    @cached_property
    def _cut(self) -> Any:  # Any: mypy takes a function kept in a property for a method
        return cutter(name for name, _ in self._added.values())

    @cached_property
    def _bytes(self) -> dict[str, int]:
        """GPT-2's printable letters, and the byte that each stands for."""
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in printable]
        letters = {chr(byte): byte for byte in printable}
        return letters | {chr(256 + number): byte for number, byte in enumerate(others)}
