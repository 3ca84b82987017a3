"""Applies what a screen requests in control.json: pause, resume, stop, another learning rate."""

from __future__ import annotations

import time
from typing import Any

from mnist_lib.runs.run import Controls
from mnist_lib.training.callbacks.batch_logger import BatchLogger
from mnist_lib.training.callbacks.scheduled_learning_rate import ScheduledLearningRate
from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.state import TrainingState

# While batches are trained, control.json is read a few times per second.
SECONDS_PER_READ = 0.25

# A paused trainer sleeps between two reads, and only sometimes writes that it is still there.
PAUSED_SECONDS_PER_READ = 0.2
READS_PER_HEARTBEAT = 50


class RunControl(TrainingCallback):
    """Applies what a screen requests in control.json: pause, resume, stop, another learning rate.

    Each of these is written as an "event" row to metrics.jsonl, and updates the state in status.json.

    Args:
        state: The state of the training. A pause stops its stopwatch.
        learning_rate: Changes the rate.
        batch_logger: Writes the row of the last batches before a stop.
    """

    def __init__(self, state: TrainingState, learning_rate: ScheduledLearningRate, batch_logger: BatchLogger) -> None:
        super().__init__(state)
        self.learning_rate = learning_rate
        self.batch_logger = batch_logger
        self._read_s = state.elapsed_s
        self._rate_asked_at = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Apply the controls if it is time to read them."""
        if self.state.epoch_is_complete or self.state.elapsed_s - self._read_s >= SECONDS_PER_READ:
            self._apply_controls(logs or {})
            self._read_s = self.state.elapsed_s

    def _apply_controls(self, logs: dict[str, Any]) -> None:
        controls = self.state.run.read_controls()
        self._change_learning_rate(controls)
        if controls.paused and not controls.stop:
            controls = self._wait_while_paused()
        if controls.stop:
            self.model.stop_training = True
            self.batch_logger.write_pending_row(logs)
            self.state.write_event("stopped")
        self.state.write_status(state="stopping" if controls.stop else "running", phase="training")

    def _change_learning_rate(self, controls: Controls) -> None:
        """Set the requested learning rate, if it is not set yet."""
        if controls.learning_rate is not None and controls.asked_at > self._rate_asked_at:
            self._rate_asked_at = controls.asked_at
            self.learning_rate.change(controls.learning_rate)
            self.state.write_event("learning_rate")

    def _wait_while_paused(self) -> Controls:
        """Sleep until the training is resumed or stopped, and return the controls that say so."""
        self.state.stopwatch.stop()
        self.state.write_event("paused")
        reads = 0
        while (controls := self.state.run.read_controls()).paused and not controls.stop:
            if reads % READS_PER_HEARTBEAT == 0:
                self.state.write_status(state="paused")
            reads += 1
            self._change_learning_rate(controls)
            time.sleep(PAUSED_SECONDS_PER_READ)
        self.state.stopwatch.start()
        if not controls.stop:
            self.state.write_event("resumed")
        return controls
