"""Trains the network with Keras's fit, epoch by epoch, while callbacks write the run directory.

All randomness of an epoch, its order, augmentation and dropout, comes from the seed and
the epoch's number alone. So a run continued from a checkpoint ends as if it had never
been interrupted.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version

import keras
import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION, Dataset, DatasetDescription
from mnist_lib.data.handwriting import mix_in
from mnist_lib.network.backend import device_in_use, on_all_devices, onednn_in_use
from mnist_lib.network.batches import batch_arguments
from mnist_lib.network.model import build_middle_view, build_model
from mnist_lib.network.precision import choose_policy
from mnist_lib.network.weights import weights_of
from mnist_lib.runs.handwriting import read_handwriting, read_start
from mnist_lib.runs.records import EpochRow, HandwritingRecord, RunRecord, RunResult
from mnist_lib.runs.run import Run
from mnist_lib.training.callbacks import make_callbacks
from mnist_lib.training.callbacks.callback_list import CallbackList
from mnist_lib.training.checkpoints import load_checkpoint, remove_checkpoints, save_model
from mnist_lib.training.epoch_data import EpochPreparation
from mnist_lib.training.optimizers import make_optimizer
from mnist_lib.training.state import TrainingState

# Smaller batches are passed to the backend several at a time, up to this many images.
IMAGES_PER_CALL = 256


def train(
    config: TrainingConfig,
    dataset: Dataset,
    run: Run,
    on_epoch: Callable[[EpochRow], None] = lambda row: None,
    trained_on: str = "",
) -> RunResult:
    """Train one network, from the beginning or from its last checkpoint, and save and evaluate it.

    A run that learns drawings begins from the weights in its folder, and learns its drawings among the images.

    Args:
        config: The settings.
        dataset: The data set of the run. The test images are evaluated after each epoch and influence nothing.
        run: The run directory, claimed with ``RunStore.training`` or ``RunStore.continuing``.
        on_epoch: Called with each "epoch" row.
        trained_on: The machine's name, if it is one of a cluster.

    Returns:
        What ``train --json`` prints.

    Raises:
        DivergedError: The loss is not a number any more.
        DamagedRunError: The checkpoint to continue from, the drawings or the weights to begin from cannot be read.
        OSError: The run directory cannot be written.
    """
    epochs_done = max(run.checkpoints(), default=0)
    if run.read_config()[1].handwriting:
        dataset = mix_in(dataset, read_handwriting(run), config)
    with EpochPreparation(config, dataset, epochs_done) as preparation:
        return _train(config, dataset, run, on_epoch, trained_on, epochs_done, preparation)


def _train(
    config: TrainingConfig,
    dataset: Dataset,
    run: Run,
    on_epoch: Callable[[EpochRow], None],
    trained_on: str,
    epochs_done: int,
    preparation: EpochPreparation,
) -> RunResult:
    keras.utils.set_random_seed(config.seed)
    _, before = run.read_config()
    policy = before.precision or choose_policy(config)  # a run that is continued keeps what auto found
    with on_all_devices() as devices:
        model = middle_view = build_model(config, policy)
        if before.handwriting:
            model.set_weights(weights_of(read_start(run)))
        compile_model(model, make_optimizer(config, policy), config, devices)
        if config.middle_epochs:
            middle_view = build_middle_view(model, config, policy)
            compile_model(middle_view, model.optimizer, config, devices)
        if epochs_done:
            load_checkpoint(model, run, epochs_done)
    record = make_record(policy, dataset.description, before.handwriting)
    run.write_config(config, record)
    state = TrainingState(run, config, run.read().last_epoch if epochs_done else None, trained_on)
    # `fit` returns the history, so there must be one.
    callbacks = CallbackList(make_callbacks(state, model, dataset, on_epoch), add_history=True, model=model)

    state.begin()
    for epoch in range(epochs_done, config.epochs):
        data = preparation.take(epoch)
        reseed_dropout(model, data.dropout_seed)
        fitted = middle_view if epoch < config.middle_epochs else model
        callbacks.set_model(fitted)
        fitted.fit(
            **batch_arguments(config.batch_size, data.images, data.labels),
            shuffle=False,  # they are shuffled already
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,  # pyright: ignore[reportArgumentType]  # Keras documents 0 for silence
            callbacks=callbacks,
        )
        if fitted.stop_training:
            break
    state.stopwatch.stop()

    save_model(model, run, config)
    run.live_path.unlink(missing_ok=True)
    result = make_result(state, record)
    message = run.read_controls().reason if result.state == "stopped" else ""
    state.write_status(state=result.state, result=result, message=message)
    if result.state == "finished":
        remove_checkpoints(run, config.epochs)
    return result


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainingConfig, devices: int
) -> None:
    """Give the network its optimizer, the paper's loss and the paper's metric.

    Args:
        model: As ``build_model`` or ``build_middle_view`` made it.
        optimizer: As ``make_optimizer`` made it.
        config: The settings of the run.
        devices: How many share each batch, from 1.
    """
    model.compile(
        optimizer=optimizer,
        loss="categorical_crossentropy" if config.label_smoothing else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # The same updates in the same order, to the last bit, with less Python between
        # them. Callbacks still run every few hundred images. On several devices
        # TensorFlow 2.21 fails with more than one batch per call.
        steps_per_execution=1
        if devices > 1
        else max(1, min(IMAGES_PER_CALL // config.batch_size, config.steps_per_epoch)),
    )
    # Their variables exist before the first step: TensorFlow traces a step that makes some a second time.
    model.optimizer.build(model.trainable_variables)
    answer = np.zeros((1, config.classes), np.float32)
    label = answer if config.label_smoothing else np.zeros(1, np.uint8)
    model.compute_metrics(None, label, answer)  # pyright: ignore[reportArgumentType]  # it uses no images


def reseed_dropout(model: keras.Model, seed: np.ndarray) -> None:
    """Make the epoch's dropout depend only on the epoch's random numbers, uint32, (2,)."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            layer.seed_generator.state.assign(seed)


def make_record(
    policy: str, dataset: DatasetDescription = MNIST_DESCRIPTION, handwriting: HandwritingRecord | None = None
) -> RunRecord:
    """Return what is recorded beside the settings: time, device, precision, oneDNN and versions."""
    backend = keras.backend.backend()
    return RunRecord(
        created_at=time.time(),
        dataset=dataset,
        handwriting=handwriting,
        device=device_in_use(),
        precision=policy,
        onednn=onednn_in_use(),
        versions={
            "python": platform.python_version(),
            "keras": keras.__version__,
            backend: version(backend),
            "numpy": np.__version__,
        },
    )


def make_result(state: TrainingState, record: RunRecord) -> RunResult:
    """Return what ``train --json`` prints when a training is over: the metrics of its last epoch, and its time."""
    last = state.run.read().last_epoch
    assert last, "a training ends with an epoch"
    return RunResult(
        run_id=state.run.run_id,
        state="finished" if state.step == state.config.total_steps else "stopped",
        epochs=last.epoch,
        test_accuracy=last.test_accuracy,
        test_loss=last.test_loss,
        misclassified=last.misclassified,
        train_seconds=round(state.elapsed_s, 3),
        images_per_second=round(state.images_seen / state.elapsed_s, 1),
        device=record.device,
        precision=record.precision,
    )
