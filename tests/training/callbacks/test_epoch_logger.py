"""The rows of the epochs agree with what Keras did."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from mnist_lib.runs.records import EpochRow
from mnist_lib.runs.run import Run
from mnist_lib.training.state import TrainingState
from tests.support.training import Recorded

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


def test_epoch_rows_hold_the_metrics_that_keras_returns(recorded: Callable[[float], Recorded]) -> None:
    run, history, losses, _ = recorded(0.0)
    epochs = run.read().epochs
    assert [row.train_loss for row in epochs] == history["loss"]
    assert [row.train_accuracy for row in epochs] == history["accuracy"]
    assert np.average(losses, weights=[30, 30, 30, 10]) == pytest.approx(history["loss"][0], rel=1e-5)


def test_status_tells_of_this_process_while_it_trains(recorded: Callable[[float], Recorded]) -> None:
    status = recorded(0.0).run.read_status()
    assert status.state == "running"  # only ``train`` ends a run
    assert status.pid == psutil.Process().pid
    assert (status.epoch, status.step, status.total_steps) == (2, 8, 8)


def test_listener_hears_each_row_as_it_was_written(run: Run, state: TrainingState) -> None:
    from mnist_lib.training.callbacks import EpochLogger

    heard: list[EpochRow] = []
    state.epoch, state.step = 1, 3  # of four batches
    metrics = {"test_loss": math.inf, "test_accuracy": 0.5, "misclassified": 10, "validation_loss": 2.0}
    EpochLogger(state, heard.append).on_epoch_end(0, {"loss": math.nan, "accuracy": 0.25, **metrics})
    assert heard == run.read().epochs
    (row,) = heard
    assert (row.train_loss, row.train_accuracy, row.complete) == (None, 0.25, False)
    assert {name: getattr(row, name) for name in metrics} == metrics | {"test_loss": None}
