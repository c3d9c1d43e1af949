"""What the wheel installs, and where."""

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The names inside the wheel; what goes beside the packages begins with `share`."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        check=True,
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
    )
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return {name.partition(".data/data/")[2] or name for name in opened.namelist()}


def test_every_page_of_the_manual_is_where_man_looks(installed):
    pages = {f"share/man/{path.relative_to(ROOT / 'man')}" for path in ROOT.glob("man/*/*")}

    assert {"share/man/man1/mem-ask.1", "share/man/man5/mem-json.5"} <= pages <= installed


def test_completions_are_where_each_shell_looks(installed):
    assert {
        "share/bash-completion/completions/mem",
        "share/zsh/site-functions/_mem",
        "share/fish/vendor_completions.d/mem.fish",
    } <= installed


def test_what_mem_reads_while_it_runs_is_in_the_package(installed):
    wanted = {f"memcli/{path.relative_to(ROOT)}" for path in ROOT.glob("completions/*")}
    wanted |= {str(path.relative_to(ROOT)) for path in ROOT.glob("memcli/schemas/*.json")}
    wanted |= {f"memcli/{path.relative_to(ROOT)}" for path in ROOT.glob("models/*.toml")}

    assert wanted
    assert wanted <= installed
