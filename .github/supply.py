"""What memcli brings along: the licences of its dependencies, and a bill of materials.

    .venv/bin/python .github/supply.py licences           # writes memcli/LICENCES.md
    .venv/bin/python .github/supply.py licences --check
    .venv/bin/python .github/supply.py sbom > sbom.json   # CycloneDX 1.6, from the lock file

Both say what is installed, or locked, and not what somebody remembered. The lock files are made by
the commands in their first lines.
"""

import argparse
import json
import re
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LICENCES = ROOT / "memcli" / "LICENCES.md"
LOCK = ROOT / ".github" / "requirements" / "base.txt"
EXTRAS = ("llama", "mcp", "keyring")  # that tests install, too; torch's licence is BSD-3-Clause
_LOCKED = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)((?:.*\\\n)?(?:\s+--hash=\S+(?: \\\n|\n|$))*)", re.MULTILINE
)
_KNOWN = {  # licences by the words that metadata use for them
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache-2": "Apache-2.0",
    "Apache": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "MIT License, Apache License, Version 2.0": "MIT OR Apache-2.0",
    "OSI Approved": "any that the OSI approved, in its author's words",
    "ISC License": "ISC",
}
HEAD = """# Licences

memcli is under the Apache License 2.0; its text is in `LICENSE` beside this file. These packages
are installed with it, from their own archives: memcli's wheel contains none of them. The list is
made from what is installed by `.github/supply.py licences`, and a test compares.

| package | licence | comes with |
|---|---|---|
"""
TAIL = """
## The table of the built-in embedder

The wheel of `wordllama` has the vectors that `mem` uses where no embedder is chosen
(`l2_supercat_256.safetensors`). This is what it says, and what it does not:

- Its metadata and its `LICENSE` say MIT, copyright 2024 Lee Miller, for the whole wheel. The file
  of vectors has no licence of its own in its header.
- Its description says where the vectors come from: "the token embedding codebook from state-of-
  the-art LLMs", trained further; for this table from "several models, including LLaMA 2 70B and
  phi 3 medium", with Llama 2's vocabulary.
- The Llama 2 Community License asks whoever passes on "Llama Materials" or works derived from
  them for a copy of it and a notice, forbids using them to improve other large language models,
  and wants a licence of their own from services with more than 700 million users a month. The
  wheel has neither copy nor notice, and whether a small table that was trained from a codebook is
  such a work has not been decided by anybody we know of.

So memcli does not pass the table on: it is in no archive of ours, pip fetches it from its author,
and `mem` reads it on the machine of the person. Whoever passes on an installation that includes
`wordllama`, such as an image, should add the notice "Llama 2 is licensed under the LLAMA 2
Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved." with that licence, or
choose another embedder: `mem index --embedder bge-m3` (MIT) or `nomic-embed-text-v1.5`
(Apache-2.0). This is not legal advice.
"""


def direct_requirements(extras: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (name, extra) of the requirements of the project; the extra is empty for the rest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [(Requirement(each), "") for each in project["dependencies"]]
    for extra in extras:
        named += [(Requirement(each), extra) for each in project["optional-dependencies"][extra]]
    return [(canonicalize_name(each.name), extra) for each, extra in named]


def closure(extras: tuple[str, ...] = EXTRAS) -> dict[str, tuple[Distribution, str]]:
    """Return what is installed with the project: (its metadata, the extra or package it is for).

    Raises:
        PackageNotFoundError: something is not installed.
    """
    waiting = [
        (name, f"extra `{extra}`" if extra else "") for name, extra in direct_requirements(extras)
    ]
    found: dict[str, tuple[Distribution, str]] = {}
    while waiting:
        name, reason = waiting.pop(0)
        if name in found:
            continue
        found[name] = distribution(name), reason
        waiting += [
            (canonicalize_name(each.name), reason or f"`{name}`")
            for each in map(Requirement, found[name][0].requires or ())
            if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
    return found


def licence(found: Distribution) -> str:
    """Return the licence of a package, in SPDX's words where it is known."""
    metadata = found.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get_all("Classifier") or ()
        if each.startswith("License ::") and not each.endswith("OSI Approved")
    ]
    said = " ".join((metadata.get("License") or "").split("\n")[0].split())
    words = said if 0 < len(said) < 60 else " OR ".join(classifiers)
    return _KNOWN.get(words, words) or "not stated"


def write_licences() -> str:
    """Return the list of licences as Markdown."""
    rows = []
    for name, (found, reason) in sorted(closure().items()):
        said = licence(found)
        if name == "wordllama":
            said += "; its table of vectors: see below"
        rows.append(f"| {name} | {said} | {reason or 'memcli'} |")
    return HEAD + "\n".join(rows) + "\n" + TAIL


def locked(lock: Path = LOCK) -> list[tuple[str, str, list[str]]]:
    """Return (name, version, SHA-256 sums of its archives) of every package in a lock file."""
    return [
        (name, version, re.findall(r"--hash=sha256:([0-9a-f]{64})", rest))
        for name, version, rest in _LOCKED.findall(lock.read_text())
    ]


def write_sbom() -> str:
    """Return a bill of materials of what `base.txt` installs, as CycloneDX 1.6 in JSON."""
    version = re.search(r'__version__ = "([^"]+)"', (ROOT / "memcli/__init__.py").read_text())
    assert version
    components = []
    for name, release, sums in locked():
        component = {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{release}",
            "name": name,
            "version": release,
            "purl": f"pkg:pypi/{name}@{release}",
            "externalReferences": [
                {
                    "type": "distribution",
                    "url": f"pkg:pypi/{name}@{release}",
                    "hashes": [{"alg": "SHA-256", "content": each} for each in sums],
                }
            ],
        }
        with suppress(PackageNotFoundError):  # of another system
            component["licenses"] = [{"license": {"name": licence(distribution(name))}}]
        components.append(component)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, LOCK.read_text())}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "memcli",
                "name": "memcli",
                "version": version[1],
                "purl": f"pkg:pypi/memcli@{version[1]}",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": "memcli", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    return json.dumps(document, indent=2) + "\n"


def main() -> int:
    """Write or check what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["licences", "sbom"])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.what == "sbom":
        sys.stdout.write(write_sbom())
    elif not options.check:
        LICENCES.write_text(write_licences())
    elif LICENCES.read_text() != write_licences():
        sys.stderr.write(f"{LICENCES} is out of date: `python .github/supply.py licences`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
