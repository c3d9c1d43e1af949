"""The hardware that this process may use: cores, memory, accelerators, within its container."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

from memcli.backends.llama.library import llama_cpp

_CPUS = Path("/sys/devices/system/cpu")
_MEMORY = Path("/proc/meminfo")
_OWN_GROUP = Path("/proc/self/cgroup")
_GROUP_TREE = Path("/sys/fs/cgroup")


def physical_cores() -> int:
    """Return the number of cores this process may use; two threads of one core count once.

    If the system does not tell cores from threads, every thread counts.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = set()
    for cpu in os.sched_getaffinity(0):
        siblings = _CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list"
        try:
            cores.add(siblings.read_text().strip())
        except OSError:
            cores.add(str(cpu))
    return max(1, min([len(cores), *map(ceil, _cpu_quotas())]))


def free_memory() -> int | None:
    """Return the bytes that programs can still have; None if the system does not tell."""
    free = []
    with suppress(OSError, ValueError):
        free.append(_parse_table(_MEMORY.read_text())["MemAvailable:"] * 1024)
    for group in _control_groups():
        with suppress(OSError, ValueError):
            most = int((group / "memory.max").read_text())
            used = int((group / "memory.current").read_text())
            # The cache of files counts as used, but makes room for a program that needs it.
            cached = _parse_table((group / "memory.stat").read_text()).get("inactive_file", 0)
            free.append(max(0, most - used + cached))
    return min(free, default=None)


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


def _cpu_quotas() -> Iterator[float]:
    """Yield the quota of each control group, in cores."""
    for group in _control_groups():
        with suppress(OSError, ValueError):
            quota, period = (group / "cpu.max").read_text().split()
            yield int(quota) / int(period)


def _control_groups() -> Iterator[Path]:
    """Yield the control group of this process, and the groups around it, inside to outside."""
    with suppress(OSError):
        for line in _OWN_GROUP.read_text().splitlines():
            if line.startswith("0::/"):  # control groups of version 2
                inner = _GROUP_TREE / line.removeprefix("0::/")
                yield from (inner, *(up for up in inner.parents if up.is_relative_to(_GROUP_TREE)))


def _parse_table(table: str) -> dict[str, int]:
    """Parse the kernel's lines of a name and a number."""
    return {name: int(number) for name, number, *_ in map(str.split, table.splitlines())}
