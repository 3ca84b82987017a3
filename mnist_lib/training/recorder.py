"""The callback between Keras and the run directory: writes what happens, does what is asked."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.machine import process_start_time
from mnist_lib.network.model import build_model, predict_probabilities
from mnist_lib.runs.records import Status
from mnist_lib.runs.run import Controls, Run
from mnist_lib.training.schedule import learning_rates

# Several rows a second draw a smooth curve; one a batch would be 9,375 rows for
# the paper's run, and cost more than it shows.
SECONDS_PER_ROW = 0.25

# However slow the machine, an epoch's rows stay below a tenth of a megabyte.
ROWS_PER_EPOCH = 300

# A paused trainer sleeps, and looks this often whether it may go on.
PAUSE_LOOK_S = 0.2
LOOKS_PER_HEARTBEAT = 50


class DivergedError(Exception):
    """The loss is not a number any more. The message says where, in a line."""


class RunRecorder(keras.callbacks.Callback):
    """Writes a training's figures into its run directory and applies control.json.

    Keras reports the mean over the epoch so far. The figures of the latest batches
    alone are the difference of two such sums.

    What is evaluated and kept is a float32 twin of the trained network, without its
    optimizer: the stored probabilities are then those that any reader of the kept
    model gets, whatever precision the training used.
    """

    def __init__(
        self,
        network: keras.Model,
        run: Run,
        config: TrainingConfig,
        dataset: Dataset,
        on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    ) -> None:
        super().__init__()
        self.network = network
        self.kept = build_model(config)
        self.run = run
        self.config = config
        self.dataset = dataset
        self.on_epoch = on_epoch
        self.stopping = False
        self.last_epoch: dict[str, Any] = {}
        self._rates = learning_rates(config)
        self._rate = math.nan  # none is set yet
        self._rate_factor = 1.0  # what a person made of the schedule by changing the rate on the way
        self._rate_asked_at = 0.0
        self._status = Status(
            "starting", pid=os.getpid(), pid_start_time=process_start_time(), total_steps=config.total_steps
        )
        self._sums = np.zeros(3)  # images, loss and hits of this epoch up to the last row
        self._row_step = 0
        self._began = self._row_time = self._look_time = self._epoch_began = time.perf_counter()

    @property
    def step(self) -> int:
        """Batches done, over all epochs."""
        return self._status.step

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, without pauses."""
        return time.perf_counter() - self._began

    @property
    def images_seen(self) -> int:
        """Training images processed so far, over all epochs."""
        epochs, batches = divmod(self.step, self.config.steps_per_epoch)
        return epochs * self.config.fitted_images + min(batches * self.config.batch_size, self.config.fitted_images)

    def begin(self, epochs_done: int) -> None:
        """Start the clock, where the last checkpoint stopped it if there was one."""
        self._began = time.perf_counter()
        self._write_status(
            message="tracing the network", epoch=epochs_done, step=epochs_done * self.config.steps_per_epoch
        )
        if epochs_done:
            self.kept.set_weights(self.network.get_weights())  # there may be no epoch left to train
            self.last_epoch = self.run.read().epochs[-1]
            self._began -= self.last_epoch["elapsed_s"]
            self._rate_factor = self.last_epoch.get("rate_factor", 1.0)
            self._set_rate(self._scheduled_rate * self._rate_factor)
            self._write_event("continued")
        self._row_time = self._look_time = time.perf_counter()

    def keep_model(self) -> None:
        """Keep the network as of the last epoch, under a temporary name until it is whole."""
        temporary = self.run.path / "unfinished.keras"
        self.run.require_space(self._weights_size)
        self.kept.save(temporary)
        temporary.replace(self.run.model_path)

    def end(self, result: dict[str, Any]) -> None:
        """Write the last status. A finished run has nothing to go on with."""
        self._write_status(state=result["state"], message="", result=result)
        if result["state"] == "finished":
            for epoch in self.run.checkpoints():
                self.run.checkpoint_path(epoch).unlink(missing_ok=True)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin the epoch's sums anew."""
        self._epoch_began = time.perf_counter()
        self._sums = np.zeros(3)
        self._status = replace(self._status, epoch=epoch + 1)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate that the schedule, or a person, wants for this step."""
        self._set_rate(self._scheduled_rate * self._rate_factor)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a row if it is time for one, and do what a screen asks for."""
        # Keras counts the last call of an epoch as full, even where fewer batches were left.
        batches = min(batch + 1, self.config.steps_per_epoch)
        step = (self._status.epoch - 1) * self.config.steps_per_epoch + batches
        self._status = replace(self._status, step=step)
        last_of_epoch = batches == self.config.steps_per_epoch
        now = time.perf_counter()
        enough_batches = (step - self._row_step) * ROWS_PER_EPOCH >= self.config.steps_per_epoch
        if last_of_epoch or (now - self._row_time >= SECONDS_PER_ROW and enough_batches):
            self._write_row(logs or {})
        if last_of_epoch or now - self._look_time >= SECONDS_PER_ROW:
            self._apply_controls(logs or {})
            self._look_time = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Evaluate the test images and keep the epoch."""
        logs = logs or {}
        seconds = time.perf_counter() - self._epoch_began
        self._write_status(message="evaluating the test images")
        self.kept.set_weights(self.network.get_weights())
        probabilities = predict_probabilities(self.kept, self.dataset.test_images)
        self.run.save_probabilities(epoch + 1, probabilities)
        self._save(self.kept, self.run.weights_path(epoch + 1), self._weights_size)
        test_accuracy = accuracy(probabilities, self.dataset.test_labels)
        complete = self.step == (epoch + 1) * self.config.steps_per_epoch
        row = {
            "kind": "epoch",
            "epoch": epoch + 1,
            "step": self.step,
            "complete": complete,
            "train_loss": logs.get("loss"),
            "train_accuracy": logs.get("accuracy"),
            **self._validate(),
            "test_loss": cross_entropy(probabilities, self.dataset.test_labels),
            "test_accuracy": test_accuracy,
            "misclassified": round((1 - test_accuracy) * len(self.dataset.test_labels)),
            "rate_factor": self._rate_factor,
            "seconds": round(seconds, 3),
            "elapsed_s": round(self.elapsed_s, 3),
        }
        # In this order: an epoch with a row can be gone on from, whenever the process ends.
        if complete:
            self._save_checkpoint(epoch + 1)
        self.last_epoch = self.run.append_metrics(row)
        self._remove_older_checkpoints()
        self._write_status(message="")
        self.on_epoch(self.last_epoch)
        self._row_time = time.perf_counter()

    @property
    def _scheduled_rate(self) -> float:
        """What the schedule wants for the next step."""
        return float(self._rates[min(self.step, len(self._rates) - 1)])

    def _set_rate(self, rate: float) -> None:
        if rate != self._rate:
            self._rate = rate
            self.network.optimizer.learning_rate = rate

    def _validate(self) -> dict[str, float]:
        """Return loss and accuracy on the training images set aside, if there are any."""
        aside = slice(self.config.fitted_images, self.config.training_images)
        if not self.config.validation_images:
            return {}
        labels = self.dataset.train_labels[aside]
        probabilities = predict_probabilities(self.kept, self.dataset.train_images[aside])
        return {
            "validation_loss": cross_entropy(probabilities, labels),
            "validation_accuracy": accuracy(probabilities, labels),
        }

    def _write_row(self, logs: dict[str, Any]) -> None:
        now = time.perf_counter()
        batches = self.step - (self._status.epoch - 1) * self.config.steps_per_epoch
        seen = min(batches * self.config.batch_size, self.config.fitted_images)
        sums = np.array([seen, logs["loss"] * seen, logs["accuracy"] * seen])
        images, loss, hits = sums - self._sums
        self._sums = sums
        self.run.append_metrics(
            {
                "kind": "batch",
                "epoch": self._status.epoch,
                "step": self.step,
                "loss": float(max(loss / images, 0.0)) if math.isfinite(loss) else math.nan,
                "accuracy": float(hits / images),
                "learning_rate": self._rate,
                "images_per_s": round(images / (now - self._row_time), 1),
                "elapsed_s": round(self.elapsed_s, 3),
            }
        )
        self._row_time, self._row_step = now, self.step
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss is not a number any more in epoch {self._status.epoch}, at learning rate {self._rate:.2g}"
            )

    def _write_event(self, event: str) -> None:
        self.run.append_metrics(
            {
                "kind": "event",
                "event": event,
                "epoch": self._status.epoch,
                "step": self.step,
                "elapsed_s": round(self.elapsed_s, 3),
                "learning_rate": self._rate,
            }
        )

    def _apply_controls(self, logs: dict[str, Any]) -> None:
        """Do what control.json asks for: stand still, change the learning rate, stop."""
        controls = self.run.read_controls()
        self._change_rate(controls)
        if controls.paused and not controls.stop:
            controls = self._stand_still()
        if controls.stop and not self.stopping:
            self.stopping = self.network.stop_training = True
            if self._row_step < self.step:
                self._write_row(logs)
            self._write_event("stopped")
        self._write_status(state="stopping" if self.stopping else "running", message="")

    def _change_rate(self, controls: Controls) -> None:
        """Set the learning rate that a person asks for, if it was not set yet."""
        if controls.learning_rate is not None and controls.asked_at > self._rate_asked_at:
            self._rate_asked_at = controls.asked_at
            self._rate_factor = controls.learning_rate / self._scheduled_rate
            self._set_rate(controls.learning_rate)
            self._write_event("learning_rate")

    def _stand_still(self) -> Controls:
        """Sleep until it shall go on or stop. The clock of the training stands, too."""
        before = time.perf_counter()
        self._write_event("paused")
        looks = 0
        while (controls := self.run.read_controls()).paused and not controls.stop:
            if looks % LOOKS_PER_HEARTBEAT == 0:
                self._write_status(state="paused", message="")
            looks += 1
            self._change_rate(controls)
            time.sleep(PAUSE_LOOK_S)
            now = time.perf_counter()
            self._began += now - before
            self._row_time += now - before
            self._epoch_began += now - before
            before = now
        if not controls.stop:
            self._write_event("resumed")
        return controls

    def _save_checkpoint(self, epoch: int) -> None:
        """Keep what it takes to go on from here."""
        # Every weight has up to two more numbers in the optimizer.
        self._save(self.network, self.run.checkpoint_path(epoch), 3 * self._weights_size)

    def _remove_older_checkpoints(self) -> None:
        """Keep the newest alone: one is three times the weights."""
        for older in self.run.checkpoints()[:-1]:
            self.run.checkpoint_path(older).unlink(missing_ok=True)

    @property
    def _weights_size(self) -> int:
        """Bytes that a file of the weights takes, and a little more."""
        return 4 * self.kept.count_params() + 200_000

    def _save(self, network: keras.Model, path: Path, size: int) -> None:
        temporary = path.with_name(f"unfinished-{path.name}")
        self.run.require_space(size)
        network.save_weights(temporary)
        temporary.replace(path)

    def _write_status(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)
        self.run.write_status(self._status)
