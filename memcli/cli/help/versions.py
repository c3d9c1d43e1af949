"""The versions that a bug report needs: `mem --version --verbose`."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import memcli

PACKAGES = ("apsw-sqlite3mc", "sqlite-vec", "wordllama", "llama-cpp-python", "torch", "typer")


def describe_versions() -> list[str]:
    """Return lines with the versions of mem and what it stands on, and the file of changes."""
    return [
        f"mem {memcli.__version__} ({memcli.RELEASED})",
        f"python {platform.python_version()}, {platform.system()} {platform.machine()}",
        *(f"{package} {_version_of(package)}" for package in PACKAGES),
        f"changes {Path(memcli.__file__).with_name('CHANGES.md')}",
    ]


def print_versions() -> None:
    """Print the versions, a line each."""
    sys.stdout.writelines(f"{line}\n" for line in describe_versions())


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
