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
    seed = sampling.seed & 0x7FFFFFFF  # the largest 32-bit number would mean any seed
    for part in (
        llama.llama_sampler_init_top_k(sampling.top_k),
        llama.llama_sampler_init_temp(sampling.temperature),
        llama.llama_sampler_init_top_p(sampling.top_p, 1),
        llama.llama_sampler_init_dist(seed),
    ):
        llama.llama_sampler_chain_add(chain, part)
    return chain
