"""The newest weights are there to be read within an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_live_network
from mnist_lib.runs.records import RunRecord
from mnist_lib.runs.run import Run
from mnist_lib.training.state import TrainingState
from tests.support.training import SMALL, few_test_images, fit, small_network

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


def train_small(state: TrainingState, dataset: Dataset) -> list[int]:
    """Train two epochs of four batches, compare the file with the network after each, and return the file's steps."""
    import keras

    from mnist_lib.training.callbacks import make_callbacks

    network, images, steps = small_network(), dataset.test_images[:5], []
    state.run.write_config(SMALL, RunRecord())

    def look(*_: Any, **__: Any) -> None:
        live = load_live_network(state.run)
        assert live
        steps.append(live.step)
        if live.step == state.step:
            expected = np.asarray(network(images[..., np.newaxis] / np.float32(255)))
            np.testing.assert_allclose(predict_probabilities(live.network, images), expected, atol=1e-5)

    # Keras calls it last, after the weights are written.
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=look, on_train_batch_end=look)
    fit(network, state, dataset, [*make_callbacks(state, network, few_test_images(dataset)), watch])
    return steps


def test_weights_of_every_batch_are_readable_at_once(
    state: TrainingState, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import live_weights

    monkeypatch.setattr(live_weights, "SECONDS_PER_FILE", 0.0)
    monkeypatch.setattr(live_weights, "LARGEST_SHARE", float("inf"))
    assert train_small(state, dataset) == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]


def test_untrained_weights_come_first_and_the_next_not_before_it_is_time(
    state: TrainingState, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import live_weights

    monkeypatch.setattr(live_weights, "SECONDS_PER_FILE", 3_600.0)
    assert train_small(state, dataset) == [0] * 10


def test_writing_takes_no_larger_share_of_the_time_than_it_may(
    state: TrainingState, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import live_weights

    monkeypatch.setattr(live_weights, "SECONDS_PER_FILE", 0.0)
    monkeypatch.setattr(live_weights, "LARGEST_SHARE", 1e-9)  # a millisecond of writing lasts for days
    assert train_small(state, dataset) == [0] * 10


def test_training_goes_on_without_a_file_that_cannot_be_written(
    run: Run, state: TrainingState, dataset: Dataset
) -> None:
    from mnist_lib.training.callbacks import make_callbacks

    run.live_path.mkdir()  # nothing can replace a folder
    network = small_network()
    fit(network, state, dataset, make_callbacks(state, network, few_test_images(dataset)))
    assert len(run.read().epochs) == 2
    assert load_live_network(run) is None
    assert not list(run.path.glob("unfinished-*"))
