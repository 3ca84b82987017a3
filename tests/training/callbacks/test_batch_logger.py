"""The rows of the batches agree with what Keras did."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.runs.store import RunStore
from mnist_lib.training.state import TrainingState
from tests.support.training import Recorded

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


def test_row_holds_the_metrics_of_its_batch_alone(recorded: Callable[[float], Recorded]) -> None:
    run, _, losses, accuracies = recorded(0.0)
    rows = run.read().batches
    assert [row.step for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [row.epoch for row in rows] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert [row.loss for row in rows] == pytest.approx(losses * 2, rel=1e-4)
    assert [row.accuracy for row in rows] == pytest.approx(accuracies * 2, abs=1e-5)
    assert len({round(loss, 3) for loss in losses}) == 4  # four different batches


def test_row_of_many_batches_holds_their_mean_over_images(recorded: Callable[[float], Recorded]) -> None:
    run, _, losses, accuracies = recorded(3600.0)
    rows = run.read().batches
    assert [row.step for row in rows] == [4, 8]
    expected_loss = sum(loss * images for loss, images in zip(losses, (30, 30, 30, 10), strict=True)) / 100
    expected_accuracy = sum(share * images for share, images in zip(accuracies, (30, 30, 30, 10), strict=True)) / 100
    assert [row.loss for row in rows] == pytest.approx([expected_loss] * 2, rel=1e-5)
    assert [row.accuracy for row in rows] == pytest.approx([expected_accuracy] * 2, abs=1e-6)


def test_slow_machine_writes_no_more_rows_than_an_epoch_may_have(
    recorded: Callable[[float], Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import batch_logger

    monkeypatch.setattr(batch_logger, "ROWS_PER_EPOCH", 2)
    assert [row.step for row in recorded(0.0).run.read().batches] == [2, 4, 6, 8]


def test_network_that_goes_astray_ends_with_that_reason(store: RunStore, dataset: Dataset) -> None:
    from mnist_lib.network.model import build_model
    from mnist_lib.training.callbacks import make_callbacks
    from mnist_lib.training.callbacks.batch_logger import DivergedError

    config = TrainingConfig(epochs=1, batch_size=4, training_images=8)
    network = build_model(config)
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    network.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = scale_pixels(dataset.train_images[:8]), dataset.train_labels[:8]
    reason = r"^the loss is not a number any more in epoch 1, at learning rate 0\.001$"
    with store.training(config) as run:
        state = TrainingState(run, config)
        callbacks = make_callbacks(state, network, dataset)
        state.begin()
        with pytest.raises(DivergedError, match=reason):
            network.fit(images, labels, batch_size=4, callbacks=callbacks)
    snapshot = run.read()
    assert [row.loss for row in snapshot.batches] == [None]
    assert snapshot.epochs == []
