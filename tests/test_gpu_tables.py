"""The report about a GPU: its parts that need none."""

import sys
import time

import gpu_tables
import pytest


def test_a_step_that_takes_too_long_is_stopped_and_reported(tmp_path):
    report = gpu_tables.Report(tmp_path)
    slow = [sys.executable, "-c", "import time; time.sleep(30)"]

    assert not gpu_tables.run(slow, time.monotonic() + 1, report, "parity")
    assert "stopped after 1 s" in (tmp_path / "gpu-report.md").read_text()


def test_a_step_that_fails_is_reported_with_its_last_lines(tmp_path):
    report = gpu_tables.Report(tmp_path)

    done = gpu_tables.run(
        [sys.executable, "-c", "raise SystemExit('no CUDA')"],
        time.monotonic() + 20,
        report,
        "parity",
    )

    assert not done
    assert "no CUDA" in (tmp_path / "gpu-report.md").read_text()


@pytest.mark.parametrize(
    ("ours", "right", "agreement"),
    [([1, 2, 3], [1, 2, 3], 1), ([2, 1, 3], [1, 2, 3], 2 / 3), ([2, 1], [1.0, 1.01], 1)],
)
def test_pairs_in_the_same_order_agree(ours, right, agreement):
    assert gpu_tables.order_agreement(ours, right, margin=0.02) == pytest.approx(agreement)


def test_without_a_toolkit_nothing_is_built_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(gpu_tables.Path, "exists", lambda _self: False)
    monkeypatch.setattr(gpu_tables.sys, "platform", "linux")
    report = gpu_tables.Report(tmp_path)

    assert not gpu_tables.build(tmp_path, time.monotonic() + 5, report)
    assert "nothing built" in (tmp_path / "gpu-report.md").read_text()
