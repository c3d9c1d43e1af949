"""Run `mem` as `python -m memcli`."""

import sys

from memcli.cli import main

sys.exit(main())
