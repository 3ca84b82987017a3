"""Trains the network with Keras's fit, while a callback writes the run directory."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import keras
import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.dataset import Dataset, scale_pixels
from mnist_lib.evaluation import accuracy, cross_entropy
from mnist_lib.machine import cpu_name, device_name, process_start_time
from mnist_lib.model import build_model, layer_table, predict_probabilities
from mnist_lib.runs import Run, RunRecord, Status

# Several rows a second draw a smooth curve; one a batch would be 9,375 rows for
# the paper's run, and cost more than it shows.
SECONDS_PER_ROW = 0.25

# Smaller batches are handed to TensorFlow several at a time.
IMAGES_PER_CALL = 256


EpochListener = Callable[[dict[str, Any]], None]


def train(
    config: TrainingConfig,
    dataset: Dataset,
    run: Run,
    on_epoch: EpochListener = lambda row: None,
) -> dict[str, Any]:
    """Train one network from its settings to a kept and evaluated model.

    Args:
        config: The settings.
        dataset: MNIST. The test images are evaluated after each epoch and choose nothing.
        run: An empty run directory, claimed with ``RunStore.training``.
        on_epoch: Called with each "epoch" row.

    Returns:
        What ``train --json`` prints: run_id, state, epochs, test_accuracy, test_loss,
        misclassified, train_seconds (from the call of fit to its return),
        images_per_second, device and precision.

    Raises:
        OSError: The run directory cannot be written.
    """
    keras.utils.set_random_seed(config.seed)
    model = build_model(config)
    model.compile(
        optimizer=keras.optimizers.Adam(config.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # The same updates in the same order, to the last bit, with less Python between
        # them. Screens and "stop" still hear of it every few hundred images.
        steps_per_execution=max(1, min(IMAGES_PER_CALL // config.batch_size, config.steps_per_epoch)),
    )
    record = make_record(model)
    run.write_config(config, record)
    images = scale_pixels(dataset.train_images[: config.training_images])
    labels = dataset.train_labels[: config.training_images]
    recorder = RunRecorder(model, run, config, dataset.test_images, dataset.test_labels, on_epoch)

    recorder.tell("tracing the network")
    began = time.perf_counter()
    model.fit(
        images,
        labels,
        batch_size=config.batch_size,
        epochs=config.epochs,
        verbose=0,  # pyright: ignore[reportArgumentType]  # Keras documents 0 for silence
        callbacks=[recorder],
    )
    train_seconds = time.perf_counter() - began

    save_model(model, run)
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


def make_record(model: keras.Model) -> RunRecord:
    """Return the facts kept beside the settings: when, on what, with which versions."""
    on_gpu = any(device.startswith("gpu") for device in keras.distribution.list_devices())
    backend = keras.backend.backend()
    return RunRecord(
        created_at=time.time(),
        device=device_name() if on_gpu else cpu_name(),
        precision=model.dtype_policy.name,
        versions={
            "python": platform.python_version(),
            "keras": keras.__version__,
            backend: version(backend),
            "numpy": np.__version__,
        },
        layers=tuple(layer_table(model)),
    )


def save_model(model: keras.Model, run: Run) -> None:
    """Keep the model without its optimizer, under a temporary name until it is whole."""
    network = keras.Sequential.from_config(model.get_config())
    network.set_weights(model.get_weights())
    temporary = run.path / "unfinished.keras"
    network.save(temporary)
    temporary.replace(run.model_path)


class RunRecorder(keras.callbacks.Callback):
    """Writes a training's figures into its run directory and listens for "stop".

    Keras reports the mean over the epoch so far. The figures of the latest batches
    alone are the difference of two such sums.
    """

    def __init__(
        self,
        network: keras.Model,
        run: Run,
        config: TrainingConfig,
        test_images: np.ndarray,
        test_labels: np.ndarray,
        on_epoch: EpochListener = lambda row: None,
    ) -> None:
        super().__init__()
        self.network = network
        self.run = run
        self.config = config
        self.test_images = test_images
        self.test_labels = test_labels
        self.on_epoch = on_epoch
        self.stopping = False
        self.images_seen = 0
        self.last_epoch: dict[str, Any] = {}
        self._status = Status(
            "starting", pid=os.getpid(), pid_start_time=process_start_time(), total_steps=config.total_steps
        )
        self._sums = np.zeros(3)  # images, loss and hits of this epoch up to the last row
        self._row_time = self._fit_began = self._epoch_began = time.perf_counter()

    @property
    def step(self) -> int:
        """Batches done and written down, over all epochs."""
        return self._status.step

    def tell(self, message: str) -> None:
        """Say what is happening before the first batch."""
        self._write_status(message=message)

    def end(self, result: dict[str, Any]) -> None:
        """Write the last status."""
        self._write_status(state=result["state"], message="", result=result)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._fit_began = self._row_time = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin the epoch's sums anew."""
        self._epoch_began = time.perf_counter()
        self._sums = np.zeros(3)
        self._write_status(epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a row if it is time for one, and end if asked to."""
        now = time.perf_counter()
        # Keras counts the last call of an epoch as full, even where fewer batches were left.
        batches = min(batch + 1, self.config.steps_per_epoch)
        last_of_epoch = batches == self.config.steps_per_epoch
        if now - self._row_time >= SECONDS_PER_ROW or last_of_epoch or self.stopping:
            self._write_row(batches, logs or {}, now)
        if self.stopping:
            self.network.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Evaluate the test images and keep the epoch."""
        logs = logs or {}
        seconds = time.perf_counter() - self._epoch_began
        self._write_status(message="evaluating the test images")
        probabilities = predict_probabilities(self.network, self.test_images)
        self.run.save_probabilities(epoch + 1, probabilities)
        self._save_weights(epoch + 1)
        test_accuracy = accuracy(probabilities, self.test_labels)
        row = {
            "kind": "epoch",
            "epoch": epoch + 1,
            "step": self.step,
            "complete": self.step == (epoch + 1) * self.config.steps_per_epoch,
            "train_loss": logs.get("loss"),
            "train_accuracy": logs.get("accuracy"),
            "test_loss": cross_entropy(probabilities, self.test_labels),
            "test_accuracy": test_accuracy,
            "misclassified": round((1 - test_accuracy) * len(self.test_labels)),
            "seconds": round(seconds, 3),
            "elapsed_s": round(time.perf_counter() - self._fit_began, 3),
        }
        self.last_epoch = self.run.append_metrics(row)
        self._write_status(message="")
        self.on_epoch(self.last_epoch)
        self._row_time = time.perf_counter()

    def _write_row(self, batches: int, logs: dict[str, Any], now: float) -> None:
        seen = min(batches * self.config.batch_size, self.config.training_images)
        sums = np.array([seen, logs["loss"] * seen, logs["accuracy"] * seen])
        images, loss, hits = sums - self._sums
        self._sums = sums
        self.images_seen += int(images)
        epoch = self._status.epoch
        step = (epoch - 1) * self.config.steps_per_epoch + batches
        self.run.append_metrics(
            {
                "kind": "batch",
                "epoch": epoch,
                "step": step,
                "loss": float(max(loss / images, 0.0)),
                "accuracy": float(hits / images),
                "learning_rate": float(self.network.optimizer.learning_rate),
                "images_per_s": round(images / (now - self._row_time), 1),
                "elapsed_s": round(now - self._fit_began, 3),
            }
        )
        self._row_time = now
        self.stopping = self.stopping or self.run.stop_requested()
        self._write_status(state="stopping" if self.stopping else "running", message="", step=step)

    def _save_weights(self, epoch: int) -> None:
        path = self.run.weights_path(epoch)
        temporary = path.with_name(f"unfinished-{path.name}")
        self.network.save_weights(temporary)
        temporary.replace(path)

    def _write_status(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)
        self.run.write_status(self._status)
