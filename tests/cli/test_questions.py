"""Many questions to one process."""

import os
import subprocess
import sys

import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk


@pytest.fixture(scope="module")
def mem(tmp_path_factory):
    mem = Mem(tmp_path_factory.mktemp("archive"))
    mem.remembers(
        talk("Zoo", "me: We saw a zebra.", "ai: Nice."),
        talk("Dinner", "me: No hazelnuts for me.", "ai: Noted."),
    )
    return mem


def test_models_are_loaded_once_for_all_questions(mem, tiny):
    code = (
        "import sys\n"
        "from memcli.backends.llama.model import LlamaModel\n"
        "from memcli.cli import main\n"
        "load, loads = LlamaModel._load, []\n"
        "def counted(model, tries):\n"
        "    loads.append(model.path)\n"
        "    load(model, tries)\n"
        "LlamaModel._load = counted\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(len(loads), file=sys.stderr)"
    )
    models = ("--reranker", tiny, "--sifter", tiny, "--min-score", "0", "--think", "5")

    done = subprocess.run(
        [sys.executable, "-c", code, "ask", "-", "--jsonl", *models],
        input=b"zebra\nhazelnuts\nzebra or hazelnuts\n",
        env=mem.environment,
        capture_output=True,
        check=True,
    )

    assert len(done.stdout.splitlines()) == 3
    assert done.stderr.splitlines()[-1] == b"2"  # a reranker and a sifter


def test_each_question_is_answered_before_the_next_one_is_asked(mem):
    with subprocess.Popen(
        [MEM, "ask", "-", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=mem.environment,
    ) as process:
        for question in (b"zebra", b"hazelnuts"):
            process.stdin.write(question + b"\n")
            process.stdin.flush()
            assert question in process.stdout.readline()
        process.stdin.close()

    assert process.returncode == 0


def test_a_reader_who_left_is_no_error(mem):
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [MEM, "ask", "-", "--jsonl"],
        input=b"zebra\nhazelnuts\n",
        stdout=writing,
        stderr=subprocess.PIPE,
        env=mem.environment,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, b"")


def test_standard_input_that_is_closed_has_no_questions(mem):
    script = f'"{MEM}" ask - --jsonl <&-'

    done = subprocess.run(["bash", "-c", script], env=mem.environment, capture_output=True)

    assert (done.returncode, done.stderr) == (3, b"")


def test_questions_without_end_end_with_their_reader(mem):
    script = f'yes zebra | "{MEM}" ask - --jsonl | head -2 | wc -l; echo "${{PIPESTATUS[1]}}"'

    done = subprocess.run(
        ["bash", "-c", script], env=mem.environment, capture_output=True, text=True, timeout=60
    )

    assert (done.stdout.split(), done.stderr) == (["2", "0"], "")
