"""Quantization of a model file, by llama.cpp's own function.

It runs in a process of its own: llama.cpp cannot be stopped in the middle, and it may end its
process if a file makes no sense to it. The child prints llama.cpp's log on its standard output;
the parent reads progress and reasons from that.
"""

import ctypes
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from shutil import disk_usage

from memcli.backends.gguf_check import MIB, check_gguf
from memcli.backends.llama.host import physical_cores
from memcli.backends.llama.library import llama_cpp
from memcli.callbacks import ignore
from memcli.errors import BackendError, UsageError

FILE_TYPES = {  # llama.cpp's number of each type of file
    "F16": 1,
    "Q8_0": 7,
    "Q4_K_M": 15,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "BF16": 32,
}
_CHILD = f"import sys; from {__name__} import run_child; sys.exit(run_child(*sys.argv[1:]))"
_TENSOR = re.compile(rb"\[ *(\d+)/ *(\d+)\]")


def quantize(
    source: Path,
    target: Path,
    kind: str,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] = ignore,
) -> None:
    """Write a copy of a model file with smaller weights.

    After a failure or an interruption a part of the target may be there; to avoid that, write it
    through `files.locked_atomic_write`.

    Args:
        source: a GGUF file in F32, F16 or BF16.
        target: the file to write.
        kind: one of `FILE_TYPES`.
        threads: None is one per physical core.
        progress: is called after every tensor with the numbers of tensors done and of all.

    Raises:
        ModelNotFoundError: there is no source.
        BackendError: the source is damaged or quantized already, or the target cannot be written.
        UsageError: there is no such kind.
    """
    if kind not in FILE_TYPES:
        raise UsageError(
            f"there is no quantization {kind}", hint=f"use one of {', '.join(FILE_TYPES)}"
        )
    check_gguf(source)
    _run(source, target, kind, threads or physical_cores(), progress)


def _run(
    source: Path, target: Path, kind: str, threads: int, progress: Callable[[int, int], None]
) -> None:
    """Quantize in a child process.

    Raises:
        BackendError: it failed; with llama.cpp's reason.
    """
    arguments = (source, target, str(FILE_TYPES[kind]), str(threads))
    log: deque[bytes] = deque(maxlen=8)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches the parent only, which ends the child
    ) as child:
        try:
            for line in child.stdout or ():
                found = _TENSOR.match(line)
                if found:
                    progress(int(found[1]), int(found[2]))
                log.append(line)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise BackendError(f"llama.cpp cannot quantise {source}: {_reason(log, target)}")


def _reason(log: deque[bytes], target: Path) -> str:
    """Return the reason of a failure; llama.cpp does not tell a full disk from other failures."""
    if disk_usage(target.parent).free < MIB:
        return f"the disk that holds {target.parent} is full"
    last = b"".join(log).decode("utf-8", "replace").strip() or "it gives no reason"
    return last.rpartition("failed to quantize: ")[2].splitlines()[-1]


def run_child(source: str, target: str, kind: str, threads: str) -> int:
    """Quantize, as the child; return its exit status."""
    llama = llama_cpp()

    @llama.llama_log_callback  # type: ignore[untyped-decorator]  # the binding has no types here
    def print_log(_level: int, text: bytes, _: object) -> None:
        try:
            os.write(1, text)
        except OSError:
            os._exit(1)  # the parent is gone

    llama.llama_log_set(print_log, ctypes.c_void_p(0))
    params = llama.llama_model_quantize_default_params()
    params.ftype, params.nthread = int(kind), int(threads)
    return int(
        llama.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
    )
