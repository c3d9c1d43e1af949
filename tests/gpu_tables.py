"""Parity and speed on a GPU, as a report to send; ten minutes at most.

    python tests/gpu_tables.py                 # builds llama.cpp for this machine's GPU first
    python tests/gpu_tables.py --here          # takes the environment that it runs in
    python tests/gpu_tables.py --here --small  # a dry run that needs no GPU

It makes a random Qwen3 of the shape of the 0.6B reranker, compares what the GPU computes with what
the processor does, runs `mem bench --speed`, and writes `gpu-report.md` into the folder that it
works in. A step that does not end in time is left out, and the report says so.
"""

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 600.0  # for everything
KINDS = ("F32", "F16", "Q8_0", "Q4_K_M")
SHAPE = {  # of Qwen3-Reranker-0.6B; the vocabulary is smaller
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 32_768,
    "max_position_embeddings": 8192,
}
SMALL = {**SHAPE, "num_hidden_layers": 2, "hidden_size": 256, "intermediate_size": 512}
QUESTION = "When does the ferry to the island leave?"
PLACES = ("harbour", "garden", "station", "kitchen", "market", "library", "workshop", "attic")
PASSAGES = [
    f"{name} said on day {day}: the {place} is open from {day % 12 + 7} to {day % 5 + 18}."
    for day, place in enumerate(PLACES * 4)
    for name in ("Ann",)
]


class Report:
    """The lines of the report, written after every step."""

    def __init__(self, folder: Path) -> None:
        self._path, self._lines = folder / "gpu-report.md", ["# memcli on a GPU", ""]

    def add(self, *lines: str) -> None:
        """Add lines and show them."""
        self._lines += lines
        self._path.write_text("\n".join(self._lines) + "\n", "utf-8")
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status, 1 if a step failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("gpu-tables"))
    parser.add_argument("--here", action="store_true", help="build nothing")
    parser.add_argument("--small", action="store_true", help="a tiny model, for a dry run")
    parser.add_argument("--parity", type=Path, help=argparse.SUPPRESS)  # inside the environment
    options = parser.parse_args(arguments)
    if options.parity:
        measure_parity(options.parity, small=options.small)
        return 0
    end = time.monotonic() + SECONDS
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder)
    report.add(f"- machine: {platform.platform()}, {os.cpu_count()} threads, {describe_gpu()}")
    python = Path(sys.executable) if options.here else folder / "venv" / "bin" / "python"
    if not options.here and not build(folder, end, report):
        return 1
    small = ["--small"] if options.small else []
    parity = [str(python), __file__, "--parity", str(folder), *small]
    done = run(parity, end, report, "parity")
    model = folder / "model-Q8_0.gguf"
    bench = "import sys; from memcli.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [str(python), "-c", bench, "bench", "--speed", "--reranker", str(model)]
    command += ["--sifter", "none", "--passages", "6" if options.small else "32"]
    command += ["--import-mb", "0.1", "--quiet"]
    speed = run(command, end, report, "speed") if model.exists() else False
    return 0 if done and speed else 1


def describe_gpu() -> str:
    """Return the GPU as its driver names it."""
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv"]
        found = subprocess.run(query, capture_output=True, text=True, check=False)
        rows = found.stdout.strip().splitlines()[1:]
        if rows:
            return "; ".join(rows)
    return "Metal" if sys.platform == "darwin" else "no GPU found"


def build(folder: Path, end: float, report: Report) -> bool:
    """Make an environment with a llama.cpp for this machine's GPU; return whether that worked."""
    if sys.platform == "darwin":
        flags = "-DGGML_METAL=on"
    elif shutil.which("nvcc") or Path("/usr/local/cuda/bin/nvcc").exists():
        flags = "-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=native"
        os.environ["PATH"] += ":/usr/local/cuda/bin"
    else:
        report.add("- no CUDA toolkit (`nvcc`) was found: nothing built; `--here` builds nothing")
        return False
    python = str(folder / "venv" / "bin" / "python")
    os.environ |= {"CMAKE_ARGS": flags, "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1)}
    steps = [
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [python, "-m", "pip", "install", "-q", "-e", f"{ROOT}[test]"],
    ]
    return all(run(step, end, report, "build", quiet=True) for step in steps)


def run(
    command: Sequence[str], end: float, report: Report, name: str, *, quiet: bool = False
) -> bool:
    """Run one step within the time that is left, and report what it prints."""
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=max(end - began, 1),
            cwd=ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        report.add("", f"## {name}", "", f"stopped after {time.monotonic() - began:.0f} s")
        return False
    seconds = f"{time.monotonic() - began:.0f} s, status {done.returncode}"
    lines = [] if quiet else ["```", *done.stdout.rstrip().splitlines(), "```"]
    if done.returncode:
        lines += ["```", *done.stderr.rstrip().splitlines()[-15:], "```"]
    report.add("", f"## {name} ({seconds})", "", *lines)
    return done.returncode == 0


def measure_parity(folder: Path, *, small: bool) -> None:
    """Print how far the GPU is from the processor, which reads each prompt alone, in F32."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.random_models import write_qwen3

    from memcli.backends.llama import open_reranker, quantize
    from memcli.backends.llama.benchmark import NaiveReranker
    from memcli.backends.llama.host import list_accelerators
    from memcli.evaluation.speed import PROMPT
    from memcli.weights.convert.gguf_writer import convert_checkpoint

    files = {kind: folder / f"model-{kind}.gguf" for kind in KINDS}
    if not all(path.exists() for path in files.values()):
        checkpoint = write_qwen3(folder / "checkpoint", **(SMALL if small else SHAPE))
        for kind in ("F32", "F16"):
            convert_checkpoint(checkpoint, files[kind], dtype=kind)
        for kind in ("Q8_0", "Q4_K_M"):
            quantize(files["F16"], files[kind], kind)
        shutil.rmtree(checkpoint)
    sys.stdout.write(f"accelerators: {', '.join(list_accelerators()) or 'none'}\n\n")
    with_cpu = open_reranker(files["F32"], PROMPT, gpu_layers=0)
    plain = NaiveReranker(with_cpu, PROMPT.context)
    right = [logit(p) for _, p in sorted(plain.judge(QUESTION, PASSAGES))]
    with_cpu.close()
    sys.stdout.write("| weights | layers on the GPU | largest difference | order |\n")
    sys.stdout.write("|---|---|---|---|\n")
    for kind in KINDS:
        reranker = open_reranker(files[kind], PROMPT)
        ours = [logit(p) for _, p in sorted(reranker.judge(QUESTION, PASSAGES))]
        apart = max(abs(one - other) for one, other in zip(ours, right, strict=True))
        layers = reranker.model.gpu_layers
        order = order_agreement(ours, right, margin=0.02)
        sys.stdout.write(f"| {kind} | {layers} | {apart:.4f} | {order:.3f} |\n")
        sys.stdout.flush()
        reranker.close()
    summary = json.dumps({"passages": len(PASSAGES), "reference": "F32, processor, plain loop"})
    sys.stdout.write(f"\n{summary}\n")


def logit(probability: float) -> float:
    """Return log(p / (1 - p))."""
    clipped = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(clipped / (1 - clipped))


def order_agreement(ours: Sequence[float], right: Sequence[float], *, margin: float) -> float:
    """Return the share of pairs in the same order, of those further apart than a margin."""
    pairs = [
        (ours[a] - ours[b]) * (right[a] - right[b]) > 0
        for a, b in combinations(range(len(right)), 2)
        if abs(right[a] - right[b]) > margin
    ]
    return sum(pairs) / len(pairs) if pairs else 1.0


if __name__ == "__main__":
    sys.exit(main())
