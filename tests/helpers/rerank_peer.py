"""Our reranking beside a llama-server that judges one pair a request, in turns.

    llama-server -m MODEL.gguf -c 2048 -ub 512 --parallel 1 --port 8080
    python tests/rerank_peer.py MODEL.gguf http://localhost:8080 [--passages 32] [--threads 2]

Any server with `/v1/completions` will do, such as that of llama-cpp-python. It keeps what it has
read, and so computes the head of the prompt once, too. Its processor time is not seen from here.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.request import Request, urlopen

from memcli.backends.llama import open_reranker
from memcli.evaluation.speed import LENGTHS, PROMPT, compare_reranking


class Peer:
    """A llama-server, asked for the one token that follows each prompt."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/") + "/v1/completions"

    def judge(self, question: str, passages: Sequence[str]) -> Iterator[tuple[int, float]]:
        """Yield (index, 0.5): what it answers is not looked at, how fast it does is."""
        for index, passage in enumerate(passages):
            body = PROMPT.body.format(query=question, document=passage)
            self.complete(PROMPT.prefix + body + PROMPT.suffix)
            yield index, 0.5

    def complete(self, prompt: str) -> None:
        """Have the next token of a prompt drawn."""
        asked = {"prompt": prompt, "max_tokens": 1, "temperature": 0}
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(self._address, json.dumps(asked).encode(), headers)) as reply:
            json.load(reply)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="rerank_peer.py", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("address")
    parser.add_argument("--passages", type=int, default=32)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args(arguments)
    reranker = open_reranker(options.model, PROMPT, threads=options.threads)
    peer = Peer(options.address)
    for tokens in LENGTHS:
        one = compare_reranking(
            reranker.judge, peer.judge, reranker.count, tokens=tokens, passages=options.passages
        )
        ours, theirs = (one.passages / each.seconds for each in (one.ours, one.plain))
        times = f"{one.times.median:.2f} ({one.times.least:.2f} - {one.times.most:.2f})"
        sys.stdout.write(
            f"{tokens} tokens: ours {ours:.2f} passages/s, the server {theirs:.2f},"
            f" {times} times as fast\n"
        )
        sys.stdout.flush()
    reranker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
