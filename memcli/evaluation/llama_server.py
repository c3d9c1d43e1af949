"""llama.cpp's own server beside our reranking, if `llama-server` or xllamacpp is installed."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import Request, urlopen

from memcli.evaluation.speed import PROMPT, JudgePassages

_XLLAMACPP = """if True:
    import json, sys
    import xllamacpp
    wanted = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = wanted["model"]
    params.hostnames, params.port = ["127.0.0.1"], wanted["port"]
    params.n_ctx, params.n_batch, params.n_ubatch, params.n_parallel = 2048, 2048, 512, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    if wanted["gpu_layers"] is not None:
        params.n_gpu_layers = wanted["gpu_layers"]
    server = xllamacpp.Server(params)
    sys.stdin.read()
"""
_START_SECONDS = 120.0
_REPLY_SECONDS = 300.0


@contextmanager
def running_llama_server(
    path: Path, *, threads: int, gpu_layers: int | None
) -> Iterator[JudgePassages | None]:
    """Start the server on a file, and judge by it; give None if it is not installed or ends.

    It judges a pair a request by the token that follows the prompt, and keeps what it has read, so
    that it reads the head of the prompts once, too. Its judgments are not looked at, its time is.

    Args:
        path: a GGUF file.
        threads: of the processor.
        gpu_layers: layers to run on the GPU; None leaves it to the server.
    """
    port = _free_port()
    command = _server_command(path, port, threads=threads, gpu_layers=gpu_layers)
    if not command:
        yield None
        return
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # is closed with this process, and ends xllamacpp's server
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            yield _judge_at(address) if _is_ready(address, process) else None
        finally:
            process.kill()


def _server_command(
    path: Path, port: int, *, threads: int, gpu_layers: int | None
) -> list[str] | None:
    """Return the command of a server; None if neither program nor package is installed."""
    if program := shutil.which("llama-server"):
        options = ["-m", str(path), "--host", "127.0.0.1", "--port", str(port), "-t", str(threads)]
        options += ["-c", "2048", "-ub", "512", "--parallel", "1"]
        options += [] if gpu_layers is None else ["-ngl", str(gpu_layers)]
        return [program, *options]
    if find_spec("xllamacpp"):
        numbers = {"port": port, "threads": threads, "gpu_layers": gpu_layers}
        return [sys.executable, "-c", _XLLAMACPP, json.dumps({"model": str(path), **numbers})]
    return None


def _judge_at(address: str) -> JudgePassages:
    def judge(question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        for index, passage in enumerate(passages):
            body = PROMPT.body.format(query=question, document=passage)
            prompt = PROMPT.prefix + body + PROMPT.suffix
            request = {"prompt": prompt, "n_predict": 1, "temperature": 0, "cache_prompt": True}
            _post(f"{address}/completion", request)
            yield index, 0.5

    return judge


def _post(address: str, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    request = Request(address, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=_REPLY_SECONDS) as reply:
        reply.read()


def _is_ready(address: str, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until the server has loaded its model; return False if it ends or takes too long."""
    end = monotonic() + _START_SECONDS
    while process.poll() is None and monotonic() < end:
        try:
            with urlopen(f"{address}/health", timeout=2):
                return True
        except (URLError, OSError):  # it does not listen yet, or answers 503 while it loads
            sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
