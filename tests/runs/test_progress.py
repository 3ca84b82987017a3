"""How far a training is and when it will be done."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.progress import (
    Progress,
    machines_text,
    measure_progress,
    multiplied_learning_rate,
    pending_control,
    present_learning_rate,
)
from mnist_lib.runs.records import BatchRow, EventRow, RunSnapshot, Status
from mnist_lib.runs.run import Controls
from tests.support.runs import batch_row, epoch_row, event_row

# In the runs below, whose batches have one image: two epochs of 50 steps, each with its evaluation.
EVALUATION_STEPS = 10_000 / 3
ALL_STEPS = 100 + 2 * EVALUATION_STEPS


def snapshot_at(*rows: tuple[int, float], total_steps: int = 100) -> RunSnapshot:
    """Return a running snapshot of two epochs of 50 steps with batch rows at (step, elapsed_s)."""
    batches = [
        batch_row(step, epoch=1 if step <= 50 else 2, elapsed_s=elapsed_s, images_per_s=10.0 * step)
        for step, elapsed_s in rows
    ]
    config = TrainingConfig(epochs=2, batch_size=1, training_images=50)
    return RunSnapshot(
        "a run", False, "running", config=config, status=Status("running", total_steps=total_steps), batches=batches
    )


def test_nothing_is_known_before_the_first_batches() -> None:
    assert measure_progress(RunSnapshot("a run", False, "damaged")) == Progress(0.0, None, None)
    assert measure_progress(snapshot_at()) == Progress(0.0, None, None)
    assert measure_progress(snapshot_at((1, 1.0), total_steps=0)) == Progress(0.0, None, None)


def test_one_row_gives_the_speed_but_no_estimate() -> None:
    # The first row includes the tracing of the network: no time can be told from it.
    assert measure_progress(snapshot_at((1, 3.0))) == pytest.approx((1 / ALL_STEPS, 10.0, None))


def test_estimate_takes_the_time_per_step_after_the_first_row() -> None:
    # 40 steps in 8 s after the first row are 0.2 s a step; 59 steps are left, and two evaluations of 10,000 images.
    progress = measure_progress(snapshot_at((1, 3.0), (21, 6.0), (41, 11.0)))
    assert progress.fraction == pytest.approx(41 / ALL_STEPS)
    assert progress.images_per_s == 410.0
    assert progress.seconds_left == pytest.approx(59 * 0.2 + 2 * 10_000 * 0.2 / 3)


def test_evaluations_yet_to_come_take_as_long_as_those_before() -> None:
    # 0.1 s a step, then 2.5 s of evaluation; 40 steps and one more evaluation are left.
    snapshot = snapshot_at((1, 1.0), (26, 3.5), (50, 5.9), (51, 8.5), (60, 9.4))
    snapshot = replace(snapshot, epochs=[epoch_row(1, elapsed_s=8.4)])
    assert measure_progress(snapshot).seconds_left == pytest.approx(40 * 0.1 + 2.5)


def test_evaluation_counts_down_by_the_clock_although_nothing_is_written_meanwhile() -> None:
    # 0.1 s a step; the first evaluation took 2.5 s, and the second and last one began at second 1,000.
    snapshot = snapshot_at((1, 1.0), (26, 3.5), (50, 5.9), (51, 8.5), (76, 11.0), (100, 13.4))
    status = Status("running", phase="evaluating", heartbeat=1_000.0, total_steps=100)
    snapshot = replace(snapshot, status=status, epochs=[epoch_row(1, elapsed_s=8.4)])
    moments = [measure_progress(snapshot, now) for now in (1_000.0, 1_001.0, 1_002.5, 1_009.0)]
    assert [moment.seconds_left for moment in moments] == pytest.approx([2.5, 1.5, 0.0, 0.0])
    assert [moment.fraction for moment in moments] == pytest.approx(
        [1 - EVALUATION_STEPS / ALL_STEPS, 1 - 0.6 * EVALUATION_STEPS / ALL_STEPS, 1.0, 1.0]
    )
    # A clock that was set back does not add to what is left.
    assert measure_progress(snapshot, 900.0) == moments[0]


def test_latest_speed_counts_where_the_machine_got_slower() -> None:
    # 0.1 s a step at first, 1 s a step for the latest 20: the window holds these alone.
    rows = [(step, 0.1 * step) for step in range(1, 21)]
    rows += [(20 + step, 2.0 + step) for step in range(1, 21)]
    snapshot = replace(snapshot_at(*rows), epochs=[epoch_row(1, elapsed_s=5.0)] * 2)
    assert measure_progress(snapshot).seconds_left == pytest.approx(60 * 1.0)


def test_steps_on_the_middle_count_less_and_tracing_again_counts_too() -> None:
    # 0.65 s a step on the middle is 1 s a step on whole images: 10 are left of those, 50 of these. The network
    # is traced twice, for 3 s.
    snapshot = snapshot_at((1, 3.0), (20, 15.35), (40, 28.35))
    assert snapshot.config
    snapshot = replace(snapshot, config=replace(snapshot.config, middle_epochs=1))
    evaluations_s = 2 * 10_000 * 1.0 / 3
    assert measure_progress(snapshot).seconds_left == pytest.approx(10 * 0.65 + 50 * 1.0 + 3.0 + evaluations_s)


def test_speed_over_the_change_to_whole_images_is_that_of_both() -> None:
    # 10 steps of 0.65 s, then 10 of 1 s; the last of the first epoch and the first of the second follow an evaluation.
    snapshot = snapshot_at((1, 1.0), (40, 24.4), (50, 30.9), (51, 33.5), (61, 43.5))
    assert snapshot.config
    config = replace(snapshot.config, middle_epochs=1)
    snapshot = replace(snapshot, config=config, epochs=[epoch_row(1, elapsed_s=32.5)])
    assert measure_progress(snapshot).seconds_left == pytest.approx(39 * 1.0 + 1.6)


def test_end_has_no_time_left() -> None:
    snapshot = replace(snapshot_at((1, 1.0), (100, 10.0)), epochs=[epoch_row(1, elapsed_s=5.0)] * 2)
    snapshot.batches[0] = msgspec.structs.replace(snapshot.batches[0], epoch=2)
    assert measure_progress(snapshot) == Progress(1.0, 1000.0, 0.0)


def test_more_steps_than_planned_are_still_the_end() -> None:
    snapshot = replace(snapshot_at((51, 1.0), (130, 10.0)), epochs=[epoch_row(1, elapsed_s=5.0)] * 2)
    assert measure_progress(snapshot) == Progress(1.0, 1300.0, 0.0)


@pytest.mark.parametrize(
    ("state", "controls", "text"),
    [
        ("running", Controls(), ""),
        ("running", Controls(paused=True), "pausing…"),
        ("paused", Controls(paused=True), ""),
        ("paused", Controls(), "resuming…"),
        ("paused", Controls(stop=True), "stopping between two batches…"),
        ("running", Controls(learning_rate=0.5), "learning rate 0.5 with the next batches…"),
        ("paused", Controls(paused=True, learning_rate=0.5), "learning rate 0.5 with the next batches…"),
        ("running", Controls(learning_rate=0.1), ""),  # the last event says that it was applied
    ],
)
def test_request_is_shown_until_it_is_applied(state: str, controls: Controls, text: str) -> None:
    rates = (0.5, float(np.float32(0.1)))
    events = [event_row("learning_rate", learning_rate=rate) for rate in rates]
    assert pending_control(RunSnapshot("a", False, state, events=events), controls) == text


def test_present_rate_is_that_of_the_newest_row() -> None:
    def batches(*steps_and_rates: tuple[int, float]) -> list[BatchRow]:
        return [batch_row(step, learning_rate=rate) for step, rate in steps_and_rates]

    def events(*steps_and_rates: tuple[int, float]) -> list[EventRow]:
        return [event_row("learning_rate", step=step, learning_rate=rate) for step, rate in steps_and_rates]

    assert present_learning_rate(RunSnapshot("a", False, "starting")) is None
    assert present_learning_rate(RunSnapshot("a", False, "running", batches=batches((1, 0.1), (2, 0.2)))) == 0.2
    running = RunSnapshot("a", False, "running", batches=batches((5, 0.3)), events=events((4, 0.2)))
    assert present_learning_rate(running) == 0.3
    paused = RunSnapshot("a", False, "paused", batches=batches((4, 0.3)), events=events((4, 0.3), (4, 0.2)))
    assert present_learning_rate(paused) == 0.2


def test_half_of_a_rate_that_is_not_applied_yet_is_half_of_that_rate() -> None:
    assert multiplied_learning_rate(RunSnapshot("a", False, "starting"), Controls(), 0.5) is None
    snapshot = RunSnapshot("a", False, "running", batches=[batch_row(3, learning_rate=float(np.float32(0.1)))])
    assert multiplied_learning_rate(snapshot, Controls(), 0.5) == 0.05
    asked = Controls(learning_rate=0.05)
    assert multiplied_learning_rate(snapshot, asked, 0.5) == 0.025
    applied = event_row("learning_rate", step=4, learning_rate=0.05)
    later = replace(snapshot, events=[applied], batches=[batch_row(9, learning_rate=0.01)])
    assert multiplied_learning_rate(later, asked, 2.0) == 0.02  # a schedule went on since


def test_several_machines_are_named_with_their_epochs() -> None:
    rows = [epoch_row(1, trained_on="a"), epoch_row(2, trained_on="a"), epoch_row(3, trained_on="b"), epoch_row(4)]
    assert machines_text(rows) == "Epochs 1 to 2 on a; 3 to 3 on b; 4 to 4 on this machine."
    assert machines_text(rows[:2]) == machines_text(rows[3:]) == machines_text([]) == ""
