"""Requests from a screen are applied between two batches, and recorded."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.runs.run import Run
from mnist_lib.training.state import TrainingState
from tests.support.processes import wait_until
from tests.support.training import few_test_images, fit, small_network

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


@pytest.fixture(autouse=True)
def read_after_every_batch(keras_loaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from mnist_lib.training.callbacks import batch_logger, run_control

    monkeypatch.setattr(batch_logger, "SECONDS_PER_ROW", 0.0)
    monkeypatch.setattr(run_control, "SECONDS_PER_READ", 0.0)
    monkeypatch.setattr(run_control, "PAUSED_SECONDS_PER_READ", 0.01)


def train_small(state: TrainingState, dataset: Dataset) -> None:
    from mnist_lib.training.callbacks import make_callbacks

    network = small_network()
    fit(network, state, dataset, make_callbacks(state, network, few_test_images(dataset)))


def rows_of(run: Run) -> list[tuple[str, int]]:
    """Return what each row of metrics.jsonl is, in their order, and its step."""
    rows = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    return [(row.get("event", row["kind"]), row["step"]) for row in rows]


def test_rate_that_was_asked_for_is_set_once(run: Run, state: TrainingState, dataset: Dataset) -> None:
    run.request(learning_rate=0.125)
    train_small(state, dataset)
    snapshot = run.read()
    assert [(row.event, row.step, row.learning_rate) for row in snapshot.events] == [("learning_rate", 1, 0.125)]
    assert [row.learning_rate for row in snapshot.batches] == pytest.approx([0.001] + [0.125] * 7)
    assert [row.rate_factor for row in snapshot.epochs] == pytest.approx([125, 125])
    assert run.read_status().state == "running"


def test_stop_ends_after_the_row_of_the_last_batch(run: Run, state: TrainingState, dataset: Dataset) -> None:
    run.request(stop=True)
    train_small(state, dataset)
    assert rows_of(run) == [("batch", 1), ("stopped", 1), ("epoch", 1)]
    assert run.read_status().state == "stopping"


def test_stop_writes_the_row_that_was_not_due(
    run: Run, state: TrainingState, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import batch_logger

    monkeypatch.setattr(batch_logger, "SECONDS_PER_ROW", 3600.0)
    run.request(stop=True)
    train_small(state, dataset)
    assert rows_of(run) == [("batch", 1), ("stopped", 1), ("epoch", 1)]


def in_a_pause(run: Run, *requests: dict) -> threading.Thread:
    """Start a thread that waits for the pause and then asks for something, one after the other."""

    def ask() -> None:
        wait_until(lambda: run.read_status().state == "paused")
        for number, request in enumerate(requests, start=2):
            run.request(**request)
            wait_until(lambda number=number: len(run.read().events) >= number)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_pause_takes_no_time_of_the_training_and_a_new_rate(run: Run, state: TrainingState, dataset: Dataset) -> None:
    run.request(paused=True)
    thread = in_a_pause(run, {"learning_rate": 0.125}, {"paused": False})
    train_small(state, dataset)
    thread.join()
    snapshot = run.read()
    assert rows_of(run)[:5] == [("batch", 1), ("paused", 1), ("learning_rate", 1), ("resumed", 1), ("batch", 2)]
    paused, changed, _ = snapshot.events
    assert paused.elapsed_s == changed.elapsed_s
    assert [row.learning_rate for row in snapshot.events] == pytest.approx([0.001, 0.125, 0.125])
    assert [row.step for row in snapshot.batches] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (np.diff([row.elapsed_s for row in snapshot.batches]) >= 0).all()


def test_pause_can_end_in_a_stop(run: Run, state: TrainingState, dataset: Dataset) -> None:
    run.request(paused=True)
    thread = in_a_pause(run, {"stop": True})
    train_small(state, dataset)
    thread.join()
    assert rows_of(run) == [("batch", 1), ("paused", 1), ("stopped", 1), ("epoch", 1)]
