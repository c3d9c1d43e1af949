"""The long run of the trust tests: kills, faults, many processes at once, and fuzzing.

    python tests/trust_run.py --minutes 60
    python tests/trust_run.py --part faults --minutes 12

Three lanes share the time: one kills and disturbs commands, two fuzz. Every part prints a
line with the numbers really run; the status is 1 if any part found something. `--part` runs one
part alone: `kills`, `at_once`, `faults`, or `fuzz`, which ends at a million inputs.
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
# The inputs of a whole run, a million together, by target; the slowest has a lane of its own.
INPUTS = {
    "replies": 500_000,
    "manifests": 250_000,
    "templates": 75_000,
    "headers": 75_000,
    "texts": 25_000,
}
SLOWEST = {"formats": 150_000}
PARTS = ("kills", "at_once", "faults", "fuzz")


def disturb(seconds: float) -> Iterator[list[str]]:
    """Yield the parts that kill and disturb commands."""
    at_once = min(60.0, seconds / 6)
    kills = (seconds - at_once) * 0.5
    yield ["kills", str(kills), "500"]
    yield ["at_once", str(at_once), "0"]
    yield ["faults", str(seconds - at_once - kills), "2000"]


def fuzz(seconds: float, inputs: dict[str, int]) -> Iterator[list[str]]:
    """Yield the parts that fuzz; the time that one leaves is shared by the next ones."""
    until = time.monotonic() + seconds
    for at, (name, most) in enumerate(inputs.items()):
        left = max(1, until - time.monotonic())
        yield ["fuzz", str(left / (len(inputs) - at)), str(most), name]


def choose_parts(part: str | None, seconds: float) -> list[Iterator[list[str]]]:
    """Return the parts of each lane."""
    if part == "fuzz":
        return [fuzz(seconds, INPUTS), fuzz(seconds, SLOWEST)]
    if part:
        most = {"kills": 500, "faults": 2000}.get(part, 0)
        return [iter([[part, str(min(60, seconds) if part == "at_once" else seconds), str(most)]])]
    return [disturb(seconds), fuzz(seconds, INPUTS), fuzz(seconds, SLOWEST)]


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


def run_lane(parts: Iterator[list[str]], failed: list[str]) -> None:
    """Run parts one after another, each in a process of its own."""
    for words in parts:
        title = " ".join((words[0], *words[3:]))
        environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
        command = [sys.executable, __file__, "--run", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        sys.stdout.write(f"{title}: {done.stdout.strip() or done.stderr[-3000:]}\n")
        sys.stdout.flush()
        if done.returncode:
            failed.append(title)


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        what, seconds_of_part, most, *name = options.run
        result = run_part(what, float(seconds_of_part), int(most), name[0] if name else "")
        sys.stdout.write(json.dumps(result))
        return 0
    failed: list[str] = []
    seconds = options.minutes * 60
    parts = choose_parts(options.part, seconds)
    lanes = [Thread(target=run_lane, args=(each, failed)) for each in parts]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    sys.stdout.write(f"{'found something: ' + ', '.join(failed) if failed else 'nothing found'}\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
