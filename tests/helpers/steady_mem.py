"""`mem` on a machine that is always the same, for screens that tell of its disk and processor."""

import shutil
import sys
from types import ModuleType, SimpleNamespace

from memcli.backends.llama import host
from memcli.cli import main
from memcli.cli.doctor import database_checks, environment_checks
from memcli.cli.output import statistics_view

FIXED: dict[tuple[ModuleType, str], object] = {
    (shutil, "disk_usage"): lambda _path: SimpleNamespace(free=512_000_000_000),
    (host, "list_accelerators"): list,
    (host, "describe_processor"): lambda: "2 cores",
    (environment_checks, "version"): lambda _package: "0.1.9",
    (database_checks, "human_size"): lambda size: "512.0 GB" if size > 1e11 else "0.5 MB",
    (statistics_view, "human_size"): lambda _size: "0.5 MB",
}
for (module, name), value in FIXED.items():
    setattr(module, name, value)

sys.exit(main())
