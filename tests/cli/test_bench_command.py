"""`mem bench --speed` with a tiny model, and with none."""

import os
import re
import sys
from pathlib import Path

import pytest
from helpers.tiny_models import write_tiny_qwen3

from memcli.evaluation.llama_server import running_llama_server
from memcli.evaluation.speed import LENGTHS

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_xllamacpp(monkeypatch):
    """Its server takes seconds, and is there on some machines only."""
    monkeypatch.setattr("memcli.evaluation.llama_server.find_spec", lambda _name: None)


@pytest.fixture(scope="module")
def wordy(tmp_path_factory):
    """A model that has room for a session."""
    return str(write_tiny_qwen3(tmp_path_factory.mktemp("m") / "wordy.gguf", seed=1, context=8192))


def test_every_figure_is_there_with_models(mem, wordy):
    done = mem(
        *("bench", "--speed", "--reranker", wordy, "--sifter", wordy),
        *("--passages", "3", "--import-mb", "0.1", "--json", "--quiet"),
    )

    assert (done.code, done.err) == (0, "")
    assert done.json["schema"] == "mem.speed/1"
    assert done.json["machine"]["cores"] > 0
    assert done.json["load_seconds"]["wordy"] > 0
    [generation] = done.json["generation"]
    assert generation["model"] == "wordy"
    assert generation["prompt_tokens_per_second"] > 0 < generation["new_tokens_per_second"]
    assert [one["passage_tokens"] for one in done.json["reranking"]] == list(LENGTHS)
    for one in done.json["reranking"]:
        assert (one["model"], one["passages"], one["head_tokens"]) == ("wordy", 3, 60)
        assert one["ours_per_second"] > 0 < one["plain_loop_per_second"]
        assert 0 < one["ratios"]["least"] <= one["ratio"] <= one["ratios"]["most"]
        assert one["most_apart"] < 0.01
    settings = {one["setting"]: one for one in done.json["settings"]}
    assert "micro-batches of 2,048 tokens, not 512" in settings
    assert "29% of a sifter's history kept for a follow-up" in settings
    assert any("drafts of 4 tokens" in name for name in settings)
    for one in settings.values():
        assert 0 < one["cpu_ratios"]["least"] <= one["ratio"] <= one["cpu_ratios"]["most"]
    assert settings["all of a dialogue read again, not its new half alone"]["ratio"] > 1.2
    assert done.json["embedder"]["load"] > 0 < done.json["embedder"]["texts"]
    archive = done.json["archive"]
    assert archive["stopping"]["ratio"] > 1.5 > archive["stopping"]["sure_ratio"] >= 1
    assert 0.5 < archive["stopping"]["same_first"] <= 1
    assert archive["sessions"] >= 30
    assert archive["turns"] > archive["sessions"]
    assert archive["ask"]["cold"] > archive["ask"]["warm"] > 0 < archive["search"]["cold"]
    assert [one["format"] for one in done.json["import"]] == ["chatgpt", "telegram"]
    for one in done.json["import"]:
        assert 0.1 <= one["megabytes"] < 0.3
        for stage in ("parsed", "stored", "indexed"):
            assert one[stage]["megabytes_per_second"] > 0 < one[stage]["cpu_megabytes_per_second"]
            assert one[stage]["peak_bytes"] > 1e6


def test_without_a_model_it_measures_what_it_can_and_says_so(mem):
    done = mem("bench", "--speed", "--import-mb", "0.1")

    assert done.code == 0
    assert done.err.splitlines() == [
        "mem: no reranker is on this machine: `--reranker FILE.gguf` names one to measure",
        "mem: no sifter is on this machine: `--sifter FILE.gguf` names one to measure",
        "mem: the archive of `mem demo`: `mem ingest`, `mem search`, `mem ask`",
        "mem: an export of chatgpt with 0.1 MB: parsing, storing, indexing",
        "mem: an export of telegram with 0.1 MB: parsing, storing, indexing",
    ]
    embedder, ingest, search, ask, rerank, _, head, *imports = done.out.splitlines()
    assert re.fullmatch(r"embedder \S+: \d+\.\d\d s to load, [\d,]+ texts/s of 64 words", embedder)
    assert re.fullmatch(r"ingest  \d+\.\d\d s for \d+ sessions, \d+ turns", ingest)
    assert re.fullmatch(r"search  \d+\.\d\d s at first, \d+\.\d\d s again", search)
    assert re.fullmatch(r"ask     \d+\.\d\d s at first, \d+\.\d\d s again", ask)
    assert re.match(r"rerank  all passages are \d\.\d times those that are judged, 1\.00", rerank)
    assert head.split()[-6:] == ["MB/s", "by", "processor", "time", "peak", "memory"]
    assert [line.split(",")[0] for line in imports] == ["chatgpt"] * 3 + ["telegram"] * 3
    assert not [path for path in mem.folder.rglob("*") if path.is_file()]  # all is cleared away


def test_a_person_sees_a_table_and_what_is_going_on(mem, wordy):
    done = mem("bench", "--speed", "--reranker", wordy, "--sifter", "none", "--passages", "1",
               "--import-mb", "0.1")  # fmt: skip

    assert done.code == 0
    assert "mem: wordy: judging passages of 128 tokens in turns with a plain loop\n" in done.err
    first, _, title, head, *rows = done.out.splitlines()
    assert re.fullmatch(
        r"reranker wordy: \d+\.\d\d s to load, [\d,]+ tokens/s read, [\d,.]+ tokens/s written",
        first,
    )
    assert title == "passages behind a head of 60 tokens, ours and a plain loop in turns:"
    assert head.split()[:4] == ["tokens", "passages", "ours/s", "plain/s"]
    assert [row.split()[:2] for row in rows[:3]] == [[str(tokens), "1"] for tokens in LENGTHS]
    assert rows[4].startswith("what memcli does not do, in turns with what it does")
    assert rows[6].startswith("micro-batches of 2,048 tokens, not 512")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give either data sets or `--speed`"),
        (("--speed", "--reranker", "gone.gguf"), 6, "gone.gguf"),
        (("--speed", "--reranker", "http://127.0.0.1:9/v1#x"), 2, "is served"),
        (("--speed", "--passages", "0"), 2, "--passages"),
        (("--speed", "--import-mb", "0"), 2, "--import-mb"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(mem, arguments, code, message):
    done = mem("bench", *arguments)

    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_a_damaged_file_is_told(mem, wordy):
    mem.write("cut.gguf", Path(wordy).read_bytes()[:90_000])

    done = mem("bench", "--speed", "--sifter", "none", "--reranker", "cut.gguf")

    assert (done.code, done.out) == (7, "")
    assert "cut.gguf cannot be used: it is cut short" in done.err


SERVER = """#!{python}
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({{"status": "ok"}})

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.answer({{"content": "yes"}})

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert options["-m"].endswith("wordy.gguf")
HTTPServer((options["--host"], int(options["--port"])), Answer).serve_forever()
"""


def test_a_llama_server_at_hand_is_compared_on_the_same_file(mem, wordy, monkeypatch):
    program = mem.folder / mem.write("bin/llama-server", SERVER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    with running_llama_server(Path(wordy), threads=1, gpu_layers=None) as judge:
        assert dict(judge("why", ["a", "b"])) == {0: 0.5, 1: 0.5}
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    with running_llama_server(Path(wordy), threads=1, gpu_layers=0) as judge:
        assert judge is None


def test_without_a_llama_server_nothing_is_compared(wordy, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with running_llama_server(Path(wordy), threads=1, gpu_layers=None) as judge:
        assert judge is None
