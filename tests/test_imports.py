"""Who may import whom. The README says how memcli is built; this enforces it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import memcli

ROOT = Path(memcli.__file__).parent

LAYERS = """
errors debug domain protocols callbacks deadline retry files typed_table demo prompts settings text
catalog backends weights formats store search memories ingest extraction evaluation cli __main__
""".split()
LAYER = {name: number for number, name in enumerate(LAYERS)}
NEVER = {("search", "backends"), ("ingest", "backends")}  # both are handed their models
OWNER = {
    "typer": "cli",
    "rich": "cli",
    "shellingham": "cli.completion.shells",
    "apsw": "store formats.parsing.sqlite",  # ours, and other programs' databases
    "sqlite_vec": "store",
    "llama_cpp": "backends.llama",
    "jinja2": "backends.generation",
    "wordllama": "backends.static_embedder",
    "tokenizers": "backends.llama.wordpiece",
    "torch": "backends.torch_bf16",
    "transformers": "backends.torch_bf16",
    "sentence_transformers": "backends.torch_bf16",
    "httpx2": "backends.server",
    "huggingface_hub": "weights",
    "gguf": "weights",
    "yaml": "weights",
    "mcp": "cli.agent_tools.mcp_server",
    "mcp_types": "cli.agent_tools.mcp_server",
    "anyio": "cli.agent_tools.mcp_server",
    "jsonschema": "cli.agent_tools.mcp_server",
    "platformdirs": "settings",
    "tomlkit": "settings",
}
UNOWNED = {"numpy", "_typeshed"}  # spoken by the store and every backend; by the type checker
NEEDED_BY_HELP = {"typer", "shellingham", "platformdirs", "apsw"}

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


@pytest.mark.parametrize("dotted", MODULES)
def test_every_module_has_a_layer(dotted):
    assert package(dotted) in LAYER


@pytest.mark.parametrize("dotted", MODULES)
def test_imports_point_downwards(dotted):
    here = package(dotted)
    used = {name.split(".")[1] for name in imports(dotted) if name.startswith("memcli.")}

    upwards = {
        there
        for there in used & LAYER.keys() - {here}
        if LAYER[there] >= LAYER[here] or (here, there) in NEVER
    }

    assert not upwards


@pytest.mark.parametrize("dotted", MODULES)
def test_every_library_has_one_owner(dotted):
    used = {name.split(".")[0] for name in imports(dotted)}

    foreign = used - sys.stdlib_module_names - UNOWNED - {"memcli"}

    strange = {
        library
        for library in foreign
        if not any(inside(dotted, owner) for owner in OWNER.get(library, "").split())
    }
    assert not strange


@pytest.mark.parametrize("dotted", MODULES)
def test_sqlite_is_spoken_to_through_apsw_alone(dotted):
    assert not {name for name in imports(dotted) if package(name) == "sqlite3"}


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
