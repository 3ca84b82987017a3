from __future__ import annotations

import msgspec
import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.replay import MOST_POINTS, Curve, make_replay
from tests.support.runs import BUNDLED_RUN, batch_row, epoch_row

# 100 images in batches of 10: 10 steps an epoch.
CONFIG = TrainingConfig(training_images=100, batch_size=10, epochs=2)


def readings(*epochs: list[tuple[int, float]]) -> np.ndarray:
    """Return probabilities, (epochs, digits, 10), in which each digit is read as given, with this confidence."""
    probabilities = np.zeros((len(epochs), len(epochs[0]), 10), dtype=np.float32)
    for number, digits in enumerate(epochs):
        for place, (answer, confidence) in enumerate(digits):
            probabilities[number, place] = (1 - confidence) / 9
            probabilities[number, place, answer] = confidence
    return probabilities


def snapshot_of(**values: object) -> RunSnapshot:
    return RunSnapshot("a run", False, "finished", **{"config": CONFIG, **values})  # pyright: ignore[reportArgumentType]


def test_replay_of_a_training_of_two_epochs() -> None:
    snapshot = snapshot_of(
        batches=[
            batch_row(1, loss=2.3, accuracy=0.1),
            batch_row(5, loss=1.5, accuracy=0.5),
            batch_row(15, epoch=2, loss=0.75, accuracy=0.8),
        ],
        epochs=[
            epoch_row(1, step=10, elapsed_s=3.14, test_accuracy=0.9, misclassified=1000),
            epoch_row(2, step=20, elapsed_s=6.0, test_accuracy=0.95, misclassified=500),
        ],
    )
    replay = make_replay(snapshot, [1, 2], readings([(7, 0.5), (3, 0.75)], [(7, 0.875), (8, 0.625)]))
    assert replay
    assert replay.loss == Curve([0.1, 0.5, 1.5], [2.3, 1.5, 0.75])
    assert replay.accuracy == Curve([0.1, 0.5, 1.5], [0.1, 0.5, 0.8])
    assert (replay.epochs, replay.ends, replay.seconds) == ([1, 2], [1.0, 2.0], [3.1, 6.0])
    assert (replay.test_accuracy, replay.misclassified) == ([0.9, 0.95], [1000, 500])
    assert replay.answers == [[7, 3], [7, 8]]
    assert replay.confidences == [[0.5, 0.75], [0.875, 0.625]]


def test_epoch_that_was_stopped_ends_where_it_was_stopped() -> None:
    epochs = [epoch_row(1, step=10), epoch_row(2, step=14, complete=False)]
    replay = make_replay(snapshot_of(epochs=epochs), [1, 2], readings([(1, 0.5)], [(1, 0.5)]))
    assert replay
    assert replay.ends == [1.0, 1.4]


def test_what_has_no_epoch_yet_or_is_not_a_number_is_left_out() -> None:
    batches = [batch_row(5, loss=None), batch_row(10, loss=1.0), batch_row(11, epoch=2, loss=0.5)]
    snapshot = snapshot_of(batches=batches, epochs=[epoch_row(1, step=10)])
    replay = make_replay(snapshot, [1, 2], readings([(1, 0.5)], [(2, 0.5)]))  # the row of epoch 2 is not written yet
    assert replay
    assert replay.loss == Curve([1.0], [1.0])
    assert replay.answers == [[1]]


@pytest.mark.parametrize(
    "snapshot",
    [snapshot_of(), snapshot_of(config=None, epochs=[epoch_row(1)])],
    ids=["no epoch", "no settings"],
)
def test_run_without_an_epoch_has_no_replay(snapshot: RunSnapshot) -> None:
    assert make_replay(snapshot, [1], readings([(1, 0.5)])) is None


def test_thousands_of_rows_become_a_few_hundred_points_with_both_ends() -> None:
    batches = [batch_row(step, loss=float(step)) for step in range(1, 5001)]
    replay = make_replay(snapshot_of(batches=batches, epochs=[epoch_row(1, step=5000)]), [1], readings([(1, 0.5)]))
    assert replay
    assert len(replay.loss.x) == len(replay.accuracy.y) == MOST_POINTS
    assert (replay.loss.y[0], replay.loss.y[-1]) == (1.0, 5000.0)


def test_shipped_run_is_a_message_of_a_few_kilobytes() -> None:
    epochs = BUNDLED_RUN.epochs_with_probabilities()
    probabilities = np.stack([BUNDLED_RUN.probabilities(epoch)[:20] for epoch in epochs])
    replay = make_replay(BUNDLED_RUN.read(), epochs, probabilities)
    assert replay
    assert replay.ends == epochs == list(range(1, 19))
    assert replay.misclassified[-1] == 51
    assert len(msgspec.json.encode(replay)) < 30_000
