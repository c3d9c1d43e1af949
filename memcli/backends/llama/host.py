"""What of this machine is ours: cores and memory, less what a container keeps from us."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_MEMORY = Path("/proc/meminfo")
_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def physical_cores() -> int:
    """Return the number of cores this process may use; two threads of one core count once.

    Where the system does not tell cores from threads, every thread counts.
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
    return max(1, min([len(cores), *map(ceil, _shares())]))


def free_memory() -> int | None:
    """Return the bytes that programs can still have; None where the system does not tell."""
    free = []
    with suppress(OSError, ValueError):
        free.append(_named(_MEMORY.read_text())["MemAvailable:"] * 1024)
    for group in _groups():
        with suppress(OSError, ValueError):
            most = int((group / "memory.max").read_text())
            used = int((group / "memory.current").read_text())
            # Files that were read count as used, and make room for whoever needs it.
            cached = _named((group / "memory.stat").read_text()).get("inactive_file", 0)
            free.append(max(0, most - used + cached))
    return min(free, default=None)


def _shares() -> Iterator[float]:
    """Yield how many cores' worth of time this process and those around it may use."""
    for group in _groups():
        with suppress(OSError, ValueError):
            quota, period = (group / "cpu.max").read_text().split()
            yield int(quota) / int(period)


def _groups() -> Iterator[Path]:
    """Yield the control group that this process is in, and those around that one."""
    with suppress(OSError):
        for line in _GROUP.read_text().splitlines():
            if line.startswith("0::/"):  # version 2
                inner = _GROUPS / line.removeprefix("0::/")
                yield from (inner, *(up for up in inner.parents if up.is_relative_to(_GROUPS)))


def _named(table: str) -> dict[str, int]:
    """Read lines of a name and a number, as the kernel writes them."""
    return {name: int(number) for name, number, *_ in map(str.split, table.splitlines())}
