"""Programs that need only what the machine needs: what our commands are compared with.

Each is the text of a Python program, so that nothing of memcli is loaded beside it.
"""

START = "pass"

# Arguments: a JSON list of the texts of all turns, a new database. Indexes them, and nothing else.
BUILD_FULL_TEXT = """
import apsw, json, sys
target = apsw.Connection(sys.argv[2])
target.execute("pragma journal_mode = off")
target.execute("pragma synchronous = off")
target.execute("create virtual table words using"
    " fts5(text, content='', tokenize='porter unicode61')")
with target:
    with open(sys.argv[1], encoding="utf-8") as texts:
        rows = [[text] for text in json.load(texts)]
    target.executemany("insert into words (text) values (?)", rows)
"""

# Arguments: the database that BUILD_FULL_TEXT made, a question.
SEARCH_FULL_TEXT = """
import apsw, sys
words = " OR ".join(f'"{word}"' for word in sys.argv[2].split())
rows = apsw.Connection(sys.argv[1]).execute(
    "select rowid, rank from words where words match ? order by rank limit 10", [words])
print(*rows, sep="\\n")
"""

# Arguments: files.
DIGEST = """
import hashlib, sys
for path in sys.argv[1:]:
    with open(path, "rb") as stream:
        print(hashlib.file_digest(stream, "sha256").hexdigest())
"""
