"""llama.cpp's own server beside our reranking, if `llama-server` is installed."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import Request, urlopen

from memcli.evaluation.speed import PROMPT, JudgePassages

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
    program = shutil.which("llama-server")
    if not program:
        yield None
        return
    port = _free_port()
    options = ["-m", str(path), "--host", "127.0.0.1", "--port", str(port), "-t", str(threads)]
    options += ["-c", "2048", "-ub", "512", "--parallel", "1"]
    options += [] if gpu_layers is None else ["-ngl", str(gpu_layers)]
    with subprocess.Popen(
        [program, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            yield _judge_at(address) if _is_ready(address, process) else None
        finally:
            process.kill()


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
