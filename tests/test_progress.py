"""How far a training is and when it will be done."""

from __future__ import annotations

import pytest

from mnist_lib.progress import Progress, measure_progress
from mnist_lib.runs import RunSnapshot, Status


def snapshot_at(*rows: tuple[int, float], total_steps: int = 100) -> RunSnapshot:
    """Return a running snapshot with batch rows at (step, elapsed_s)."""
    batches = [{"step": step, "elapsed_s": elapsed_s, "images_per_s": 10.0 * step} for step, elapsed_s in rows]
    return RunSnapshot("a run", False, "running", status=Status("running", total_steps=total_steps), batches=batches)


def test_nothing_is_known_before_the_first_batches() -> None:
    assert measure_progress(RunSnapshot("a run", False, "damaged")) == Progress(0.0, None, None)
    assert measure_progress(snapshot_at()) == Progress(0.0, None, None)
    assert measure_progress(snapshot_at((1, 1.0), total_steps=0)) == Progress(0.0, None, None)


def test_one_row_gives_the_speed_but_no_estimate() -> None:
    # The first row includes the tracing of the network: no time can be told from it.
    assert measure_progress(snapshot_at((1, 3.0))) == Progress(0.01, 10.0, None)


def test_estimate_takes_the_time_per_step_after_the_first_row() -> None:
    # 40 steps in 8 s after the first row are 0.2 s a step; 59 steps are left.
    progress = measure_progress(snapshot_at((1, 3.0), (21, 6.0), (41, 11.0)))
    assert progress.fraction == pytest.approx(0.41)
    assert progress.images_per_s == 410.0
    assert progress.seconds_left == pytest.approx(59 * 0.2)


def test_pause_between_two_rows_counts_in_the_estimate() -> None:
    without = measure_progress(snapshot_at((1, 1.0), (26, 3.5), (51, 6.0)))
    with_pause = measure_progress(snapshot_at((1, 1.0), (26, 3.5), (51, 8.5)))
    assert without.seconds_left == pytest.approx(49 * 0.1)
    assert with_pause.seconds_left == pytest.approx(49 * 0.15)


def test_end_has_no_time_left() -> None:
    assert measure_progress(snapshot_at((1, 1.0), (100, 10.0))) == Progress(1.0, 1000.0, 0.0)


def test_more_steps_than_planned_are_still_the_end() -> None:
    assert measure_progress(snapshot_at((1, 1.0), (130, 10.0))) == Progress(1.0, 1300.0, 0.0)
