"""Real servers on loopback, each in a process of its own.

llama_cpp_server   llama-cpp-python's, over any number of models
llama_server       llama.cpp's own, as the package xllamacpp carries it, over one
transformers_serve the one in transformers, over a folder of safetensors
infinity           Infinity, over several folders, from an environment of its own
litellm            LiteLLM's proxy before another server, from an environment of its own
"""

import json
import os
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
def infinity(**folders):
    """Serve folders by name, with the program that the variable INFINITY_EMB names."""
    port = free_port()
    models = [
        part
        for name, folder in folders.items()
        for part in ("--model-id", str(folder), "--served-model-name", name)
    ]
    options = ["--engine", "torch", "--device", "cpu", "--dtype", "float32", "--no-model-warmup"]
    options += ["--no-bettertransformer", "--host", "127.0.0.1", "--port", str(port)]
    program = os.environ["INFINITY_EMB"]
    with running(["v2", *models, *options], port, program=program, ready="models"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def litellm(folder, address):
    """Serve the models `judge` and `encoder` of an Infinity, by the program of LITELLM."""
    port = free_port()
    config = {
        "model_list": [
            {
                "model_name": "judge",
                "litellm_params": {"model": "infinity/judge", "api_base": address},
            },
            {
                "model_name": "encoder",
                "litellm_params": {
                    "model": "openai/encoder",
                    "api_base": address,
                    "api_key": "none",
                },
            },
        ],
    }
    (folder / "litellm.yaml").write_text(json.dumps(config))  # JSON is YAML, too
    options = ["--config", str(folder / "litellm.yaml"), "--host", "127.0.0.1"]
    options += ["--port", str(port), "--telemetry", "False"]
    program = os.environ["LITELLM"]
    with running(options, port, program=program, ready="health/liveliness"):
        yield f"http://127.0.0.1:{port}/v1"


SETTINGS = {  # no server asks anybody outside, and small models need no threads
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    "OMP_NUM_THREADS": "1",
}


@contextmanager
def running(arguments, port, *, program=sys.executable, ready="v1/models"):
    process = subprocess.Popen(
        [program, *arguments],
        env={**os.environ, **SETTINGS},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/{ready}", process)
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
