"""The manual, the commands as Tab knows them, and the JSON Schemas of what they print.

python -m memcli.cli.reference.generate          rewrite man/, memcli/schemas/ and the commands
python -m memcli.cli.reference.generate --check  exit 1 and name the files that are out of date
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from memcli.cli.json_output.json_schema import JsonSchema, identity, lost, schema_of
from memcli.cli.json_output.schemas import OUTPUTS
from memcli.cli.reference.introspect import tree
from memcli.cli.reference.man import manual

ROOT = Path(__file__).parents[3]
SCHEMAS = "memcli/schemas"
TABLE = "memcli/cli/completion/commands.json"


def generated_files() -> dict[str, str]:
    """Return the text of every generated file, by path from the repository root."""
    commands = tree()
    pages = {f"man/{name}": text for name, text in manual(commands).items()}
    table = {TABLE: json.dumps(asdict(commands), indent=1) + "\n"}
    documents = {
        f"{SCHEMAS}/{name}": json.dumps(schema, indent=2) + "\n"
        for name, schema in schemas().items()
    }
    return {**pages, **table, **documents}


def schemas() -> dict[str, JsonSchema]:
    """Return the schema of every document and of every line, by the name of its file."""
    found = {}
    for output in OUTPUTS:
        name = identity(output.document).replace("/", "-")
        found[f"{name}.json"] = schema_of(output.document)
        if output.line:
            found[f"{name}.line.json"] = schema_of(output.line)
    return found


def broken(root: Path) -> Iterator[str]:
    """Yield what the schemas recorded in a repository promise, and ours no longer do."""
    ours = schemas()
    for path in sorted((root / SCHEMAS).glob("*.json")):
        if path.name not in ours:
            yield f"{path.name} is gone"
        else:
            recorded = json.loads(path.read_text("utf-8"))
            yield from (f"{path.name} lost {what}" for what in lost(recorded, ours[path.name]))


def main(argv: list[str]) -> int:
    """Write or check the generated files."""
    files = {ROOT / path: text for path, text in generated_files().items()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    left = sorted(set((ROOT / "man").rglob("*.?")) - files.keys())
    if promises := list(broken(ROOT)):
        sys.stderr.writelines(f"{promise}: keys are only ever added\n" for promise in promises)
        return 1
    if argv == ["--check"]:
        names = [path.relative_to(ROOT) for path in (*stale, *left)]
        sys.stderr.writelines(f"{name} is out of date\n" for name in names)
        return bool(names)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    for path in left:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
