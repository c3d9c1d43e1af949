"""What `--json` and `--jsonl` print, beside the schemas that ship in the package."""

import json
from copy import deepcopy

import jsonschema
import pytest
from helpers.hostile_server import serving
from helpers.scripted_reader import add, fact, ignore
from helpers.small_datasets import two_people
from helpers.small_exports import talk

import memcli.cli.reference.generate as generate
from memcli.cli.json_output.documents import DOCUMENTS
from memcli.cli.json_output.json_schema import removed_guarantees
from memcli.cli.reference.generate import broken_promises, json_schemas
from memcli.cli.reference.introspect import describe_commands

DOOR = talk("Door code", "me: The door code is 3826.", "ai: Saved.")
# Each prints its document with `--json`, and its lines with `--jsonl` where it has any.
PRINTED = {
    "mem ingest": ("ingest", "-"),
    "mem ask": ("ask", "door code"),
    "mem search": ("search", "door code"),
    "mem sources list": ("sources", "list"),
    "mem sessions": ("sessions",),
    "mem people list": ("people", "list"),
    "mem timeline": ("timeline",),
    "mem show": ("show", "s_"),
    "mem forget": ("forget", "s_", "--dry-run"),
    "mem models list": ("models", "list"),
    "mem models verify": ("models", "verify"),
    "mem stats": ("stats",),
    "mem doctor": ("doctor",),
    "mem index": ("index",),
    "mem config": ("config",),
    "mem bench": ("bench", "--speed", "--quiet"),
    "mem backup": ("backup", "copy.db"),
    "mem sources move": ("sources", "move", "door.json", "home"),
    "mem sources remove": ("sources", "remove", "door.json"),
    "mem people merge": ("people", "merge", "me", "Mira"),
    "mem memories add": ("memories", "add", "door", "It is 3826"),
    "mem memories import": ("memories", "import", "facts.json"),
    "mem models show": ("models", "show", "bge-m3"),
}
# With a model, a memory or a data set.
TESTED_BELOW = (
    "mem read",
    "mem memories list",
    "mem memories search",
    "mem memories show",
    "mem memories forget",
    "mem memories edit",
    "mem memories accept",
    # Of models, as `mem models list` prints them; tests/cli/test_models_pull.py pulls some.
    "mem models pull",
    "mem models add",
    "mem models remove",
)
WITH = {
    flag: {
        command.name
        for command in describe_commands().all()
        if any(each.form.split()[0] == flag for each in command.parameters)
    }
    for flag in ("--json", "--jsonl")
}
LINES = {command: output.line for output in DOCUMENTS for command in output.commands if output.line}


def strict(schema):
    """Return a schema that allows no key but those that it names."""
    if isinstance(schema, dict):
        closed = {key: strict(inner) for key, inner in schema.items()}
        return closed | ({"additionalProperties": False} if "properties" in schema else {})
    return [strict(each) for each in schema] if isinstance(schema, list) else schema


def check(document, file):
    schema = strict(json_schemas()[file])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(
        document, schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def test_every_command_that_prints_json_has_a_schema_and_is_tested_here():
    described = {command for output in DOCUMENTS for command in output.commands}

    assert (WITH["--json"], WITH["--json"]) == (described, {*PRINTED, *TESTED_BELOW})


def test_every_command_that_prints_lines_says_of_what():
    assert WITH["--jsonl"] <= set(LINES)


@pytest.mark.parametrize("command", PRINTED)
def test_a_document_is_as_its_schema_says(command, mem):
    mem("ingest", mem.write("door.json", [DOOR]))
    mem.write("facts.json", [{"key": "door", "value": "It is 6194"}])

    printed = mem(*PRINTED[command], "--json", stdin=json.dumps([DOOR]).encode())

    assert printed.code == 0, printed
    check(printed.json, f"{printed.json['schema'].replace('/', '-')}.json")


@pytest.mark.parametrize("command", sorted(WITH["--jsonl"] & PRINTED.keys()))
def test_a_line_is_as_its_schema_says(command, mem):
    mem("ingest", mem.write("door.json", [DOOR]))
    [output] = [output for output in DOCUMENTS if command in output.commands and output.line]

    printed = mem(*PRINTED[command], "--jsonl", stdin=json.dumps([DOOR]).encode())

    assert printed.code == 0, printed
    for line in printed.lines:
        check(line, f"{generate.document_title(output.document).replace('/', '-')}.line.json")


def test_what_is_read_and_remembered_is_as_the_schemas_say(mem):
    mem.remembers(DOOR, talk("Nuts", "me: No hazelnuts for me."))
    found = add(fact("door", "The door code is 3826"))

    with serving(found, ignore()) as served:
        reader = ("--reader", f"{served.url}#reader")
        expected = mem("read", *reader, "--json", "--dry-run")
        read = mem("read", *reader, "--json", "--keep-traces")
    listed = mem("memories", "list", "--json")
    [memory] = mem("memories", "list", "--jsonl").lines
    told = mem("memories", "show", memory["id"], "--why", "--json")
    found_again = mem("memories", "search", "door", "--json")
    accepted = mem("memories", "accept", memory["id"], "--json")
    edited = mem("memories", "edit", memory["id"], "It is 1", "--json")
    forgotten = mem("memories", "forget", memory["id"], "--dry-run", "--json")

    for document in (expected, read, listed, found_again, told, accepted, edited, forgotten):
        check(document.json, f"{document.json['schema'].replace('/', '-')}.json")
    check(memory, "mem.memories-1.line.json")


def test_what_is_measured_is_as_the_schema_says(mem):
    mem.write("locomo.json", two_people())

    measured = mem("bench", "locomo.json", "--quiet", "--json")

    check(measured.json, "mem.bench-1.json")


def test_segments_that_are_read_are_as_the_schema_says(mem):
    mem.remembers(DOOR)

    with serving(ignore()) as served:
        read = mem("read", "--reader", f"{served.url}#reader", "--jsonl")

    assert len(read.lines) == 1
    check(read.lines[0], "mem.read-1.line.json")


def test_the_stages_with_models_are_as_the_schema_says(mem, tiny):
    mem.remembers(DOOR)

    printed = mem(
        *("ask", "door code", "--json", "--think", "4", "--budget", "60"),
        *("--reranker", str(tiny), "--sifter", str(tiny)),
    )

    assert "rerank" in [stage["name"] for stage in printed.json["stages"]]
    check(printed.json, "mem.ask-1.json")


def test_a_schema_may_grow():
    recorded = json_schemas()["mem.ask-1.json"]
    grown = deepcopy(recorded)
    grown["properties"]["weather"] = {"type": "string"}
    grown["required"].append("weather")
    grown["$defs"]["Weather"] = {"type": "object"}

    assert list(removed_guarantees(recorded, grown)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda new: new["properties"].pop("trace"), "trace"),
        (lambda new: new["required"].remove("trace"), "trace"),
        (lambda new: new["properties"]["trace"].update(type="integer"), "its type"),
        (lambda new: new["$defs"]["Quote"]["properties"].pop("text"), "Quote"),
        (lambda new: new["properties"]["verdict"]["enum"].remove("nothing"), "a value"),
    ],
)
def test_what_a_schema_loses_is_named(change, told):
    recorded = json_schemas()["mem.ask-1.json"]
    changed = deepcopy(recorded)
    change(changed)

    assert told in "\n".join(removed_guarantees(recorded, changed))


def test_generating_takes_nothing_away_from_a_recorded_schema(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.generate([]) == 0
    recorded = tmp_path / "memcli" / "schemas" / "mem.show-1.json"
    schema = json.loads(recorded.read_text())
    schema["required"].append("old")
    recorded.write_text(json.dumps(schema))

    status = generate.generate([])

    told = "mem.show-1.json lost old: keys are only ever added\n"
    assert (status, capsys.readouterr().err) == (1, told)
    assert json.loads(recorded.read_text()) == schema


def test_a_recorded_document_stays(tmp_path):
    (tmp_path / "memcli" / "schemas").mkdir(parents=True)
    (tmp_path / "memcli" / "schemas" / "mem.gone-1.json").write_text("{}")

    assert list(broken_promises(tmp_path)) == ["mem.gone-1.json is gone"]
