"""A real training, tiny: what it writes is what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import read_network
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import BatchRow, EpochRow, RunResult
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import RESULT_FIELDS, Trained

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]

# Ten batches an epoch, the last with 12 images instead of 32. Two epochs see the middle of the images, then one all.
UNEVEN = TrainingConfig(
    "custom", epochs=3, batch_size=32, training_images=300, seed=5, middle_epochs=2, label_smoothing=0.1
)


class Training(NamedTuple):
    """A training in this process: its run, what it returned and the rows it told of."""

    run: Run
    result: RunResult
    told: list[EpochRow]


def train_here(root: Path, config: TrainingConfig, dataset: Dataset, stop_after: int | None = None) -> Training:
    """Train, and ask for the end as soon as an epoch is done."""
    from mnist_lib.training.train import train

    told: list[EpochRow] = []
    with RunStore(root).training(config) as run:

        def listen(row: EpochRow) -> None:
            told.append(row)
            if row.epoch == stop_after:
                run.request(stop=True)

        return Training(run, train(config, dataset, run, listen), told)


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, keras_loaded: None) -> Training:
    """A training of three epochs that is asked to stop after the first, with a row for every batch."""
    from mnist_lib.training import train as training
    from mnist_lib.training.callbacks import batch_logger, run_control

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_logger, "SECONDS_PER_ROW", 0.0)
        patch.setattr(run_control, "SECONDS_PER_READ", 0.0)
        patch.setattr(training, "IMAGES_PER_CALL", 1)
        return train_here(tmp_path_factory.mktemp("stopped"), UNEVEN, dataset, stop_after=1)


@pytest.fixture(params=["many batches a row", "one batch a row"])
def ended(request: pytest.FixtureRequest) -> Run:
    """The finished run of the command line and the stopped one."""
    if request.param == "many batches a row":
        return request.getfixturevalue("trained").run
    return request.getfixturevalue("stopped").run


def images_of_rows(run: Run, epoch: int) -> list[tuple[int, BatchRow]]:
    """Return the "batch" rows of an epoch, each with the number of images that it stands for."""
    snapshot = run.read()
    assert snapshot.config is not None
    config = snapshot.config
    images_until = [0]
    rows = [row for row in snapshot.batches if row.epoch == epoch]
    for row in rows:
        batches = row.step - (epoch - 1) * config.steps_per_epoch
        images_until.append(min(batches * config.batch_size, config.training_images))
    return list(zip(np.diff(images_until).tolist(), rows, strict=True))


def test_batch_rows_add_up_to_the_epoch(ended: Run) -> None:
    for epoch in ended.read().epochs:
        rows = images_of_rows(ended, epoch.epoch)
        images = sum(count for count, _ in rows)
        loss = sum(count * (row.loss or 0.0) for count, row in rows) / images
        share = sum(count * (row.accuracy or 0.0) for count, row in rows) / images
        assert loss == pytest.approx(epoch.train_loss, rel=1e-4)
        assert share == pytest.approx(epoch.train_accuracy, abs=1e-5)


def test_accuracy_of_a_row_is_a_whole_number_of_images(ended: Run) -> None:
    for epoch in ended.read().epochs:
        for count, row in images_of_rows(ended, epoch.epoch):
            hits = (row.accuracy or 0.0) * count
            assert hits == pytest.approx(round(hits), abs=1e-3)
            assert 0 <= hits <= count + 1e-3


def test_steps_and_times_only_rise(ended: Run) -> None:
    snapshot = ended.read()
    assert snapshot.config is not None
    steps = [row.step for row in snapshot.batches]
    assert steps == sorted(set(steps))
    assert steps[0] >= 1
    assert steps[-1] <= snapshot.config.total_steps
    times = [row.elapsed_s for row in snapshot.batches]
    assert times == sorted(times)
    assert all(row.images_per_s and row.images_per_s > 0 for row in snapshot.batches)
    assert [row.step for row in snapshot.epochs] == [
        max(row.step for row in snapshot.batches if row.epoch == epoch.epoch) for epoch in snapshot.epochs
    ]


def test_learning_rate_of_the_rows_is_that_of_the_settings(ended: Run) -> None:
    assert {round(row.learning_rate, 9) for row in ended.read().batches} == {0.001}


def test_test_metrics_of_an_epoch_match_its_stored_probabilities(ended: Run, dataset: Dataset) -> None:
    labels = dataset.test_labels
    for epoch in ended.read().epochs:
        stored = ended.probabilities(epoch.epoch)
        assert epoch.test_accuracy == accuracy(stored, labels)
        assert epoch.misclassified == int((stored.argmax(axis=1) != labels).sum())
        assert epoch.test_loss == pytest.approx(cross_entropy(stored, labels), rel=2e-3)  # float16


def test_network_learns(trained: Trained) -> None:
    first, second = trained.run.read().epochs
    assert first.train_loss is not None
    assert second.train_loss is not None
    assert second.train_loss < first.train_loss
    assert second.test_accuracy > first.test_accuracy > 0.2


def test_kept_model_gives_the_probabilities_stored_last(ended: Run, dataset: Dataset) -> None:
    answers = predict_probabilities(load_network(ended), dataset.test_images[:1_000])
    stored = ended.probabilities()[:1_000]
    np.testing.assert_allclose(answers, stored, atol=1e-3)
    assert (answers.argmax(axis=1) != stored.argmax(axis=1)).sum() == 0


def test_result_has_the_fields_of_the_design(ended: Run, dataset: Dataset) -> None:
    snapshot = ended.read()
    result = snapshot.result
    last = snapshot.last_epoch
    assert result is not None
    assert list(result.__struct_fields__) == RESULT_FIELDS
    assert last is not None
    for name in ("test_accuracy", "test_loss", "misclassified"):
        assert getattr(result, name) == getattr(last, name)
    assert (result.run_id, result.state, result.epochs) == (ended.run_id, snapshot.state, 2)
    assert result.device == snapshot.record.device
    assert result.device.startswith("CPU, ")
    assert result.precision == snapshot.record.precision == "float32"
    assert result.train_seconds >= last.elapsed_s > 0
    assert snapshot.config is not None
    images = sum(count for epoch in snapshot.epochs for count, _ in images_of_rows(ended, epoch.epoch))
    assert result.images_per_second == pytest.approx(images / result.train_seconds, rel=0.01)


def test_record_has_versions(ended: Run) -> None:
    import keras

    record = ended.read().record
    assert record.versions["keras"] == keras.__version__
    assert record.versions["numpy"] == np.__version__
    assert set(record.versions) == {"python", "keras", "tensorflow", "numpy"}


def outer_weights(run: Run, epoch: int) -> np.ndarray:
    """Return the weights of the first dense layer for the values of the outermost pixels."""
    config = run.read().config
    assert config is not None
    kernel = read_network(run.weights_path(epoch), config).dense.kernel.reshape(11, 11, -1)
    return np.concatenate([kernel[:2].ravel(), kernel[-2:].ravel(), kernel[:, :2].ravel(), kernel[:, -2:].ravel()])


def test_weights_around_the_middle_are_zero_until_the_whole_image_is_seen(dataset: Dataset, tmp_path: Path) -> None:
    config = TrainingConfig("custom", epochs=2, training_images=64, optimizer="muon", middle_epochs=1)
    run = train_here(tmp_path, config, dataset).run
    assert not outer_weights(run, 1).any()
    assert outer_weights(run, 2).any()


def test_all_epochs_may_see_the_middle(dataset: Dataset, tmp_path: Path) -> None:
    training = train_here(tmp_path, TrainingConfig(epochs=1, training_images=64, middle_epochs=3), dataset)
    assert training.result.state == "finished"
    assert not outer_weights(training.run, 1).any()


# Stopping.


def test_stop_ends_between_two_batches_and_keeps_the_model(stopped: Training) -> None:
    snapshot = stopped.run.read()
    assert (snapshot.state, snapshot.message) == ("stopped", "")
    assert snapshot.status is not None
    assert (snapshot.status.epoch, snapshot.status.step, snapshot.status.total_steps) == (2, 11, 30)
    assert stopped.run.model_path.is_file()
    assert stopped.result == snapshot.result
    assert stopped.result.state == "stopped"


def test_stop_keeps_finished_epochs_and_marks_the_broken_off_one(stopped: Training) -> None:
    epochs = stopped.run.read().epochs
    assert [(row.epoch, row.step, row.complete) for row in epochs] == [(1, 10, True), (2, 11, False)]
    assert stopped.run.epochs_with_probabilities() == stopped.run.epochs_with_weights() == [1, 2]
    assert stopped.told == epochs


def test_finished_run_has_only_complete_epochs(trained: Trained) -> None:
    assert [row.complete for row in trained.run.read().epochs] == [True, True]


def test_every_batch_has_its_row_when_asked_for(stopped: Training) -> None:
    assert [row.step for row in stopped.run.read().batches] == list(range(1, 12))
    assert [count for count, _ in images_of_rows(stopped.run, 1)] == [32] * 9 + [12]


def test_batches_handed_over_together_are_the_same_batches(
    stopped: Training, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.training.callbacks import batch_logger, run_control

    monkeypatch.setattr(batch_logger, "SECONDS_PER_ROW", 0.0)
    monkeypatch.setattr(run_control, "SECONDS_PER_READ", 0.0)
    together = train_here(tmp_path, UNEVEN, dataset, stop_after=2)  # eight at a time, then the two that are left
    assert [row.step for row in together.run.read().batches][:4] == [8, 10, 18, 20]
    assert [count for count, _ in images_of_rows(together.run, 1)] == [256, 44]
    assert together.told[0].train_loss == stopped.told[0].train_loss
    np.testing.assert_array_equal(together.run.probabilities(1), stopped.run.probabilities(1))


# Chance.


def test_same_seed_repeats_a_run_bit_by_bit(trained: Trained, dataset: Dataset, tmp_path: Path) -> None:
    # The first was trained by the command line, in another process.
    config = trained.run.read().config
    assert config is not None
    again = train_here(tmp_path, config, dataset)
    assert again.result.state == "finished"
    for epoch in (1, 2):
        np.testing.assert_array_equal(again.run.probabilities(epoch), trained.run.probabilities(epoch))
    metrics = ("step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "complete")
    assert [[getattr(row, name) for name in metrics] for row in again.told] == [
        [getattr(row, name) for name in metrics] for row in trained.run.read().epochs
    ]


def test_another_seed_is_another_run(trained: Trained, dataset: Dataset, tmp_path: Path) -> None:
    config = TrainingConfig.from_dict(json.loads((trained.run.path / "config.json").read_text())["settings"])
    other = train_here(tmp_path, TrainingConfig.from_dict(config.to_dict() | {"seed": 8, "epochs": 1}), dataset)
    assert np.abs(other.run.probabilities(1) - trained.run.probabilities(1)).max() > 0.1


def test_step_is_traced_once(dataset: Dataset) -> None:
    from mnist_lib.network.model import build_model
    from mnist_lib.training.optimizers import make_optimizer
    from mnist_lib.training.train import compile_model

    model = build_model(UNEVEN)
    traced = []
    step = model.train_step

    def count(data: Any) -> Any:
        traced.append(data)
        return step(data)

    model.train_step = count
    compile_model(model, make_optimizer(UNEVEN, "float32"), UNEVEN, devices=1)
    labels = np.eye(10, dtype=np.float32)[dataset.train_labels[:64]]
    model.fit(scale_pixels(dataset.train_images[:64]), labels, batch_size=32, verbose=0)  # pyright: ignore[reportArgumentType]
    assert len(traced) == 1
