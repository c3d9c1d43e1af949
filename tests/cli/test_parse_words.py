"""Words are parsed as Typer parses them, or not at all."""

import os
import shlex

import pytest
from typer.exceptions import TyperException

from memcli.cli.app import command_tree, root
from memcli.cli.help.examples import EXAMPLES
from memcli.cli.parsing import typer_groups
from memcli.cli.parsing.parse_words import parse_words
from memcli.errors import MemError

SHELL = ("|", ">", "&&", "$(", "<", "*")
EVERY = [line for lines in EXAMPLES.values() for line in lines if line.startswith("mem ")]
TYPED = [line for line in EVERY if not any(sign in line for sign in SHELL)]
MORE = """
mem search a b --limit 3 -v --json
mem search --limit=3 a --no-such-option
mem search --limit 0 a
mem search --limit three a
mem search -n5 a
mem search -vn 5 a
mem search -n 5 -- -a --b
mem search -n 5 -- a
mem search
mem search --help
mem search a --since
mem search a --since yesterday --until 2024-03 --source WhatsApp --speaker me
mem search a --since nonsense
mem search a --format csv
mem search a --format odd
mem search a --format=markdown
mem search a --format ''
mem search '' --min-score .5
mem search a --min-score 2
mem search a --min-score nan
mem search a --limit ' 5' --json --json
mem search a --limit 5 --limit 6
mem search a --lim 5
mem search a --json=true
mem search a --redact
mem search a --redact --no-redact
mem search - --null -0
mem search -1 a
mem --db x.db search a
mem --db=x.db search a --db y.db
mem --db x.db
mem --db
mem --version search a
mem sessions --db '' --limit 2
mem ask a --stages retrieve,sift --budget 2m --think 0 --gpu-layers auto
mem ask a --stages nothing
mem ask a --budget -3
mem ask --reranker none --sifter none a
mem ingest a b --include tool --include thought --timezone Europe/Lisbon --me Ada
mem ingest --include nothing a
mem ingest '' b
mem ingest
mem show s_k3j:12 -C 5 --all
mem show
mem show a b
mem memories
mem memories --status x
mem memories m_abc
mem memories show m_abc --why
mem memories nothing
mem memories --limit 3
mem models
mem models list
mem models pull --yes
mem people
mem people merge a b
mem sources --json
mem config set people.me a b
mem config odd
mem export --to x.jsonl
mem forget --source x --dry-run
mem nothing
mem read --limit 5 --jobs 2
mem bench --grain turn
mem timeline --format svg a b
""".strip().splitlines()


@pytest.fixture
def by_typer(monkeypatch):
    """Return a function that lets Typer parse words; None for wrong usage and for help."""
    called = []

    def call(command, values):
        called.append((command, values))
        if command is root:
            root(**values)

    monkeypatch.setattr(typer_groups, "run_command", call)

    def parse(words):
        called.clear()
        try:
            command_tree(words)(list(words), prog_name="mem", standalone_mode=False)
        except (TyperException, MemError):
            return None
        found = [each for each in called if each[0] is not root]
        return found[0] if found else None

    return parse


@pytest.mark.parametrize("line", [*TYPED, *MORE])
@pytest.mark.parametrize("variables", [{}, {"MEM_DB": "of_variable.db", "MEM_RERANKER": ""}])
def test_words_are_parsed_as_typer_does(line, variables, by_typer, monkeypatch, capsys):
    _, *words = shlex.split(line)
    monkeypatch.setattr(os, "environ", {**os.environ, **variables})
    before = dict(os.environ)

    parsed = parse_words(words)
    given = dict(os.environ)
    os.environ.clear()
    os.environ.update(before)
    expected = by_typer(words)

    if parsed is not None:
        assert (parsed.run, repr(parsed.values)) == (
            expected[0],
            repr(order_as(expected[1], parsed)),
        )
        assert given.get("MEM_DB") == os.environ.get("MEM_DB")


def order_as(values, parsed):
    """Return values in the order of those that were parsed."""
    assert set(values) == set(parsed.values)
    return {name: values[name] for name in parsed.values}


def test_right_usage_needs_no_typer():
    left = [line for line in TYPED if parse_words(shlex.split(line)[1:]) is None]

    assert left == []
