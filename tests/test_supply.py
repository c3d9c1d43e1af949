"""What is installed with memcli: locked by hashes, listed with licences, built the same twice."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / ".github" / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def supply():
    spec = importlib.util.spec_from_file_location("supply", ROOT / ".github" / "supply.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "extras"), [("base", ()), ("test", ("test",))])
def test_a_lock_file_has_all_that_is_required_and_a_hash_for_each(supply, name, extras):
    required = [*PROJECT["dependencies"]]
    for extra in extras:
        required += PROJECT["optional-dependencies"][extra]

    text = (LOCKS / f"{name}.txt").read_text()
    locked = supply.locked(LOCKS / f"{name}.txt")
    assert "://" not in text  # the name of no registry
    assert len(locked) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))
    assert all(sums for _, _, sums in locked)
    for each in map(Requirement, required):
        releases = [release for name, release, _ in locked if name == canonicalize_name(each.name)]
        assert releases, f"{each} is not locked: run the command at the head of the file"
        assert all(each.specifier.contains(one, prereleases=True) for one in releases)


def test_every_requirement_has_a_lower_bound():
    extras = PROJECT["optional-dependencies"].values()

    for each in map(
        Requirement, [*PROJECT["dependencies"], *(one for all in extras for one in all)]
    ):
        assert any(one.operator in (">=", "==") for one in each.specifier), str(each)


def test_the_list_of_licences_is_of_what_is_installed(supply):
    listed = dict(
        re.findall(r"^\| (\S+) \| (.+?) \| .+ \|$", supply.LICENCES.read_text(), re.MULTILINE)
    )
    listed.pop("package")
    locked = {name: release for name, release, _ in supply.locked(LOCKS / "test.txt")}

    installed = supply.closure()
    assert "not stated" not in listed.values()
    assert not installed.keys() - listed.keys()
    if sys.platform == "linux" and sys.version_info[:2] == (3, 11):
        assert not listed.keys() - installed.keys()
    for name, (found, _) in installed.items():
        if version(name) == locked.get(name):
            assert listed[name].startswith(supply.licence(found)), name


def test_the_bill_of_materials_has_every_locked_package_with_its_hashes(supply):
    bill = json.loads(supply.write_sbom())

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    listed = {one["name"]: one for one in bill["components"]}
    assert listed.keys() == {name for name, _, _ in supply.locked()}
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(set(refs)) == len(refs)
    for one in listed.values():
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        [archive] = one["externalReferences"]
        assert archive["hashes"]


def build(folder, umask):
    copy = folder / "checkout"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("this is no checkout")
    for name in tracked.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    before = os.umask(umask)
    try:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "out"],
            check=True,
            cwd=copy,
            capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600", "TZ": f"UTC{umask}"},
        )
    finally:
        os.umask(before)
    [wheel] = (folder / "out").glob("*.whl")
    return wheel.name, wheel.read_bytes()


@pytest.mark.slow
def test_a_wheel_is_the_same_whoever_builds_it_and_when(tmp_path):
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")

    assert build(tmp_path / "one", 0o022) == build(tmp_path / "another", 0o002)
