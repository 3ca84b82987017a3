"""The state of a training: shared by its callbacks, and written to the run directory."""

from __future__ import annotations

import math
import os
from typing import Any

import msgspec

from mnist_lib.config import TrainingConfig
from mnist_lib.machine import process_start_time
from mnist_lib.runs.records import EpochRow, EventRow, Status
from mnist_lib.runs.run import Run
from mnist_lib.training.stopwatch import Stopwatch


class TrainingState:
    """The state of a training, shared by its callbacks.

    Each callback updates its own part and reads the rest.

    Args:
        run: The run directory, claimed for this process.
        config: The settings of the run.
        last_epoch: The "epoch" row to continue from; None for a new training.
        trained_on: What the "epoch" rows say of the machine.

    Attributes:
        epoch: The epoch being trained, or the last one until the next begins; from 1, 0 before the first.
        step: Batches done, over all epochs.
        epoch_began_s: Seconds of training when the epoch began.
        epoch_seconds: Seconds of the last epoch's batches, without pauses and without its evaluation.
        learning_rate: That of the latest batches; before them, that of the first ones.
        rate_factor: The rate used divided by the scheduled one: 1 until a person changes the rate.
        stopwatch: Seconds of training, without pauses and interruptions.
    """

    def __init__(
        self, run: Run, config: TrainingConfig, last_epoch: EpochRow | None = None, trained_on: str = ""
    ) -> None:
        self.run = run
        self.config = config
        self.trained_on = trained_on
        self.epoch = last_epoch.epoch if last_epoch else 0
        self.step = self.epoch * config.steps_per_epoch
        self.stopwatch = Stopwatch(last_epoch.elapsed_s if last_epoch else 0.0)
        self.epoch_began_s = self.elapsed_s
        self.epoch_seconds = 0.0
        self.learning_rate = math.nan  # until ScheduledLearningRate is made
        self.rate_factor = last_epoch.rate_factor if last_epoch else 1.0
        self._status = Status(
            "starting", pid=os.getpid(), pid_start_time=process_start_time(), total_steps=config.total_steps
        )

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, without pauses."""
        return self.stopwatch.elapsed_s

    @property
    def epoch_is_complete(self) -> bool:
        """Whether all batches of the epoch are done."""
        return self.step == self.epoch * self.config.steps_per_epoch

    @property
    def images_of_epoch(self) -> int:
        """Training images processed in the current epoch."""
        return self.images_seen - (self.epoch - 1) * self.config.fitted_images

    @property
    def images_seen(self) -> int:
        """Training images processed so far, over all epochs."""
        epochs, batches = divmod(self.step, self.config.steps_per_epoch)
        return epochs * self.config.fitted_images + min(batches * self.config.batch_size, self.config.fitted_images)

    def begin(self) -> None:
        """Start the stopwatch and record that the training begins or continues.

        Raises:
            OSError: The run directory cannot be written.
        """
        self.stopwatch.start()
        self.write_status(phase="tracing")
        if self.epoch:
            self.write_event("continued")

    def write_status(self, **changes: Any) -> None:
        """Write status.json: epoch, step, and what else has changed.

        Args:
            changes: Fields of ``Status``.

        Raises:
            OSError: The run directory cannot be written.
        """
        self._status = msgspec.structs.replace(self._status, epoch=self.epoch, step=self.step, **changes)
        self.run.write_status(self._status)

    def write_event(self, event: str) -> None:
        """Append an "event" row to metrics.jsonl.

        Args:
            event: ``continued``, ``paused``, ``resumed``, ``stopped`` or ``learning_rate``.

        Raises:
            OSError: The run directory cannot be written.
        """
        self.run.append_metrics(
            EventRow(
                event=event,
                epoch=self.epoch,
                step=self.step,
                elapsed_s=round(self.elapsed_s, 3),
                learning_rate=self.learning_rate,
            )
        )
