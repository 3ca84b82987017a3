"""A run that learns drawings: from another run's weights, and the same if it was interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig, handwriting_config
from mnist_lib.data.dataset import Dataset
from mnist_lib.data.handwriting import set_aside
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.handwriting import begin_from
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import EpochRow
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import BUNDLED_RUN

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


def train_here(store: RunStore, config: TrainingConfig, dataset: Dataset, break_after: int | None = None) -> Run:
    """Let the shipped run learn the first twenty test digits, and fail as soon as an epoch is done."""
    from mnist_lib.training.train import train

    def listen(row: EpochRow) -> None:
        if row.epoch == break_after:
            raise KeyboardInterrupt

    drawings = set_aside(dataset.test_images[:20], dataset.test_labels[:20], config.seed)
    with store.training(config, beginning=begin_from(BUNDLED_RUN, drawings)) as run:
        try:
            train(config, dataset, run, listen)
        except KeyboardInterrupt:
            run.fail("it was interrupted")
        return run


def test_it_begins_from_the_weights_of_the_other_run(store: RunStore, dataset: Dataset) -> None:
    config = handwriting_config(TrainingConfig(), epochs=1, training_images=64, learning_rate=1e-6)
    run = train_here(store, config, dataset)
    images = dataset.test_images[:200]
    before, after = (predict_probabilities(load_network(each), images) for each in (BUNDLED_RUN, run))
    assert np.abs(after - before).max() < 0.01
    assert not np.array_equal(after, before)


def test_interrupted_and_continued_it_ends_the_same(tmp_path: Path, dataset: Dataset) -> None:
    from mnist_lib.training.train import train

    config = handwriting_config(TrainingConfig(), epochs=2, training_images=128)
    undisturbed = train_here(RunStore(tmp_path / "undisturbed"), config, dataset)
    store = RunStore(tmp_path / "runs")
    run = train_here(store, config, dataset, break_after=1)
    assert run.read().state == "failed"
    with store.continuing(run.run_id) as (run, recorded):
        train(recorded, dataset, run)
    assert run.read().state == "finished"
    assert run.read_config()[1].handwriting == undisturbed.read_config()[1].handwriting
    for epoch in (1, 2):
        np.testing.assert_array_equal(run.probabilities(epoch), undisturbed.probabilities(epoch))
