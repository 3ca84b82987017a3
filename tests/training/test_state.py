"""The state of a training, at its beginning and when it continues."""

from __future__ import annotations

import os

from mnist_lib.runs.store import RunStore
from mnist_lib.training.state import TrainingState
from tests.support.runs import epoch_row
from tests.support.training import SMALL


def test_training_that_begins_has_done_nothing(store: RunStore) -> None:
    with store.training(SMALL) as run:
        state = TrainingState(run, SMALL)
        assert (state.epoch, state.step, state.images_seen, state.elapsed_s) == (0, 0, 0, 0.0)
        state.begin()
        status = run.read_status()
        assert (status.state, status.phase) == ("starting", "tracing")
        assert (status.pid, status.epoch, status.step, status.total_steps) == (os.getpid(), 0, 0, 8)
        assert run.read().events == []


def test_continued_training_has_done_its_epochs_and_says_so(store: RunStore) -> None:
    with store.training(SMALL) as run:
        state = TrainingState(run, SMALL, epoch_row(1, elapsed_s=12.5, rate_factor=0.5))
        assert (state.epoch, state.step, state.images_seen, state.elapsed_s) == (1, 4, 100, 12.5)
        assert state.rate_factor == 0.5
        state.learning_rate = 0.25
        state.begin()
        (row,) = run.read().events
        assert (row.event, row.epoch, row.step, row.learning_rate) == ("continued", 1, 4, 0.25)
        assert row.elapsed_s >= 12.5
        state.step = 6  # of four batches an epoch, the last with 10 images
        assert state.images_seen == 160
        state.write_status(state="running")
        assert (run.read_status().state, run.read_status().step) == ("running", 6)


def test_run_from_before_rates_could_be_changed_continues_at_its_schedule(store: RunStore) -> None:
    with store.training(SMALL) as run:
        assert TrainingState(run, SMALL, epoch_row(1, elapsed_s=1.0)).rate_factor == 1.0
