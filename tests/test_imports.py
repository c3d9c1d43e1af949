"""Who may import whom. The README says how memcli is built; this enforces it."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import memcli

ROOT = Path(memcli.__file__).parent

LAYERS = """
lazy_dataclasses errors debug domain protocols callbacks deadline retry files temporary typed_table
demo prompts settings text catalog backends weights formats store search memories ingest extraction
evaluation cli __main__
""".split()
LAYER = {name: number for number, name in enumerate(LAYERS)}
NEVER = {("search", "backends"), ("ingest", "backends")}  # both are handed their models
OWNER = {
    "anyascii": "search.question.people",
    "typer": "cli",
    "rich": "cli",
    "shellingham": "cli.completion.shells",
    "apsw": "store formats.parsing.sqlite",  # ours, and other programs' databases
    "sqlite_vec": "store",
    "llama_cpp": "backends.llama",
    "jinja2": "backends.generation",
    "tokenizers": "backends.llama.wordpiece backends.word_pieces",
    "torch": "backends.torch_bf16",
    "transformers": "backends.torch_bf16",
    "sentence_transformers": "backends.torch_bf16",
    "httpx2": "backends.server",
    "huggingface_hub": "weights",
    "gguf": "weights",
    "yaml": "weights",
    "babel": "text.localized_dates",
    "mcp": "cli.agent_tools.mcp_server",
    "mcp_types": "cli.agent_tools.mcp_server",
    "anyio": "cli.agent_tools.mcp_server",
    "jsonschema": "cli.agent_tools.mcp_server",
    "textual": "cli.browse",
    "keyring": "store.encryption.key_sources",
    "platformdirs": "settings",
    "tomlkit": "cli.settings_editor",
}
UNOWNED = {"numpy", "_typeshed"}  # spoken by the store and every backend; by the type checker
NEEDED_BY_HELP = {"typer", "shellingham", "platformdirs", "apsw"}

GROUPS_OF_PARSERS = ("agents", "assistants", "datasets", "generic", "messengers")
ALIKE_BY_DESIGN = {
    "main",  # of programs
    "recognises",  # parsers that are called by name
}
PARTICIPLE = re.compile(
    "(?!(?:embed|feed|seed|reseed|need|exceed|proceed|speed|shorten|listen|open|deepen|widen|tighten)$)"
    "(?:[a-z]+ed|[a-z]{3,}en|told|said|meant|held|drawn|kept|made|sent|begun|lost|shown|woven|"
    "found|named|understood|known|left|built)"
)
QUESTION_WORDS = r"(What|Who|Whose|How|Whether|Whatever|Whoever|Where|When|Why)\b"

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if path != ROOT / "__init__.py"
}


def imports(dotted):
    """Return the full names a module imports, wherever in it, for the type checker included."""
    names = set()
    for node in ast.walk(ast.parse(MODULES[dotted].read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{dotted} imports relatively in line {node.lineno}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def package(dotted):
    """Return the part of memcli a module belongs to."""
    return dotted.split(".")[0]


def inside(dotted, owner):
    return f"{dotted}.".startswith(f"{owner}.")


def loaded_by(*arguments):
    """Return the modules in memory after `mem` has run in a process of its own."""
    code = (
        "import sys\nfrom memcli.cli import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


def trees():
    """Return the syntax tree of every module."""
    return {dotted: ast.parse(path.read_text()) for dotted, path in MODULES.items()}


def module_imports(nodes):
    """Yield the import statements that run when a module is imported."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.dump(node):
            yield from module_imports(ast.iter_child_nodes(node))


def module_graph():
    """Return, for every module, the modules of memcli that importing it imports."""
    graph = {}
    for dotted, tree in trees().items():
        targets = set()
        for node in module_imports(tree.body):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            targets |= {name.removeprefix("memcli.") for name in names}
        graph[dotted] = targets & MODULES.keys() - {dotted}
    return graph


def circles(graph):
    """Return the modules that lead back to themselves."""
    reached = {dotted: set(targets) for dotted, targets in graph.items()}
    changed = True
    while changed:
        changed = False
        for targets in reached.values():
            further = set().union(*(reached[target] for target in targets))
            changed |= not further <= targets
            targets |= further
    return sorted(dotted for dotted, targets in reached.items() if dotted in targets)


def test_every_module_has_a_layer():
    assert {package(dotted) for dotted in MODULES} <= LAYER.keys()


def test_imports_point_downwards():
    upwards = [
        f"{dotted} imports {there}"
        for dotted in MODULES
        for there in sorted(
            {name.split(".")[1] for name in imports(dotted) if name.startswith("memcli.")}
            & LAYER.keys() - {package(dotted)}
        )
        if LAYER[there] >= LAYER[package(dotted)] or (package(dotted), there) in NEVER
    ]

    assert upwards == []


def test_no_module_imports_itself_by_way_of_others():
    assert circles(module_graph()) == []


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


def test_every_library_has_one_owner():
    strange = [
        f"{dotted} imports {library}"
        for dotted in MODULES
        for library in sorted({name.split(".")[0] for name in imports(dotted)})
        if library not in sys.stdlib_module_names | UNOWNED | {"memcli"}
        and not any(inside(dotted, owner) for owner in OWNER.get(library, "").split())
    ]

    assert strange == []


def test_sqlite_is_spoken_to_through_apsw_alone():
    assert [dotted for dotted in MODULES if "sqlite3" in map(package, imports(dotted))] == []


def test_no_package_has_more_than_16_modules():
    counts = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")
    groups_of_parsers = {ROOT / "formats" / name for name in GROUPS_OF_PARSERS}

    too_many = {
        str(folder.relative_to(ROOT)): count
        for folder, count in counts.items()
        if count > 16 and folder not in groups_of_parsers
    }

    assert too_many == {}


def test_no_two_public_names_are_alike():
    places = {}
    for dotted, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name[0] != "_":
                places.setdefault(node.name, []).append(dotted)

    twins = {
        name: modules
        for name, modules in places.items()
        if len(modules) > 1
        and name not in ALIKE_BY_DESIGN
        and not any(inside(dotted, "cli.commands") for dotted in modules)
    }

    assert twins == {}


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def is_property(function):
    return any("property" in ast.dump(each) for each in function.decorator_list)


def test_no_function_is_named_by_a_bare_participle():
    named = [
        f"{dotted}.{function.name}"
        for dotted, tree in trees().items()
        for function in functions(tree)
        if not is_property(function) and PARTICIPLE.fullmatch(function.name.strip("_"))
    ]

    assert named == []


@pytest.mark.parametrize("word", ["told", "asked", "shown", "kept"])
def test_a_participle_is_known_as_one(word):
    assert PARTICIPLE.fullmatch(word)


@pytest.mark.parametrize("word", ["embed", "read", "open", "shorten", "is_told", "told_before"])
def test_a_verb_is_not_taken_for_a_participle(word):
    assert not PARTICIPLE.fullmatch(word)


def test_no_docstring_begins_with_a_question_word():
    headless = [
        f"{dotted}:{getattr(node, 'name', 'module')}"
        for dotted, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and re.match(QUESTION_WORDS, ast.get_docstring(node) or "")
    ]

    assert headless == []


@pytest.mark.parametrize("command", ["", "ask", "ingest"])
def test_help_loads_no_heavy_library(command):
    loaded = {package(module) for module in loaded_by(*command.split(), "--help")}

    assert not loaded & (OWNER.keys() | UNOWNED) - NEEDED_BY_HELP


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("mem ", set()),
        ("mem ask --s", set()),
        ("mem show s_", {"apsw", "platformdirs"}),
        ("mem ask x --speaker ", {"apsw", "platformdirs"}),
        ("mem ask x --sifter ", {"platformdirs"}),
    ],
)
def test_tab_loads_next_to_nothing(line, needed, monkeypatch):
    monkeypatch.setenv("_MEM_COMPLETE", line)

    loaded = {package(module) for module in loaded_by()}

    assert loaded & (OWNER.keys() | UNOWNED) <= needed


def test_no_two_test_files_share_a_name():
    """Pytest imports them by name alone."""
    counts = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))

    assert [name for name, count in counts.items() if count > 1] == []


def test_dataclasses_are_lazy_ones():
    """Those of the standard library cost every start half a millisecond for each class."""
    standard = {"dataclasses.dataclass", "dataclasses.field", "dataclasses.replace"}

    eager = [dotted for dotted in MODULES if standard & imports(dotted)]

    assert eager == ["lazy_dataclasses"]
