"""Write a large export that nobody ever said.

python tests/synthetic_exports.py chatgpt 1000 conversations.json  # MB, in one line
python tests/synthetic_exports.py telegram 1000 result.json  # MB, one chat
"""

import argparse
from pathlib import Path

from memcli.evaluation.synthetic_exports import write_export


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["chatgpt", "telegram"])
    parser.add_argument("megabytes", type=float)
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    print(f"{write_export(given.kind, given.megabytes, given.path):,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
