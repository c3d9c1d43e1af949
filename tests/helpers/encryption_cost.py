"""The cost of encryption: a search of an encrypted database and of a plain one, paired in one run.

    cd tests && python -m helpers.encryption_cost            # the demo archive
    cd tests && python -m helpers.encryption_cost 40         # 40 MB of invented chats beside it
    cd tests && python -m helpers.encryption_cost 0 command  # the key from `cat`, not from a file

The processor time of `mem search` is measured in turns, so that whatever else the machine does
falls on both alike; the ratio is that of the medians.
"""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import memcli.demo
from memcli.evaluation.synthetic_exports import write_export

RUNS = 21
MEM = (sys.executable, "-m", "memcli")
DEMO = Path(memcli.demo.__file__).parent / "exports"


def main():
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    with TemporaryDirectory() as name:
        folder = Path(name)
        home = {**os.environ, "HOME": name, "XDG_STATE_HOME": name, "XDG_CONFIG_HOME": name}
        plain, encrypted = folder / "plain.db", folder / "encrypted.db"
        exports = [DEMO]
        if megabytes:
            exports.append(folder / "export.json")
            write_export("chatgpt", megabytes, exports[1])
        run(home, plain, "ingest", *map(str, exports), "--quiet")
        shutil.copy(plain, encrypted)
        key = folder / "key"
        source = (
            ("--key-command", f"cat {key}") if "command" in sys.argv else ("--key-file", str(key))
        )
        key.write_text("5f" * 32)
        run(home, encrypted, "encrypt", *source, "--quiet")
        seconds(home, plain), seconds(home, encrypted)  # the first of each warms the cache
        times: dict[Path, list[float]] = {plain: [], encrypted: []}
        for _ in range(RUNS):
            for path, found in times.items():
                found.append(seconds(home, path))
        plain_time, encrypted_time = map(median, times.values())
        size = plain.stat().st_size / 1e6
        sys.stdout.write(
            f"database of {size:.1f} MB, {RUNS} pairs, median processor seconds of a search:\n"
            f"plain {plain_time:.4f}, encrypted {encrypted_time:.4f},"
            f" ratio {encrypted_time / plain_time:.3f}\n"
        )


def run(environment, database, *words):
    command = (*MEM, "--db", str(database), *words)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def seconds(environment, database):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(environment, database, "search", "what did we say about the passport")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
