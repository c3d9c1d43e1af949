"""Smaller weights for a model file, by llama.cpp's own function.

It runs in a process of its own: llama.cpp cannot be stopped in the middle, and where a file makes
no sense to it, it may end the process it is in. The child says on its standard output whatever
llama.cpp says; the parent reads progress and reasons from that.
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
from memcli.errors import BackendError, UsageError

KINDS = {  # as llama.cpp numbers them
    "F16": 1,
    "Q8_0": 7,
    "Q4_K_M": 15,
    "Q5_K_M": 17,
    "Q6_K": 18,
    "BF16": 32,
}
_CHILD = f"import sys; from {__name__} import work; sys.exit(work(*sys.argv[1:]))"
_TENSOR = re.compile(rb"\[ *(\d+)/ *(\d+)\]")


def quantize(
    source: Path,
    target: Path,
    kind: str,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a model file again with smaller weights.

    Where it fails or is interrupted, some of the target may be there: see `files.whole_file`.

    Args:
        source: a GGUF file in F32, F16 or BF16.
        target: the file to write.
        kind: one of `KINDS`.
        threads: None is one per physical core.
        progress: is told, after every tensor, how many are done, of how many.

    Raises:
        ModelNotFoundError: there is no source.
        BackendError: the source is damaged or quantised already, or the target cannot be written.
        UsageError: there is no such kind.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no quantisation {kind}", hint=f"take one of {', '.join(KINDS)}")
    check_gguf(source)
    _run(source, target, kind, threads or physical_cores(), progress or (lambda tensor, of: None))


def _run(
    source: Path, target: Path, kind: str, threads: int, progress: Callable[[int, int], None]
) -> None:
    """Let a child do it.

    Raises:
        BackendError: it failed; with llama.cpp's reason.
    """
    arguments = (source, target, str(KINDS[kind]), str(threads))
    said: deque[bytes] = deque(maxlen=8)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for the parent, who ends the child
    ) as child:
        try:
            for line in child.stdout or ():
                found = _TENSOR.match(line)
                if found:
                    progress(int(found[1]), int(found[2]))
                said.append(line)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise BackendError(f"llama.cpp cannot quantise {source}: {_reason(said, target)}")


def _reason(said: deque[bytes], target: Path) -> str:
    """Return why it failed: llama.cpp does not tell a full disk from other failures to write."""
    if disk_usage(target.parent).free < MIB:
        return f"the disk that holds {target.parent} is full"
    last = b"".join(said).decode("utf-8", "replace").strip() or "it gives no reason"
    return last.rpartition("failed to quantize: ")[2].splitlines()[-1]


def work(source: str, target: str, kind: str, threads: str) -> int:
    """Quantise, as the child; return its exit status."""
    llama = llama_cpp()

    @llama.llama_log_callback  # type: ignore[untyped-decorator]  # the binding has no types here
    def tell(_level: int, text: bytes, _: object) -> None:
        try:
            os.write(1, text)
        except OSError:
            os._exit(1)  # nobody waits for the file any more

    llama.llama_log_set(tell, ctypes.c_void_p(0))
    params = llama.llama_model_quantize_default_params()
    params.ftype, params.nthread = int(kind), int(threads)
    return int(
        llama.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
    )
