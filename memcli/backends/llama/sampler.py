"""How the next token is drawn."""

from typing import Any

from memcli.backends.llama.library import llama_cpp
from memcli.protocols import Sampling


def sampler(sampling: Sampling) -> Any:  # Any: an opaque pointer
    """Return a chain that draws as transformers does: temperature before top_p."""
    llama = llama_cpp()
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    if sampling.temperature <= 0:
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy())
        return chain
    for part in (
        llama.llama_sampler_init_top_k(sampling.top_k),
        llama.llama_sampler_init_temp(sampling.temperature),
        llama.llama_sampler_init_top_p(sampling.top_p, 1),
        _draw(sampling.seed),
    ):
        llama.llama_sampler_chain_add(chain, part)
    return chain


def reseed(chain: Any, seed: int) -> None:  # Any: an opaque pointer
    """Let a chain draw as if it were made with this seed; one that never draws stays as it is."""
    llama = llama_cpp()
    last = llama.llama_sampler_chain_n(chain) - 1
    if last > 0:
        llama.llama_sampler_free(llama.llama_sampler_chain_remove(chain, last))
        llama.llama_sampler_chain_add(chain, _draw(seed))


def _draw(seed: int) -> Any:  # Any: an opaque pointer
    # The largest 32-bit number would mean any seed.
    return llama_cpp().llama_sampler_init_dist(seed & 0x7FFFFFFF)
