"""The long run of the trust tests: kills, faults, many processes at once, and fuzzing.

    python tests/trust_run.py --minutes 60

Two lanes share the time: one kills and disturbs commands, the other fuzzes. Every part prints a
line with the numbers really run; the status is 1 if any part found something.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

HERE = Path(__file__).parent
SHARES = {"formats": 0.3, "replies": 0.15, "templates": 0.1, "manifests": 0.1, "headers": 0.2}
SHARES["texts"] = 1 - sum(SHARES.values())
NO_LIMIT = 1 << 30


def disturb(seconds: float) -> Iterator[tuple[str, list[str]]]:
    """Yield the parts that kill and disturb commands."""
    at_once = min(60.0, seconds / 6)
    kills = (seconds - at_once) * 0.5
    yield "kills", ["kills", str(kills), "500"]
    yield "at once", ["at_once", str(at_once), "0"]
    yield "faults", ["faults", str(seconds - at_once - kills), "2000"]


def fuzz(seconds: float) -> Iterator[tuple[str, list[str]]]:
    """Yield the parts that fuzz."""
    for name, share in SHARES.items():
        yield f"fuzz {name}", ["fuzz", str(seconds * share), str(NO_LIMIT), name]


def run_part(what: str, seconds: float, most: int, name: str) -> dict[str, object]:
    """Run one part in this process."""
    sys.path.insert(0, str(HERE))
    from helpers import faults, fuzzing, kills

    with tempfile.TemporaryDirectory(prefix="trust-") as folder:
        place = Path(folder)
        if what == "kills":
            found = kills.kill_commands(place, seconds, most)
            return {"kills": sum(found.values()), **found}
        if what == "at_once":
            return dict(kills.write_at_once(place, seconds))
        if what == "faults":
            return faults.fail_each(place, seconds, most)
        return fuzzing.fuzz(name, seconds, most, seed=int(time.time()))


def run_lane(parts: Iterator[tuple[str, list[str]]], failed: list[str]) -> None:
    """Run parts one after another, each in a process of its own."""
    for title, words in parts:
        environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
        command = [sys.executable, __file__, "--part", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        sys.stdout.write(f"{title}: {done.stdout.strip() or done.stderr[-3000:]}\n")
        sys.stdout.flush()
        if done.returncode:
            failed.append(title)


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        what, seconds, most, *name = options.part
        result = run_part(what, float(seconds), int(most), name[0] if name else "")
        sys.stdout.write(json.dumps(result))
        return 0
    failed: list[str] = []
    seconds = options.minutes * 60
    lanes = [Thread(target=run_lane, args=(each(seconds), failed)) for each in (disturb, fuzz)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    sys.stdout.write(f"{'found something: ' + ', '.join(failed) if failed else 'nothing found'}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
