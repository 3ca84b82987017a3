"""A checkpoint is saved before its epoch's row, and removed after the next one's."""

from __future__ import annotations

from typing import Any

import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.runs.records import EpochRow
from mnist_lib.runs.run import Run
from mnist_lib.training.state import TrainingState
from tests.support.training import few_test_images, fit, small_network

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


def checkpoints_in(run: Run) -> list[str]:
    return sorted(path.name for path in run.path.glob("*checkpoint*"))


def test_checkpoint_comes_before_its_row_and_the_older_one_goes_after_it(
    run: Run, state: TrainingState, dataset: Dataset
) -> None:
    import keras

    from mnist_lib.training.callbacks import EpochLogger, make_callbacks

    seen: list[tuple[int, list[str]]] = []

    def look(*_: Any) -> None:
        seen.append((len(run.read().epochs), checkpoints_in(run)))

    network = small_network()
    callbacks = make_callbacks(state, network, few_test_images(dataset), on_epoch=look)
    (before_row,) = (place for place, callback in enumerate(callbacks) if isinstance(callback, EpochLogger))
    callbacks.insert(before_row, keras.callbacks.LambdaCallback(on_epoch_end=look))
    fit(network, state, dataset, callbacks)
    first, second = "checkpoint-001.weights.h5", "checkpoint-002.weights.h5"
    assert seen == [(0, [first]), (1, [first]), (1, [first, second]), (2, [first, second])]
    assert checkpoints_in(run) == [second]


def test_epoch_that_was_broken_off_leaves_the_checkpoint_before_it(
    run: Run, state: TrainingState, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import make_callbacks, run_control

    monkeypatch.setattr(run_control, "SECONDS_PER_READ", 0.0)

    def stop(row: EpochRow) -> None:
        run.request(stop=True)

    network = small_network()
    fit(network, state, dataset, make_callbacks(state, network, few_test_images(dataset), stop))
    assert [(row.epoch, row.complete) for row in run.read().epochs] == [(1, True), (2, False)]
    assert checkpoints_in(run) == ["checkpoint-001.weights.h5"]


def test_no_row_is_read_again_while_a_network_is_trained(
    run: Run, state: TrainingState, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.runs import run as run_module
    from mnist_lib.training.callbacks import make_callbacks

    read: list[Any] = []
    parse = run_module.decode_row
    monkeypatch.setattr(run_module, "decode_row", lambda line: read.append(line) or parse(line))
    network = small_network()
    fit(network, state, dataset, make_callbacks(state, network, few_test_images(dataset)))
    assert read == []
    assert len(run.read().epochs) == 2
    assert read
