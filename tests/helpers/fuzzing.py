"""Fuzzing of everything that reads what others wrote: one target in a process of its own.

    python -m helpers.fuzzing TARGET SECONDS MOST [SEED]

Prints how many inputs were really run, and the slowest. With `atheris` (`--atheris` behind the
seed), inputs follow the coverage; without it, they are samples with wrong, missing, moved and
repeated bytes. An input that ends in anything but an error of ours, or takes more than 5 seconds,
is printed, and the status is 1.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from datetime import date
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from memcli.errors import MemError

LONGEST = 5  # seconds of processor time for one input
MOST_MEMORY = 500  # MB
PIECES = [
    *(b"\x00", b"\xff\xff\xff\xff", b"\xff" * 8, b"\x00" * 8, b"\x7f" * 8, b"9" * 400, b"-1"),
    *(b"1e999", b"NaN", b"null", b"true", b'""', b"{}", b"[]", b"[" * 2000, b'{"a":' * 2000),
    *(b"\n", b"\r\n", b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"\xe2\x80\xae"),
    *(b"<think>", b"</think>", b"<tool_call>", b"<|im_end|>", b"<ranking>", b"</ranking>", b"{{"),
    *(b"{% for a in b %}", b"%}", b"0x" + b"f" * 500, b"9999-99-99", b"0001-01-01T00:00:00Z"),
    *(b" " * 500, b"A" * 5000, "é\u0301\u202e".encode(), b"password: ", b"\x1b[2J"),
]


def formats():
    """Parsers of exports: an input is what a file is, and its format is found as usual."""
    from helpers.every_format import SAMPLES
    from helpers.parsing import document
    from memcli.formats import ParseOptions, recognise_format

    names = {raw: name for _, name, raw in SAMPLES}

    def run(raw, seed):
        found = document(raw, names.get(seed, "export.json"))
        known = recognise_format(found)
        for _ in known.parse(found, ParseOptions()) if known else ():
            pass

    return run, [raw for _, _, raw in SAMPLES]


def replies():
    """Replies of servers: events, scores, vectors, rankings and calls."""
    from memcli.backends.server import chat, embedder, sifter, tool_calls
    from memcli.backends.server.reranking import replies as scores
    from memcli.backends.server.response import InvalidReplyError, parse_json
    from memcli.protocols import Tool

    fields = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    tools = [Tool("add_memory", "Add.", fields)]

    def parse_call(text):
        return tool_calls.validate_call(*tool_calls.parse_written_call(text), tools)

    def run(raw, _seed):
        text = raw.decode("utf-8", "replace")
        sifter.parse_ranking(text, 9)
        for parse in (parse_call, tool_calls.other_called_tools):
            with suppress(InvalidReplyError, tool_calls.InvalidCallError):
                parse(text)
        try:
            value = parse_json(raw)
        except InvalidReplyError:
            return
        for parse in (
            chat._parse_delta,
            lambda found: scores.parse_rerank_scores(found, 2),
            scores.parse_yes_probability,
            lambda found: embedder._parse_vectors(found, 2),
        ):
            with suppress(InvalidReplyError):
                parse(value)

    top = {"token": "yes", "logprob": -0.1}
    logprobs = {"content": [{"token": "yes", "logprob": -0.1, "top_logprobs": [top]}]}
    call = {"index": 0, "id": "c", "function": {"name": "add_memory", "arguments": '{"a": "b"}'}}
    delta = {"content": "hi", "reasoning_content": "hm", "tool_calls": [call]}
    vectors = [{"index": at, "embedding": [0.5, 1.0]} for at in range(2)]
    values = [
        {"results": [{"index": at, "relevance_score": 0.5} for at in range(2)]},
        [{"index": 0, "score": 0.5}, {"index": 1, "score": 0.25}],
        {"data": [{"index": 0, "score": 0.5}, {"index": 1, "score": 1}]},
        {"choices": [{"delta": delta, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": "yes"}, "logprobs": logprobs}]},
        {"choices": [{"text": "yes", "logprobs": {"top_logprobs": [{"yes": -0.1, "no": -2.0}]}}]},
        {"data": vectors},
        {
            "data": [
                {"index": 0, "embedding": "AACAPwAAgD8="},
                {"index": 1, "embedding": "AACAPw=="},
            ]
        },
        {"error": {"message": "no", "code": 1}},
        {"ranking": [1, 2, 3]},
    ]
    texts = [
        "<think>hm</think><ranking>3,1,2</ranking>",
        '<tool_call>{"name": "add_memory", "arguments": {"a": "b"}}</tool_call>',
        '```json\n{"name": "add_memory", "arguments": {"a": "b"}}\n```',
    ]
    return run, [json.dumps(one).encode() for one in values] + [one.encode() for one in texts]


def templates():
    """Chat templates, rendered as those of model files are."""
    from memcli.backends.generation.chat_template import render_dialogue
    from memcli.protocols import Message

    messages = [
        Message("system", "Be brief."),
        Message("user", "Hello"),
        Message("assistant", "Hi"),
    ]
    chatml = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tools = "{% if tools %}{{ tools | tojson }}{% endif %}{{ bos_token }}{{ messages[0]['role'] }}"
    macro = "{% macro m(x) %}{{ x | upper | trim }}{% endmacro %}{{ m(messages[-1].content) }}"

    def run(raw, _seed):
        render_dialogue(
            raw.decode("utf-8", "replace"), {"bos_token": "<s>"}, Path("m.gguf"), messages
        )

    return run, [chatml.encode(), tools.encode(), macro.encode(), b"{{ messages[0].content }}"]


def manifests():
    """Manifests of models, and settings."""
    from memcli.catalog.manifest_parser import parse_manifest
    from memcli.settings import build_settings, parse_toml

    folder = Path(__file__).parents[2] / "models"
    seeds = [path.read_bytes() for path in sorted(folder.glob("*.toml"))]
    seeds.append(b'[models]\nembedder = "bge-m3"\n[servers."http://h/v1"]\ncontext = 16\n'
                 b'key_env = "K"\n[people]\nme = ["Ann", "ann"]\n')  # fmt: skip

    def run(raw, _seed):
        with suppress(UnicodeDecodeError):
            content = parse_toml(raw.decode(), Path("m.toml"))
            for parse in (lambda: parse_manifest(content, "m.toml"),
                          lambda: build_settings(content, Path("m.toml"))):  # fmt: skip
                with suppress(MemError):
                    parse()

    return run, seeds


def headers():
    """Headers of GGUF and safetensors files."""
    from helpers.tiny_models import write_tiny_qwen3
    from memcli.backends.gguf_check import check_gguf
    from memcli.backends.safetensors_header import read_safetensors_header
    from memcli.weights.gguf_header import find_faults, read_header

    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    write_tiny_qwen3(folder / "tiny.gguf")
    whole = (folder / "tiny.gguf").read_bytes()
    content = b'{"t":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
    tensors = len(content).to_bytes(8, "little") + content + bytes(16)
    path, count = folder / "input", iter(range(1 << 40))

    def run(raw, seed):
        path.write_bytes(raw)
        if seed is tensors:
            read_safetensors_header(path)
        check_gguf(path)
        if next(count) % 20 == 0:
            find_faults(read_header(path), architecture="qwen3")

    return run, [whole[:60_000], whole, tensors]


def texts():
    """Texts of chats and questions, and memories that a person imports."""
    from memcli.backends.server.plain_text import break_special_tokens
    from memcli.cli.json_output.fact_reader import read_facts
    from memcli.cli.output.console import one_line, printable
    from memcli.store.sqlite.tokenize import normalize_for_index, query_terms
    from memcli.text.question_dates import parse_question_dates
    from memcli.text.redaction import redact
    from memcli.text.sanitize import sanitize_text

    def run(raw, _seed):
        text = sanitize_text(raw.decode("utf-8", "surrogateescape"))
        for use in (redact, break_special_tokens, printable, one_line, normalize_for_index):
            use(text)
        query_terms(text)
        parse_question_dates(text, date(2026, 11, 30), range(2015, 2027))
        read_facts(text, "facts.json")

    facts = {"schema": "mem.memories/1", "memories": [
        {"id": "m_1", "key": "k", "type": "UserMemory", "value": "v", "tags": ["a"],
         "said_at": None, "sources": [{"session": "s_1", "turn": 1}]}]}  # fmt: skip
    return run, [
        json.dumps(facts).encode(),
        "Where did we eat last summer, on 3 May 2024, with Kaito? 昨年の夏".encode(),
        b"my password is tulip-42x, card 4111 1111 1111 1111, see https://a:b@c.example/?token=abc",
    ]


TARGETS = (formats, replies, templates, manifests, headers, texts)


def mutate(raw, rng, seeds):
    """Return an input with a few wrong, missing, moved or repeated bytes."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(changed) + 1)
        end = min(len(changed), at + rng.choice((1, 2, 8, 40, 400)))
        match rng.randrange(8):
            case 0 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(changed):
                changed[at] = rng.randrange(256)
            case 2:
                del changed[at:end]
            case 3:
                changed[at:at] = changed[at:end] * rng.choice((1, 2, 20))
            case 4:
                changed[at:at] = rng.choice(PIECES)
            case 5:
                changed[at:end] = rng.choice(PIECES)
            case 6:
                other = rng.choice(seeds)
                start = rng.randrange(len(other) + 1)
                changed[at:end] = other[start : start + rng.choice((4, 40, 400))]
            case _:
                del changed[at:]
    return bytes(changed)


class Runner:
    """Runs inputs, counts them, and remembers the slowest."""

    def __init__(self, run):
        self.run, self.count, self.slowest = run, 0, 0.0

    def __call__(self, raw, seed=None):
        began = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, 20 * LONGEST)
        try:
            self.run(raw, seed)
        except MemError:
            pass
        except BaseException:
            self.fail(raw, traceback.format_exc())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.count += 1
        spent = time.process_time() - began
        self.slowest = max(self.slowest, spent)
        if spent > LONGEST:
            self.fail(raw, f"it took {spent:.1f} s")

    def fail(self, raw, why):
        place = Path(tempfile.mkdtemp()) / "input"
        place.write_bytes(raw)
        sys.stderr.write(f"{why}\n{place}: {raw[:200]!r}\n")
        sys.stderr.flush()
        os._exit(1)


def fuzz(name, seconds, most, seed=1):
    """Run mutated samples until the time or the number is used up; return what was run."""
    run, seeds = next(each for each in TARGETS if each.__name__ == name)()
    runner, rng, until = Runner(run), random.Random(seed), time.monotonic() + seconds
    while time.monotonic() < until and runner.count < most:
        chosen = rng.choice(seeds)
        runner(mutate(chosen, rng, seeds), chosen)
    memory = getrusage(RUSAGE_SELF).ru_maxrss >> 10
    assert memory < MOST_MEMORY, f"{memory} MB"
    return {"runs": runner.count, "slowest": round(runner.slowest, 2), "megabytes": memory}


def fuzz_by_coverage(name, seconds, most, seed=1):
    """Let atheris choose the inputs; it ends the process itself, and says how many it ran."""
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

    with atheris.instrument_imports(include=["memcli"]):
        run, seeds = next(each for each in TARGETS if each.__name__ == name)()
    runner, corpus = Runner(run), Path(tempfile.mkdtemp())
    for at, each in enumerate(seeds):
        (corpus / str(at)).write_bytes(each)
    options = [f"-runs={most}", f"-max_total_time={int(seconds)}", "-max_len=70000"]
    atheris.Setup([sys.argv[0], *options, f"-seed={seed}", "-timeout=0", str(corpus)], runner)
    atheris.Fuzz()


if __name__ == "__main__":
    target, for_seconds, at_most, *rest = sys.argv[1:]
    first = int(rest[0]) if rest else 1
    if "--atheris" in rest:
        fuzz_by_coverage(target, float(for_seconds), int(at_most), first)
    else:
        sys.stdout.write(json.dumps(fuzz(target, float(for_seconds), int(at_most), first)))
