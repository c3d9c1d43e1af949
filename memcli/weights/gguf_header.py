"""Whether the header of a GGUF file and its list of tensors are those of the model it should be.

Nothing here runs the model. The file must have been found whole before (`backends.gguf_check`):
a header can promise more than the file has.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memcli.errors import BackendError

# Tensors that a block cannot do without, by architecture; `.weight` left out.
_BLOCK = {
    "qwen3": "attn_norm attn_q attn_k attn_v attn_output attn_q_norm attn_k_norm"
    " ffn_norm ffn_gate ffn_up ffn_down",
    "bert": "attn_output attn_output_norm ffn_up ffn_down layer_output_norm",
    "nomic-bert": "attn_output attn_output_norm ffn_gate ffn_up ffn_down layer_output_norm",
}
_WHOLE = {
    "qwen3": "token_embd output_norm",
    "bert": "token_embd token_embd_norm",
    "nomic-bert": "token_embd token_embd_norm",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a GGUF file says of itself."""

    architecture: str
    blocks: int
    dimensions: int
    tokens: frozenset[str]
    vocabulary: int  # tokens, repeats counted
    has_template: bool
    tensors: Mapping[str, tuple[int, ...]]  # shapes, innermost first, as GGUF has them


def read_contents(path: Path) -> Contents:
    """Return the header's facts and the table of tensors.

    Raises:
        BackendError: the file is no GGUF that the `gguf` package can read.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
        architecture = str(_value(reader, "general.architecture", ""))
        tokens = _value(reader, "tokenizer.ggml.tokens", [])
        return Contents(
            architecture=architecture,
            blocks=int(_value(reader, f"{architecture}.block_count", 0)),
            dimensions=int(_value(reader, f"{architecture}.embedding_length", 0)),
            tokens=frozenset(tokens),
            vocabulary=len(tokens),
            has_template=bool(_value(reader, "tokenizer.chat_template", "")),
            tensors={one.name: tuple(map(int, one.shape)) for one in reader.tensors},
        )
    # The reader trusts the header: these are the ways in which a wrong one makes it stumble.
    except (ValueError, TypeError, LookupError, OverflowError, OSError) as error:
        raise BackendError(f"the header of {path} cannot be read: {error}") from error


def faults(
    contents: Contents,
    *,
    architecture: str = "",
    blocks: int | None = None,
    dimensions: int | None = None,
    tied: bool | None = None,
    special: tuple[str, ...] = (),
    template: bool = False,
) -> list[str]:
    """Return what in a file is not as it should be, one sentence each; nothing if all is.

    Args:
        contents: of the file.
        architecture: that it must have, as GGUF calls it; empty leaves it open.
        blocks: that it must have.
        dimensions: of a token's vector.
        tied: whether it must have no output matrix of its own.
        special: tokens that its vocabulary must have.
        template: whether it must have a chat template.
    """
    found = []
    for what, is_so, should_be in (
        ("architecture", contents.architecture, architecture or None),
        ("number of blocks", contents.blocks, blocks),
        ("width", contents.dimensions, dimensions),
    ):
        if should_be is not None and is_so != should_be:
            found.append(f"its {what} is {is_so}, not {should_be}")
    if tied is not None and tied == ("output.weight" in contents.tensors):
        found.append(f"it has {'an' if tied else 'no'} output matrix of its own")
    found += [f"its vocabulary has no {token}" for token in special if token not in contents.tokens]
    if template and not contents.has_template:
        found.append("it has no chat template")
    return found + list(_incomplete(contents))


def _incomplete(contents: Contents) -> Iterator[str]:
    """Yield which tensors are missing or have a shape that no other tensor agrees with.

    Only of architectures whose blocks are known to be alike.
    """
    if contents.architecture not in _BLOCK:
        return
    missing = [
        f"{name}.weight"
        for name in _WHOLE[contents.architecture].split()
        if f"{name}.weight" not in contents.tensors
    ]
    blocks: dict[int, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for name, shape in contents.tensors.items():
        place, _, rest = name.removeprefix("blk.").partition(".")
        if name.startswith("blk.") and place.isdigit():
            blocks[int(place)][rest] = shape
    needed = {f"{name}.weight" for name in _BLOCK[contents.architecture].split()}
    needed |= set(blocks[0])
    # A damaged count can be thousands of millions: one block more than there are has to be missing.
    for block in range(min(contents.blocks, len(blocks) + 1)):
        missing += [f"blk.{block}.{name}" for name in sorted(needed - set(blocks[block]))]
        yield from (
            f"blk.{block}.{name} is {_times(shape)}, that of block 0 {_times(blocks[0][name])}"
            for name, shape in blocks[block].items()
            if shape != blocks[0].get(name, shape)
        )
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield f"tensors are missing: {', '.join(missing[:3])}{more}"
    expected = (contents.dimensions, contents.vocabulary)
    table = contents.tensors.get("token_embd.weight", expected)
    if table != expected:
        yield f"token_embd.weight is {_times(table)}, and its vocabulary needs {_times(expected)}"


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _value(reader: Any, key: str, otherwise: Any) -> Any:  # Any: what a header holds
    field = reader.get_field(key)
    return otherwise if field is None else field.contents()
