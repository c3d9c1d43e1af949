"""Encryption at rest: no byte of a chat is readable in any file, and every failure has a name."""

import os
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest
from helpers.mem_process import MEM, Mem
from helpers.small_exports import talk

import memcli
from memcli.store.maintenance import encrypt as encrypting

TALK = talk("Heronsgate", "me: The vault word is quillfeather.", "ai: Noted, quillfeather it is.")
SECRETS = [b"quillfeather", b"Heronsgate", b"vault word"]
KEY = "5f" * 32


@pytest.fixture
def mem(tmp_path):
    mem = Mem(tmp_path)
    mem.remembers(TALK)
    return mem


def encrypt(mem, *options):
    done = mem("encrypt", "--key-file", "key", *options)
    assert done.code == 0, done
    return done


def readable(folder):
    """The files under a folder that hold a word of the chat."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(word in path.read_bytes() for word in SECRETS)
    ]


def finds(mem, **environment):
    done = mem("search", "vault", "--jsonl", **environment)
    return done.code == 0 and "quillfeather" in done.out


def test_nothing_of_the_archive_is_readable_in_any_file(mem):
    assert readable(mem.folder)

    encrypt(mem)
    mem.write("more.json", [talk("Quillfeather again", "me: quillfeather", "ai: Heronsgate")])
    assert mem("ingest", "more.json").code == 0
    (mem.folder / "more.json").unlink()
    holding = (
        "import os\nfrom memcli.cli import main\n"
        "from memcli.store.sqlite.connection import Database\n"
        "Database.close = lambda self: os._exit(0)\n"  # a kill: the log stays
        "main(['memories', 'add', 'vault word', 'It is quillfeather'])\n"
    )
    run = [MEM.with_name("python"), "-c", holding]
    subprocess.run(run, cwd=mem.folder, env=mem.environment, check=True)
    assert mem("backup", "copy.db", "--verify").code == 0
    assert mem("ask", "what is the vault word").code == 0
    subprocess.run(run, cwd=mem.folder, env=mem.environment, check=True)

    assert (mem.folder / "copy.db").exists()
    assert (mem.folder / "mem.db-wal").stat().st_size > 4096
    assert not readable(mem.folder)


def test_every_connection_is_opened_where_its_key_is_set():
    allowed = {
        "store/encryption/connect.py",
        "store/sqlite/tokenize.py",  # in memory, for the tokenizer alone
        "formats/parsing/sqlite.py",  # of other programs
        "evaluation/scale/floors.py",  # measures what SQLite needs
    }

    root = Path(memcli.__file__).parent
    opening = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "apsw.Connection(" in path.read_text()
    }

    assert opening == allowed


def test_search_works_as_before(mem):
    assert mem("memories", "add", "vault", "It is quillfeather").code == 0
    before = mem("search", "quillfeather", "--json").json
    memories = mem("memories", "search", "vault", "--json").json

    encrypt(mem)

    after = mem("search", "quillfeather", "--json").json
    assert after["sessions"] == before["sessions"]
    assert mem("memories", "search", "vault", "--json").json == memories
    assert mem("doctor").code == 0
    assert mem("index", "--rebuild").code == 0


def test_decrypting_gives_back_the_same_archive(mem):
    before = mem("export").out
    encrypt(mem)

    done = mem("decrypt")

    assert done.out == f"{mem.database}: not encrypted any more\n"
    assert mem("export").out == before
    assert mem.database.read_bytes().startswith(b"SQLite format 3\0")


def test_a_link_to_the_database_stays_one(mem):
    (mem.folder / "link.db").symlink_to("mem.db")

    assert mem("encrypt", "--key-file", "key", "--db", "link.db").code == 0

    assert (mem.folder / "link.db").is_symlink()
    assert finds(mem)
    assert finds(mem, MEM_DB="link.db")
    assert "Heronsgate" in mem("", _MEM_COMPLETE="mem --db link.db show s_").out
    assert mem("encrypt", "--change-key", "--db", "link.db").code == 0
    assert mem("decrypt", "--db", "link.db").code == 0
    assert (mem.folder / "link.db").is_symlink()
    assert finds(mem, MEM_DB="link.db")


def test_a_full_disk_leaves_the_database_as_it_was(mem, monkeypatch):
    """The same error as on a disk without room, as a limit on the size of a file gives it."""
    before = mem.database.read_bytes()
    done = subprocess.run(
        [MEM, "encrypt", "--key-file", "key"],
        cwd=mem.folder,
        env=mem.environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        check=False,
    )

    assert (done.returncode, done.stdout) == (5, "")
    assert "Traceback" not in done.stderr
    assert mem("sessions").code == 0
    assert len(mem.database.read_bytes()) == len(before)
    assert not [path for path in mem.folder.iterdir() if path.name.startswith(".")]


def test_nothing_stays_beside_the_database(mem):
    before = {path.name for path in mem.folder.iterdir()}

    encrypt(mem)

    assert {path.name for path in mem.folder.iterdir()} - before == {"key"}
    assert mem.database.stat().st_mode & 0o777 == 0o600
    assert (mem.folder / "key").stat().st_mode & 0o777 == 0o600


def test_an_export_needs_a_word(mem):
    encrypt(mem)

    for command in (("export",), ("memories", "export")):
        refused = mem(*command)
        assert (refused.code, refused.out) == (2, "")
        assert "`--plain`" in refused.err
        assert mem(*command, "--plain").code == 0
    assert mem("export", "--format", "markdown", "--to", "notes").code == 2
    assert not (mem.folder / "notes").exists()
    assert mem("export", "--format", "markdown", "--to", "notes", "--plain").code == 0


def test_a_missing_key_a_wrong_key_and_damage_are_three_things(mem):
    encrypt(mem)
    key = (mem.folder / "key").read_text()
    sound = mem.database.read_bytes()

    (mem.folder / "key").write_text("0" * 64)
    wrong = mem("sessions")
    (mem.folder / "key").unlink()
    gone = mem("sessions")
    mem("config", "unset", "database.key_file")
    none = mem("sessions")
    mem("config", "set", "database.key_file", str(mem.folder / "key"))
    (mem.folder / "key").write_text(key)
    found = []
    for place in (50, len(sound) // 2):
        mem.database.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        found.append((mem("sessions"), mem("doctor")))

    assert [one.code for one in (wrong, gone, none)] == [9, 8, 8]
    assert f"{mem.database} is encrypted with another key than" in wrong.err
    assert "cannot be read" in gone.err
    assert "its key is not known here\nhint: `mem config set database.key_command" in none.err
    first, middle = found
    assert first[0].code == first[1].code == 5
    assert "damaged: the key is right" in first[0].err
    assert middle[1].code == 5
    assert "encrypted with" not in middle[0].err + middle[1].out


@pytest.mark.parametrize("command", [("sessions",), ("ingest", "-"), ("doctor",), ("backup", "b")])
def test_every_command_says_which_it_is(mem, command):
    encrypt(mem)
    (mem.folder / "key").write_text("0" * 64)

    done = mem(*command, stdin=b"[]")

    assert done.code == 9
    assert "another key" in done.out + done.err
    assert mem("doctor", "--rescue", "saved.db").code == 9
    assert not (mem.folder / "saved.db").exists()


def test_a_damaged_salt_does_not_lose_the_database(mem):
    encrypt(mem)
    content = bytearray(mem.database.read_bytes())
    content[14] ^= 1
    mem.database.write_bytes(content)

    assert finds(mem)


def test_a_rescue_of_an_encrypted_database_is_encrypted(mem):
    encrypt(mem)
    content = bytearray(mem.database.read_bytes())
    content[-7000] ^= 1
    mem.database.write_bytes(content)

    assert mem("doctor", "--rescue", "saved.db").code == 0

    assert finds(mem, MEM_DB="saved.db")
    assert not readable(mem.folder)


def test_another_key_and_the_old_backups(mem):
    assert mem("backup", "plain.db").code == 0
    first = encrypt(mem)
    assert mem("backup", "old.db").code == 0

    second = mem("encrypt", "--change-key")

    assert f"1 backup made before can be read by anybody: {mem.folder}/plain.db" in first.err
    assert f"with the old key: {mem.folder}/old.db" in second.err
    assert len((mem.folder / "key").read_text().split()) == 2
    assert finds(mem)
    assert finds(mem, MEM_DB="old.db")
    (mem.folder / "key").write_text((mem.folder / "key").read_text().split()[0])
    assert mem("sessions").code == 9
    assert finds(mem, MEM_DB="old.db")


def test_what_makes_no_sense_is_refused_and_changes_nothing(mem):
    for words, said in [
        (("encrypt", "--change-key"), "is not encrypted"),
        (("decrypt",), "is not encrypted"),
        (("encrypt", "--keyring", "--passphrase"), "one source"),
        (("encrypt",), "no terminal"),
    ]:
        done = mem(*words)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
    encrypt(mem)
    done = mem("encrypt")
    assert (done.code, "is encrypted already" in done.err) == (2, True)
    assert finds(mem)


@pytest.mark.parametrize("text", [KEY, "correct horse battery staple ä"])
def test_a_command_prints_the_key(mem, text):
    mem.write("secret", f"{text}\nuser: mira\n")
    assert mem("config", "set", "database.key_command", "cat secret").code == 0

    assert mem("encrypt").code == 0

    assert finds(mem)
    refused = mem("encrypt", "--change-key")
    assert (refused.code, "has already" in refused.err) == (2, True)
    mem.write("other", "another passphrase")
    assert mem("encrypt", "--change-key", "--key-command", "cat other").code == 0
    assert mem("config", "get", "database.key_command").out == "cat other\n"
    assert finds(mem)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program-here", "cannot be run: No such file"),
        ("false", "ended with status 1"),
        ("true", "printed nothing"),
        ("'", "cannot be run: No closing quotation"),
        ("", ""),
    ],
)
def test_a_command_that_fails_is_named(mem, command, said):
    encrypt(mem)
    mem("config", "unset", "database.key_file")
    mem("config", "set", "database.key_command", command)

    done = mem("sessions")

    assert done.code == 8
    assert said in done.err
    assert f"`{command}`" in done.err or not command


def test_the_command_does_not_read_what_mem_is_given(mem):
    mem.write("secret", KEY)
    assert mem("encrypt", "--key-command", "sh -c 'cat >&2; cat secret'").code == 0

    done = mem("ask", "-", "--jsonl", stdin=b"what is the vault word\n")

    assert done.code == 0
    assert "vault word\n" not in done.err


def test_a_new_database_is_encrypted_from_the_start(mem):
    mem("config", "set", "database.key_file", str(mem.folder / "key"))
    mem.write("talk.json", [TALK])

    done = mem("ingest", "talk.json", MEM_DB="new.db")
    dry = mem("ingest", "talk.json", "--dry-run", MEM_DB="none.db")

    assert (done.code, dry.code) == (0, 0)
    assert (mem.folder / "key").exists()
    assert not any(word in (mem.folder / "new.db").read_bytes() for word in SECRETS)
    assert finds(mem, MEM_DB="new.db")
    assert not (mem.folder / "none.db").exists()
    assert "the database is not encrypted; `mem encrypt`" in mem("doctor").out


KEYRING = """
import json
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

class Keyring(KeyringBackend):
    priority = 1
    file = Path("ring.json")

    def _all(self):
        if Path("locked").exists():
            raise KeyringLocked("Failed to unlock the collection!")
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, name):
        return self._all().get(f"{service}/{name}")

    def set_password(self, service, name, password):
        self.file.write_text(json.dumps(self._all() | {f"{service}/{name}": password}))
"""


def test_the_system_keyring_keeps_the_keys_of_old_backups_too(mem):
    mem.write("my_ring.py", KEYRING)
    ring = {"PYTHON_KEYRING_BACKEND": "my_ring.Keyring", "PYTHONPATH": str(mem.folder)}

    assert mem.process("encrypt", "--keyring", **ring).code == 0
    assert mem.process("backup", "old.db", **ring).code == 0
    assert mem.process("encrypt", "--change-key", **ring).code == 0

    assert mem.process("search", "vault", **ring).code == 0
    assert mem.process("search", "vault", **ring, MEM_DB="old.db").code == 0
    (mem.folder / "locked").touch()
    locked = mem.process("sessions", **ring)
    assert locked.code == 8
    assert "the system keyring says: Failed to unlock the collection!" in locked.err


def test_the_key_is_in_no_log_and_in_no_other_process(mem):
    encrypt(mem)
    key = (mem.folder / "key").read_text().strip()

    for words in (("sessions",), ("encrypt", "--change-key"), ("decrypt",)):
        done = mem.process(*words, MEM_DEBUG="1")
        assert done.code == 0
        assert key not in done.out + done.err
        assert key[:16] not in (done.out + done.err).lower()


def test_tab_asks_nobody_for_a_key(mem):
    mem.write("secret", KEY)
    assert mem("encrypt", "--key-command", "sh -c 'touch asked; cat secret'").code == 0
    (mem.folder / "asked").unlink()

    offers = mem("", _MEM_COMPLETE="mem show s_")

    assert (offers.code, offers.out, offers.err) == (0, "", "")
    assert not (mem.folder / "asked").exists()
    mem("config", "unset", "database.key_command")
    mem("config", "set", "database.key_file", "secret")
    assert "Heronsgate" in mem("", _MEM_COMPLETE="mem show s_").out


def test_an_encrypted_database_is_no_export(mem):
    encrypt(mem)

    done = mem("ingest", "mem.db", MEM_DB="other.db")

    assert done.code == 4
    assert "export --plain | mem ingest -" in done.err


def test_a_process_that_has_it_open_is_waited_for(mem):
    holder = apsw.Connection(str(mem.database))
    holder.execute("select * from sessions").fetchall()

    busy = mem("encrypt", "--key-file", "key", "--wait", "0")
    holder.close()

    assert busy.code == 75
    assert "another process has" in busy.err
    assert finds(mem)
    encrypt(mem)


def test_who_waited_for_the_old_file_writes_into_the_new_one(mem, monkeypatch):
    mem.write("more.json", [talk("Later", "me: Later word.", "ai: Yes.")])
    check, waiting = encrypting.check_copy, []

    def let_another_wait(part, target):
        check(part, target)
        command = [MEM, "ingest", "more.json", "--quiet"]
        waiting.append(subprocess.Popen(command, cwd=mem.folder, env=mem.environment))
        time.sleep(2)
        assert waiting[0].poll() is None

    monkeypatch.setattr(encrypting, "check_copy", let_another_wait)
    mem("config", "set", "database.key_file", str(mem.folder / "key"))

    encrypt(mem)

    assert waiting[0].wait(20) == 0
    assert {one["title"] for one in mem("sessions", "--jsonl").lines} == {"Heronsgate", "Later"}
    assert not readable(mem.folder)


def type_into(mem, words, answers):
    """Run `mem` on a terminal and type answers, each when a line asks for it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(mem.folder)
        os.execve(MEM, [str(MEM), *words], mem.environment)
    shown, until = b"", time.monotonic() + 60
    waiting = list(answers)
    while time.monotonic() < until:
        try:
            shown += os.read(terminal, 4096)
        except OSError:
            break
        if waiting and shown.rstrip(b" ").endswith(b":"):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
            time.sleep(0.2)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_passphrase_is_typed_unseen(mem):
    code, shown = type_into(mem, ["encrypt"], ["first guess", "second guess"])
    assert code == 2
    assert "differ" in shown

    code, shown = type_into(mem, ["encrypt"], ["blue marble", "blue marble"])
    assert code == 0
    assert "blue marble" not in shown

    code, shown = type_into(mem, ["search", "vault"], ["wrong", "blue marble"])
    assert code == 0
    assert "that does not open it" in shown
    assert "quillfeather" in shown
    code, shown = type_into(mem, ["search", "vault"], ["a", "b", "c"])
    assert code == 9
    assert mem.process("search", "vault").code == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_the_old_database_and_nothing_else(mem, number):
    code = (
        "import os, signal, sys\n"
        "from memcli.store.sqlite.connection import Database\n"
        "from memcli.cli import main\n"
        "rewrite = Database.rewrite_to\n"
        "def stop(self, path, key, progress):\n"
        "    rewrite(self, path, key, progress)\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "Database.rewrite_to = stop\n"
        "sys.exit(main(['encrypt', '--key-file', 'key']))\n"
    )
    before = mem("export").out
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=mem.folder, env=mem.environment, check=False
    )

    assert done.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert mem("export").out == before
    assert not [path for path in mem.folder.iterdir() if path.name.startswith(".")]
