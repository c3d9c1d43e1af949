"""The chain of samplers that picks the next token."""

from typing import Any

from memcli.backends.llama.library import llama_cpp
from memcli.protocols import Sampling


def create_sampler(sampling: Sampling) -> Any:  # Any: an opaque pointer
    """Return a chain that samples as transformers does: temperature before top_p."""
    llama = llama_cpp()
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    if sampling.temperature <= 0:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy())
        return chain
    parts = [llama.llama_sampler_init_temp(sampling.temperature), _create_last(sampling.seed)]
    if sampling.top_p < 1:
        parts.insert(1, llama.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.top_k > 0:
        parts.insert(0, llama.llama_sampler_init_top_k(sampling.top_k))
    for part in parts:
        llama.llama_sampler_chain_add(chain, part)
    return chain


def reseed(chain: Any, seed: int) -> None:  # Any: an opaque pointer
    """Let a chain sample as if it were created with this seed; a greedy chain has none."""
    llama = llama_cpp()
    last = llama.llama_sampler_chain_n(chain) - 1
    if last > 0:
        llama.llama_sampler_free(llama.llama_sampler_chain_remove(chain, last))
        llama.llama_sampler_chain_add(chain, _create_last(seed))


def _create_last(seed: int) -> Any:  # Any: an opaque pointer
    """Return the last part of a chain, which samples from the distribution that is left."""
    # The largest 32-bit number would mean any seed.
    return llama_cpp().llama_sampler_init_dist(seed & 0x7FFFFFFF)
