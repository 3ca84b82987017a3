"""The recorder: what it writes of a training is what Keras did, and it does what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore

pytestmark = [
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


class Recorded(NamedTuple):
    """What a recorder wrote of a network that does not learn, and what there was to write."""

    run: Run
    history: dict[str, list[float]]
    batch_losses: list[float]
    batch_accuracies: list[float]


def few_test_images(dataset: Dataset) -> Dataset:
    """Return MNIST with twenty test images."""
    return replace(dataset, test_images=dataset.test_images[:20], test_labels=dataset.test_labels[:20])


@pytest.fixture
def recorded(store: RunStore, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Recorded]:
    """Return a function that records two epochs without learning, shuffling or dropout."""
    import keras

    from mnist_lib.network.model import build_model
    from mnist_lib.training import recorder

    def record(seconds_per_row: float) -> Recorded:
        monkeypatch.setattr(recorder, "SECONDS_PER_ROW", seconds_per_row)
        monkeypatch.setattr(recorder, "learning_rates", lambda config: np.zeros(config.total_steps))
        keras.utils.set_random_seed(3)
        config = TrainingConfig(epochs=2, batch_size=30, training_images=100, dropout=0.0)
        network = build_model(config)
        network.compile(keras.optimizers.SGD(0.0), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        images, labels = dataset.train_images[:100], dataset.train_labels[:100]
        fit: Any = network.fit  # Keras documents 0 for silence and does not type it
        with store.training(config) as run:
            callback = recorder.RunRecorder(network, run, config, few_test_images(dataset))
            history = fit(
                scale_pixels(images), labels, batch_size=30, epochs=2, shuffle=False, verbose=0, callbacks=[callback]
            ).history
        # Nothing was learnt: each batch can be evaluated alone, afterwards.
        probabilities = np.asarray(network(scale_pixels(images)))
        batches = [slice(0, 30), slice(30, 60), slice(60, 90), slice(90, 100)]
        losses = [cross_entropy(probabilities[batch], labels[batch]) for batch in batches]
        shares = [accuracy(probabilities[batch], labels[batch]) for batch in batches]
        return Recorded(run, history, losses, shares)

    return record


def test_row_holds_the_figures_of_its_batch_alone(recorded: Callable[[float], Recorded]) -> None:
    run, _, losses, accuracies = recorded(0.0)
    rows = run.read().batches
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [row["epoch"] for row in rows] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert [row["loss"] for row in rows] == pytest.approx(losses * 2, rel=1e-4)
    assert [row["accuracy"] for row in rows] == pytest.approx(accuracies * 2, abs=1e-5)
    assert len({round(loss, 3) for loss in losses}) == 4  # four different batches


def test_row_of_many_batches_holds_their_mean_over_images(recorded: Callable[[float], Recorded]) -> None:
    run, _, losses, accuracies = recorded(3600.0)
    rows = run.read().batches
    assert [row["step"] for row in rows] == [4, 8]
    expected_loss = sum(loss * images for loss, images in zip(losses, (30, 30, 30, 10), strict=True)) / 100
    expected_accuracy = sum(share * images for share, images in zip(accuracies, (30, 30, 30, 10), strict=True)) / 100
    assert [row["loss"] for row in rows] == pytest.approx([expected_loss] * 2, rel=1e-5)
    assert [row["accuracy"] for row in rows] == pytest.approx([expected_accuracy] * 2, abs=1e-6)


def test_slow_machine_writes_no_more_rows_than_an_epoch_may_have(
    recorded: Callable[[float], Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training import recorder

    monkeypatch.setattr(recorder, "ROWS_PER_EPOCH", 2)
    assert [row["step"] for row in recorded(0.0).run.read().batches] == [2, 4, 6, 8]


def test_epoch_rows_hold_the_figures_that_keras_returns(recorded: Callable[[float], Recorded]) -> None:
    run, history, losses, _ = recorded(0.0)
    epochs = run.read().epochs
    assert [row["train_loss"] for row in epochs] == history["loss"]
    assert [row["train_accuracy"] for row in epochs] == history["accuracy"]
    assert np.average(losses, weights=[30, 30, 30, 10]) == pytest.approx(history["loss"][0], rel=1e-5)


def test_status_tells_of_this_process_while_it_trains(recorded: Callable[[float], Recorded]) -> None:
    status = recorded(0.0).run.read_status()
    assert status.state == "running"  # only ``train`` ends a run
    assert status.pid == psutil.Process().pid
    assert (status.epoch, status.step, status.total_steps) == (2, 8, 8)


def test_network_that_goes_astray_ends_with_that_reason(store: RunStore, dataset: Dataset) -> None:
    from mnist_lib.network.model import build_model
    from mnist_lib.training.recorder import DivergedError, RunRecorder

    config = TrainingConfig(epochs=1, batch_size=4, training_images=8)
    network = build_model(config)
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    network.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = scale_pixels(dataset.train_images[:8]), dataset.train_labels[:8]
    with (
        store.training(config) as run,
        pytest.raises(DivergedError, match=r"^the loss is not a number any more in epoch 1, at learning rate 0\.001$"),
    ):
        network.fit(images, labels, batch_size=4, callbacks=[RunRecorder(network, run, config, dataset)])
    snapshot = run.read()
    assert [row["loss"] for row in snapshot.batches] == [None]
    assert snapshot.epochs == []
