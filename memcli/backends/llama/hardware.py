"""Descriptions of the hardware that llama.cpp computes with."""

from memcli.backends.llama.host import free_memory, physical_cores
from memcli.backends.llama.library import llama_cpp


def list_accelerators() -> list[str]:
    """Return the kinds of accelerator that this build of llama.cpp finds, such as `CUDA`.

    Raises:
        BackendError: llama.cpp is not installed, or was built for another machine.
    """
    llama = llama_cpp()
    if not llama.llama_supports_gpu_offload():
        return []
    system_info = llama.llama_print_system_info().decode("utf-8", "replace")
    kinds = [part.partition(":")[0].strip() for part in system_info.split("|") if ":" in part]
    return [kind for kind in kinds if kind and kind != "CPU"] or ["GPU"]


def describe_processor() -> str:
    """Return the numbers of cores and of free bytes of memory, in words."""
    free = free_memory()
    memory = "" if free is None else f", {free / 1e9:.1f} GB of memory free"
    return f"{physical_cores()} cores{memory}"
