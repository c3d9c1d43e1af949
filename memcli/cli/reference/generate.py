"""Generates the manual, the table of commands for Tab, JSON Schemas, and the README's formats.

python -m memcli.cli.reference.generate          rewrite man/, memcli/schemas/, commands, README
python -m memcli.cli.reference.generate --check  exit 1 and name the files that are out of date
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from memcli.cli.help.topics import topic_markdown
from memcli.cli.json_output.documents import DOCUMENTS
from memcli.cli.json_output.json_schema import (
    JsonSchema,
    document_schema,
    document_title,
    removed_guarantees,
)
from memcli.cli.reference.introspect import describe_commands
from memcli.cli.reference.man import manual_pages
from memcli.formats.guides import format_table

ROOT = Path(__file__).parents[3]
SCHEMAS = "memcli/schemas"
README = "README.md"
TABLE = "memcli/cli/completion/commands.json"


def generated_files() -> dict[str, str]:
    """Return the text of every generated file, by path from the repository root."""
    commands = describe_commands()
    pages = {f"man/{name}": text for name, text in manual_pages(commands).items()}
    table = {TABLE: json.dumps(asdict(commands), indent=1) + "\n"}
    documents = {
        f"{SCHEMAS}/{name}": json.dumps(schema, indent=2) + "\n"
        for name, schema in json_schemas().items()
    }
    return {**pages, **table, **documents, **_readme()}


def _readme() -> dict[str, str]:
    """Return the README with its generated tables between their marks; nothing without one."""
    if not (ROOT / README).exists():
        return {}
    text = (ROOT / README).read_text("utf-8")
    _, _, promises = topic_markdown("trust").partition("## Promises\n\n")
    for mark, table in (("formats", format_table()), ("promises", promises.strip())):
        before, begin, rest = text.partition(f"<!-- {mark} -->\n")
        _, end, after = rest.partition(f"<!-- /{mark} -->\n")
        text = f"{before}{begin}\n{table}\n\n{end}{after}".replace("\n\n\n", "\n\n")
    return {README: text}


def json_schemas() -> dict[str, JsonSchema]:
    """Return the schema of every document and of every line, by the name of its file."""
    by_file = {}
    for printed in DOCUMENTS:
        name = document_title(printed.document).replace("/", "-")
        by_file[f"{name}.json"] = document_schema(printed.document)
        if printed.line:
            by_file[f"{name}.line.json"] = document_schema(printed.line)
    return by_file


def broken_promises(root: Path) -> Iterator[str]:
    """Yield the guarantees of the schemas recorded in a repository that today's schemas lack."""
    ours = json_schemas()
    for path in sorted((root / SCHEMAS).glob("*.json")):
        if path.name not in ours:
            yield f"{path.name} is gone"
        else:
            recorded = json.loads(path.read_text("utf-8"))
            yield from (
                f"{path.name} lost {guarantee}"
                for guarantee in removed_guarantees(recorded, ours[path.name])
            )


def generate(argv: list[str]) -> int:
    """Write or check the generated files."""
    files = {ROOT / path: text for path, text in generated_files().items()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    obsolete = sorted(set((ROOT / "man").rglob("*.?")) - files.keys())
    if promises := list(broken_promises(ROOT)):
        sys.stderr.writelines(f"{promise}: keys are only ever added\n" for promise in promises)
        return 1
    if argv == ["--check"]:
        names = [path.relative_to(ROOT) for path in (*stale, *obsolete)]
        sys.stderr.writelines(f"{name} is out of date\n" for name in names)
        return bool(names)
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    for path in obsolete:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(generate(sys.argv[1:]))
