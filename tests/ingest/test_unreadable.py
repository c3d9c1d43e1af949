"""Whatever one document, message or entry of a folder does, the rest is imported."""

import os
import shutil
import subprocess
from email.message import EmailMessage

import apsw
import pytest
from helpers.mem_process import MEM, Mem, Run
from helpers.small_exports import talk

CHAT = '{"history": {"messages": {"q": {"id": "q", "role": "user", "content": "Why is it blue?"}}}}'
CATS = [talk("Cats", "me: A name for a cat?", "ai: Pixel.")]


@pytest.fixture
def mem(tmp_path):
    return Mem(tmp_path)


def mail(number, date):
    message = EmailMessage()
    message["From"], message["To"] = "ann@example.org", "bo@example.org"
    message["Message-ID"], message["Subject"] = f"<{number}@example.org>", f"Ferry {number}"
    message.set_content(f"Ferry number {number} leaves at nine.")
    head, _, body = message.as_bytes().partition(b"\n\n")
    return head + f"\nDate: {date}\n\n".encode() + body


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 99999999999999999999 10:00:00 +0000",
        "Mon, 01 Jan 2024 10:00:00 +99999999999999999999",
        f"Mon, {'9' * 5000} Jan 2024 10:00:00 +0000",
        "Fri, 31 Dec 9999 23:59:59 -2359",
    ],
)
def test_a_mail_with_an_absurd_date_is_kept_and_so_are_the_others(mem, date):
    good = "Mon, 01 Jan 2024 10:00:00 +0000"
    box = b"".join(
        b"From ann@example.org Mon Jan  1 10:00:00 2024\n" + mail(number, day) + b"\n\n"
        for number, day in enumerate((good, date, good))
    )
    mem.write("box/all.mbox", box)

    done = mem("ingest", "box", "--json")

    assert done.code == 0, done
    assert done.json["totals"]["turns"]["new"] == 3


@pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="root reads all files")
def test_what_cannot_be_opened_is_named_and_the_rest_is_imported(mem):
    mem.write("chats/a.json", CATS)
    mem.write("chats/closed.json", CATS)
    mem.write("chats/closed/inner.json", CATS)
    (mem.folder / "chats/closed.json").chmod(0)
    (mem.folder / "chats/closed").chmod(0)
    os.mkfifo(mem.folder / "chats/fifo")
    (mem.folder / "chats/loop").symlink_to("loop")

    done = as_nobody(mem, "ingest", "chats", "--json")

    (mem.folder / "chats/closed").chmod(0o700)
    assert done.code == 4, done
    assert done.json["totals"]["sessions"]["new"] == 1
    warned = {one["where"] for source in done.json["sources"] for one in source["warnings"]}
    assert warned == {"chats/closed.json", "chats/closed"}


def test_a_device_that_cannot_be_read_is_named_and_the_rest_is_imported(mem):
    mem.write("a.json", CATS)

    done = mem("ingest", "/dev/mem", "/proc/self/mem", "a.json", "--json")

    assert done.code == 4, done
    assert done.json["totals"]["sessions"]["new"] == 1


def test_a_file_with_an_absurd_time_is_imported(mem):
    mem.write("chats/a.json", CATS)
    os.utime(mem.folder / "chats/a.json", (1 << 34, (1 << 34)))

    assert mem("ingest", "chats", "--json").json["totals"]["sessions"]["new"] == 1


def as_nobody(mem, *arguments):
    """Run `mem` as a person for whom permissions hold; root reads every file."""
    command = [MEM, *arguments]
    if os.getuid() == 0:
        bounding = ["--bounding-set=-all", "--inh-caps=-all"]
        command = ["setpriv", "--reuid=0", *bounding, *command]
    done = subprocess.run(
        command, capture_output=True, cwd=mem.folder, env=mem.environment, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Run(done.returncode, done.stdout, done.stderr)


def unfinished_database(folder):
    """A database in the middle of a transaction; return it and its journal."""
    path = folder / "chat.db"
    db = apsw.Connection(str(path))
    db.execute("create table chat (id, user_id, title, chat)")
    db.execute("insert into chat values ('c1', 'u', 'Cats', ?)", [CHAT])
    db.execute("begin")
    db.execute("update chat set title = zeroblob(9000)")
    db.cache_flush()
    journal = folder.joinpath("chat.db-journal").read_bytes()
    raw = path.read_bytes()
    db.execute("rollback")
    db.close()
    return raw, journal


def test_no_journal_deletes_a_file_of_the_persons(mem):
    (mem.folder / "export").mkdir()
    raw, journal = unfinished_database(mem.folder / "export")
    precious = mem.folder / "precious.txt"
    precious.write_text("mine")
    name = str(precious).encode()
    ending = (1 << 18) + 1  # the page that SQLite never uses
    record = ending.to_bytes(4, "big") + name + len(name).to_bytes(4, "big")
    record += sum(name).to_bytes(4, "big") + bytes.fromhex("d9d505f920a163d7")
    mem.write("export/chat.db", raw)
    mem.write("export/chat.db-journal", journal + record)

    done = mem("ingest", "export/chat.db")

    assert precious.read_text() == "mine"
    assert done.code == 4
    assert "in the middle of a change" in done.err


def test_a_log_is_still_read(mem):
    (mem.folder / "export").mkdir()
    db = apsw.Connection(str(mem.folder / "export/chat.db"))
    db.pragma("journal_mode", "wal")
    db.execute("create table chat (id, user_id, title, chat)")
    db.execute("insert into chat values ('c1', 'u', 'Cats', ?)", [CHAT])

    done = mem("ingest", "export/chat.db", "--json")

    db.close()
    assert done.json["totals"]["sessions"]["new"] == 1


def test_views_do_not_run(mem):
    db = apsw.Connection(str(mem.folder / "chat.db"))
    db.execute("create table inner (id, user_id, title, chat)")
    db.execute(
        "create view chat as with recursive n (i) as (select 1 union all select i + 1 from n)"
        " select i as id, '' as user_id, '' as title, '{}' as chat from n"
    )
    db.close()

    assert mem("ingest", "chat.db", "--format", "open_webui").code == 4
