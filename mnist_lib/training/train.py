"""Trains the network with Keras's fit, epoch by epoch, while a callback writes the run directory.

All randomness of an epoch, its order, augmentation and dropout, comes from the seed and
the epoch's number alone. So a run that goes on from a checkpoint ends as if it had never
been interrupted.
"""

from __future__ import annotations

import inspect
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import keras
import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.augmentation import augment
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.machine import cpu_name, device_name
from mnist_lib.network.backend import on_all_devices
from mnist_lib.network.model import build_model
from mnist_lib.network.precision import choose_policy
from mnist_lib.runs.records import DamagedRunError, RunRecord
from mnist_lib.runs.run import Run
from mnist_lib.training.keras_transform import transform_with_keras
from mnist_lib.training.recorder import RunRecorder

# Smaller batches are handed to TensorFlow several at a time.
IMAGES_PER_CALL = 256


def train(
    config: TrainingConfig,
    dataset: Dataset,
    run: Run,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
) -> dict[str, Any]:
    """Train one network from its settings, or from its last checkpoint, to a kept and evaluated model.

    Args:
        config: The settings.
        dataset: MNIST. The test images are evaluated after each epoch and choose nothing.
        run: The run directory, claimed with ``RunStore.training`` or ``RunStore.continuing``.
        on_epoch: Called with each "epoch" row.

    Returns:
        What ``train --json`` prints: run_id, state, epochs, test_accuracy, test_loss,
        misclassified, train_seconds (from the call of fit to its return, without pauses),
        images_per_second, device and precision.

    Raises:
        DivergedError: The loss is not a number any more.
        DamagedRunError: The checkpoint to go on from cannot be read.
        OSError: The run directory cannot be written.
    """
    keras.utils.set_random_seed(config.seed)
    policy = choose_policy(config)
    with on_all_devices() as devices:
        network = build_model(config, policy)
        network.compile(
            optimizer=make_optimizer(config, policy),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            # The same updates in the same order, to the last bit, with less Python between
            # them. Screens and "stop" still hear of it every few hundred images. On several
            # devices TensorFlow 2.21 fails to hand out more than one batch a call.
            steps_per_execution=1
            if devices > 1
            else max(1, min(IMAGES_PER_CALL // config.batch_size, config.steps_per_epoch)),
        )
        epochs_done = load_checkpoint(network, run)
    record = make_record(policy)
    run.write_config(config, record)
    images = scale_pixels(dataset.train_images[: config.fitted_images])
    labels = dataset.train_labels[: config.fitted_images]
    recorder = RunRecorder(network, run, config, dataset, on_epoch)

    recorder.begin(epochs_done)
    for epoch in range(epochs_done, config.epochs):
        random = np.random.default_rng([config.seed, epoch])
        order = random.permutation(len(images))
        reseed_dropout(network, random)
        network.fit(
            augment(images[order], labels[order], config, random, transform_with_keras),
            labels[order],
            batch_size=config.batch_size,
            shuffle=False,  # it is, by `order`
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,  # pyright: ignore[reportArgumentType]  # Keras documents 0 for silence
            callbacks=[recorder],
        )
        if recorder.stopping:
            break
    train_seconds = recorder.elapsed_s

    recorder.keep_model()
    last = recorder.last_epoch
    result = {
        "run_id": run.run_id,
        "state": "finished" if recorder.step == config.total_steps else "stopped",
        "epochs": last["epoch"],
        "test_accuracy": last["test_accuracy"],
        "test_loss": last["test_loss"],
        "misclassified": last["misclassified"],
        "train_seconds": round(train_seconds, 3),
        "images_per_second": round(recorder.images_seen / train_seconds, 1),
        "device": record.device,
        "precision": record.precision,
    }
    recorder.end(result)
    return result


def make_optimizer(config: TrainingConfig, policy: str) -> keras.optimizers.Optimizer:
    """Return the optimizer that the settings name.

    Source: Muon after Keller Jordan and others, "Muon: An optimizer for hidden layers
    in neural networks" (2024), without weight decay; in Keras it takes the dense layer,
    and Adam takes the convolutions and the last layer.
    """
    rate = config.learning_rate
    match config.optimizer:
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=0.01)
        case "sgd":
            optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
        case "muon":
            optimizer = _make_muon(rate)
        case _:
            optimizer = keras.optimizers.Adam(rate)
    # float16 ends at 6e-8: gradients are multiplied to stay above, and divided again.
    return keras.optimizers.LossScaleOptimizer(optimizer) if policy == "mixed_float16" else optimizer


def _make_muon(rate: float) -> keras.optimizers.Optimizer:
    # Keras 3.12, the last for Python 3.10, has a Muon of its own kind that fails on TensorFlow:
    # there Adam takes its place, at a rate that suits it.
    if "rms_rate" not in inspect.signature(keras.optimizers.Muon).parameters:
        return keras.optimizers.Adam(rate / 2)
    return keras.optimizers.Muon(rate, exclude_layers=["dense_2"], weight_decay=0, adam_weight_decay=0)


def reseed_dropout(network: keras.Model, random: np.random.Generator) -> None:
    """Let the epoch's dropout depend on the epoch's random numbers alone."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            layer.seed_generator.state.assign(random.integers(2**31, size=2, dtype=np.uint32))


def load_checkpoint(network: keras.Model, run: Run) -> int:
    """Take weights and optimizer from a run's newest checkpoint and return its epoch, 0 if there is none.

    Raises:
        DamagedRunError: It cannot be read.
    """
    epoch = max(run.checkpoints(), default=0)
    if epoch:
        network.optimizer.build(network.trainable_variables)
        path = run.checkpoint_path(epoch)
        try:
            network.load_weights(path)
        except Exception as error:  # Keras and h5py raise many types for a bad file
            raise DamagedRunError(f"{path.name} cannot be read") from error
    return epoch


def make_record(policy: str) -> RunRecord:
    """Return the facts kept beside the settings: when, on what, with which versions."""
    on_gpu = any(device.startswith("gpu") for device in keras.distribution.list_devices())
    backend = keras.backend.backend()
    return RunRecord(
        created_at=time.time(),
        device=device_name() if on_gpu else cpu_name(),
        precision=policy,
        versions={
            "python": platform.python_version(),
            "keras": keras.__version__,
            backend: version(backend),
            "numpy": np.__version__,
        },
    )
