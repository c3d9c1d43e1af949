"""Real servers on loopback, each in a process of its own.

llama_cpp_server   llama-cpp-python's, over any number of models
llama_server       llama.cpp's own, as the package xllamacpp carries it, over one
transformers_serve the one in transformers, over a folder of safetensors
"""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

XLLAMACPP = """if True:
    import json, sys
    import xllamacpp
    wanted = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = wanted["model"]
    params.hostnames, params.port = ["127.0.0.1"], wanted["port"]
    params.n_ctx = params.n_batch = params.n_ubatch = 1024
    params.n_parallel = params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup, params.use_jinja = False, True
    if wanted["pooling"]:
        params.embedding = True
        params.pooling_type = getattr(
            xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{wanted['pooling'].upper()}"
        )
    server = xllamacpp.Server(params)
    sys.stdin.read()
"""


@contextmanager
def llama_cpp_server(folder, **models):
    """Serve models, each a table of the server's own settings; yield the address of the API."""
    port = free_port()
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "models": [
            {"model_alias": alias, "n_threads": 1, "n_ctx": 1024, "verbose": False, **model}
            for alias, model in models.items()
        ],
    }
    (folder / "server.json").write_text(json.dumps(settings, default=str))
    command = ["-m", "llama_cpp.server", "--config_file", str(folder / "server.json")]
    with running(command, port):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def llama_server(model, *, pooling=""):
    """Serve one model; `pooling` makes it an embedder (`mean`) or a reranker (`rank`)."""
    port = free_port()
    wanted = json.dumps({"model": str(model), "port": port, "pooling": pooling})
    with running(["-c", XLLAMACPP, wanted], port):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def transformers_serve(folder):
    """Serve a folder of safetensors on the CPU."""
    port = free_port()
    script = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    command = ["-c", script, "serve", str(folder), "--port", str(port), "--device", "cpu"]
    with running([*command, "--host", "127.0.0.1"], port):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def running(arguments, port):
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/models", process)
        yield
    finally:
        process.kill()
        process.communicate()


def wait_for(url, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nobody at {url} after {seconds} s")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
