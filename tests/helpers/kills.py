"""Kills of real commands, and many at once, on a real archive.

Every function runs until its time or its number is used up, and returns the numbers really run.
"""

import os
import random
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from unittest.mock import patch

from helpers import hub
from helpers.hostile_server import serving
from helpers.mem_process import MEM, Mem
from helpers.person import Person
from helpers.scripted_reader import add, fact
from helpers.small_exports import talk
from helpers.taught_models import write_reranker
from memcli.store import Filters, Store

BATCH = 30  # talks in an export


class Archive:
    """An archive that grows by one export after another, and what must be in it."""

    def __init__(self, folder):
        self.mem, self.random = Mem(folder), random.Random(7)
        self.known: Counter[str] = Counter()
        self.forgotten: set[str] = set()
        self.exports = 0

    def new_export(self):
        """Write an export of new talks; return its name."""
        self.exports += 1
        rows = [
            talk(f"Talk {self.exports}-{at}", f"me: word{at} of {self.exports}", "ai: Noted.")
            for at in range(BATCH)
        ]
        return self.mem.write(f"chats{self.exports}.json", rows)

    def titles(self, path=None):
        """Return the titles in a database that can be opened and is sound."""
        path = path or self.mem.database
        if not path.exists():
            return Counter()
        with Store(path) as store:
            assert store.health.check_file() == []
            return Counter(one.title for one in store.sessions.summaries(Filters()))

    def check(self):
        """Check that nothing known is lost, nothing is doubled, nothing forgotten is back."""
        found = self.titles()
        assert not self.known - found, self.known - found
        assert not found or set(found.values()) == {1}
        assert not self.forgotten & set(found)
        self.known = found


def kill_commands(folder, seconds, most):
    """Kill commands at random moments; return the number of kills by command."""
    archive = Archive(folder)
    kills: Counter[str] = Counter()
    until = time.monotonic() + seconds
    with ExitStack() as stack:
        environment = _environment(stack, archive, folder)
        commands = [_ingest, _read, _forget, _encrypt, _index, _backup, _fix, _encrypt, _again]
        if seconds >= 120:
            commands.append(_pull)
        archive.mem.process("ingest", archive.new_export())
        archive.check()
        while time.monotonic() < until and kills.total() < most:
            command = commands[kills.total() % len(commands)]
            arguments, check = command(archive)
            process = subprocess.Popen(
                [MEM, *arguments],
                cwd=archive.mem.folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(archive.random.uniform(0.05, 3.0))
            process.kill()
            process.wait()
            kills[command.__name__.strip("_")] += 1
            check()
        _finish(archive, environment)
    return dict(kills)


def _environment(stack, archive, folder):
    """Return the environment of the commands: a served reader, and a hub with one model."""
    served = stack.enter_context(serving(add(fact("place", "lives in Lisbon"))))
    repository = write_reranker(folder / "repository")
    served_hub = stack.enter_context(hub.serving({"ann/reranker": repository}))
    person = Person(folder, served_hub)
    config = archive.mem.home / ".config/mem/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[database]\nkey_file = "{folder}/key"\n')
    settings = {"MEM_CONFIG": str(config)}
    stack.enter_context(patch.dict(os.environ, settings))  # of `Archive.titles`
    own = {**archive.mem.environment, **person.environment, **settings}
    return {**own, "MEM_READER": f"{served.url}#reader"}


def _ingest(archive):
    return ("ingest", archive.new_export()), archive.check


def _again(archive):
    return ("ingest", *(f"chats{at}.json" for at in range(1, archive.exports + 1))), archive.check


def _read(archive):
    return ("read", "--quiet"), archive.check


def _index(archive):
    return ("index", "--rebuild"), archive.check


def _fix(archive):
    return ("doctor", "--fix"), archive.check


def _pull(archive):
    return ("models", "pull", "tiny-reranker", "--quiet"), archive.check


def _forget(archive):
    with Store(archive.mem.database) as store:
        one = next(iter(store.sessions.summaries(Filters())))

    def check():
        if one.title not in archive.titles():  # it was forgotten before the kill
            archive.forgotten.add(one.title)
            del archive.known[one.title]
        archive.check()

    return ("forget", one.id, "--yes"), check


def _encrypt(archive):
    if archive.mem.database.read_bytes().startswith(b"SQLite format 3"):
        return ("encrypt",), archive.check
    return archive.random.choice([("encrypt", "--change-key"), ("decrypt",)]), archive.check


def _backup(archive):
    copy = archive.mem.folder / "copy.db"
    before = archive.titles(copy)

    def check():
        archive.check()
        after = archive.titles(copy)
        assert after in (before, archive.known)

    return ("backup", "copy.db", "--replace"), check


def _finish(archive, environment):
    """Run every command to its end, and check the whole archive."""
    mem = archive.mem
    for arguments in (
        _again(archive)[0],
        ("index", "--rebuild"),
        ("backup", "copy.db", "--replace", "--verify"),
        ("doctor",),
    ):
        done = subprocess.run(
            [MEM, *arguments], cwd=mem.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (arguments, done.stderr)
    archive.check()
    expected = archive.exports * BATCH - len(archive.forgotten)
    assert archive.known.total() == expected, (archive.known.total(), expected)
    allowed = {"home", "key", "repository", "mem.db", "mem.db-wal", "mem.db-shm", "copy.db"}
    left = {path.name for path in mem.folder.iterdir() if path.suffix != ".json"} - allowed
    assert not left, left


def write_at_once(folder, seconds, processes=8):
    """Let many processes import, search and forget at once; return the numbers of commands."""
    mem, until, begun = Mem(folder), time.monotonic() + seconds, 0
    done: Counter[str] = Counter()
    running: dict[subprocess.Popen[str], tuple[str, ...]] = {}
    allowed = {0, 3, 75}
    while time.monotonic() < until or running:
        while len(running) < processes and time.monotonic() < until:
            begun += 1
            name = f"own{begun % 5}.json"
            if not (folder / name).exists():
                mem.write(name, [talk(f"{name} {at}", f"me: word{at}") for at in range(BATCH)])
            arguments = (
                ("ingest", name, "--quiet"),
                ("search", "word3"),
                ("memories", "add", f"key{begun}", "value"),
                ("index", "--quiet"),
            )[begun % 4]
            running[_start(mem, arguments)] = arguments
        for process in [one for one in running if one.poll() is not None]:
            words = running.pop(process)
            error = process.communicate()[1]
            assert "Traceback" not in error, (words, error)
            known = allowed | ({5} if "nothing was ingested yet" in error else set())
            assert process.returncode in known, (words, error)
            done[words[0]] += 1
        time.sleep(0.02)
    archive = Archive(folder)
    for name in sorted(folder.glob("own*.json")):
        assert mem.process("ingest", name.name).code == 0
    archive.check()
    own = Counter({title: count for title, count in archive.known.items() if "own" in title})
    assert own.total() == BATCH * len(list(folder.glob("own*.json")))
    assert mem.process("doctor").code == 0
    return dict(done)


def _start(mem, arguments):
    return subprocess.Popen(
        [MEM, *arguments],
        cwd=mem.folder,
        env=mem.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
