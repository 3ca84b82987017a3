"""The seconds of a training are those without pauses."""

from __future__ import annotations

import time

from mnist_lib.training.stopwatch import Stopwatch


def test_stopwatch_counts_only_between_start_and_stop() -> None:
    stopwatch = Stopwatch(12.5)
    assert stopwatch.elapsed_s == 12.5
    stopwatch.start()
    time.sleep(0.01)
    assert stopwatch.elapsed_s > 12.5
    stopwatch.stop()
    stopped_s = stopwatch.elapsed_s
    time.sleep(0.01)
    assert stopwatch.elapsed_s == stopped_s
    stopwatch.start()
    time.sleep(0.01)
    assert stopwatch.elapsed_s > stopped_s


def test_second_start_or_stop_changes_nothing() -> None:
    stopwatch = Stopwatch()
    stopwatch.start()
    time.sleep(0.01)
    first_s = stopwatch.elapsed_s
    stopwatch.start()
    assert stopwatch.elapsed_s >= first_s
    stopwatch.stop()
    stopped_s = stopwatch.elapsed_s
    stopwatch.stop()
    assert stopwatch.elapsed_s == stopped_s
