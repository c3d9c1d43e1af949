"""A real model, stopped in the middle of a batch: by the deadline and by Ctrl-C."""

import os
import signal
import time
from threading import Timer

import pytest

from memcli.backends.llama.context import LlamaContext, TokenRun
from memcli.backends.llama.model import LlamaModel
from memcli.deadline import DeadlineExceededError, deadline


@pytest.fixture(scope="module")
def model(smollm):
    opened = LlamaModel(smollm)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def long(model):
    """A prompt that takes seconds, and one batch of it longer than a tenth of one."""
    return model.encode("many words and no end " * 800)[:3000]


def test_the_deadline_stops_it_in_the_middle_of_a_batch(model, long):
    with LlamaContext(model, len(long)) as context:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError), deadline(0.2):
            context.feed([TokenRun(long)])

        assert time.monotonic() - began < 0.5


@pytest.mark.slow
def test_a_context_that_was_stopped_can_begin_again(model, long):
    with LlamaContext(model, len(long)) as context:
        context.feed([TokenRun(long[:20])])
        expected = context.logits(0, [1, 2, 3])

    with LlamaContext(model, len(long)) as context:
        with pytest.raises(DeadlineExceededError), deadline(0.1):
            context.feed([TokenRun(long)])
        context.truncate(0, 0)
        context.feed([TokenRun(long[:20])])

        assert context.logits(0, [1, 2, 3]) == expected


def test_ctrl_c_stops_it_in_the_middle_of_a_batch(model, long):
    def press():
        os.kill(os.getpid(), signal.SIGINT)

    with LlamaContext(model, len(long)) as context:
        timer = Timer(0.2, press)
        began = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            context.feed([TokenRun(long)])

        assert time.monotonic() - began < 0.5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_deadline_that_has_passed_loads_no_model(smollm):
    with pytest.raises(DeadlineExceededError), deadline(0):
        LlamaModel(smollm)


def test_a_handler_that_ends_the_process_runs_after_the_batch(model, long, capfd):
    def leave(number, _frame):
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        with LlamaContext(model, len(long)) as context:
            Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
            began = time.monotonic()
            with pytest.raises(SystemExit):
                context.feed([TokenRun(long)])

            assert time.monotonic() - began < 0.5
        assert signal.getsignal(signal.SIGTERM) is leave
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "Exception ignored" not in capfd.readouterr().err
