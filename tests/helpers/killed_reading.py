"""Read a database to its end, killed at random moments on the way.

    python killed_reading.py DATABASE MODEL KILLS

Prints how many of the runs were killed before they had read everything. Each run is a process of
its own, made by `fork` before any model is loaded: a new interpreter would take longer than a run.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from helpers.keyword_models import WordEmbedder
from memcli.backends.llama import open_reader
from memcli.extraction.read import ExtractionOptions, ExtractionRun
from memcli.memories.remember import MemoryWriter
from memcli.protocols import Sampling
from memcli.store import Filters, Store

HOW = ExtractionOptions(thought_tokens=4, call_tokens=12, keep_traces=True)
WARM = Sampling(temperature=1.2, seed=7)
LONGEST = 0.35  # seconds before a run is killed


def read(database, model):
    reader = open_reader(model, context=4096, sampling=WARM, threads=1)
    with Store(database) as store:
        embedder = WordEmbedder()
        run = ExtractionRun(store, reader, MemoryWriter(store, embedder), embedder, HOW)
        report = run.run(run.unread_sessions(Filters(), newest=False, limit=None))
    reader.close()
    return 0 if report.stopped_by is None else 1


def in_a_process(database, model, seconds=None):
    """Return whether a run came to its end before it was killed."""
    pid = os.fork()
    if pid == 0:
        os._exit(read(database, model))
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def main(database, model, kills):
    chance = random.Random(1)
    killed = 0
    for _ in range(int(kills)):
        ended = in_a_process(Path(database), Path(model), chance.uniform(0.02, LONGEST))
        killed += not ended
    assert in_a_process(Path(database), Path(model))
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
