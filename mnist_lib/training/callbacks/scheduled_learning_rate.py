"""Sets the learning rate of each step, as scheduled or requested."""

from __future__ import annotations

from typing import Any

from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.schedule import learning_rates
from mnist_lib.training.state import TrainingState


class ScheduledLearningRate(TrainingCallback):
    """Sets the learning rate of each step, as scheduled or requested.

    A requested rate holds until the scheduled rate changes; from then on the schedule continues
    from there, in proportion.

    Args:
        state: Its ``learning_rate`` and ``rate_factor`` are updated.
    """

    def __init__(self, state: TrainingState) -> None:
        super().__init__(state)
        self._rates = learning_rates(state.config)
        state.learning_rate = self.scheduled_rate * state.rate_factor

    @property
    def scheduled_rate(self) -> float:
        """The scheduled learning rate of the next step, above 0, without a person's changes."""
        return float(self._rates[min(self.state.step, len(self._rates) - 1)])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Set the first rate: the optimizer starts with its own."""
        self.model.optimizer.learning_rate = self.state.learning_rate

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate for this step."""
        self._set(self.scheduled_rate * self.state.rate_factor)

    def change(self, learning_rate: float) -> None:
        """Set another rate from now on.

        Args:
            learning_rate: Above 0.
        """
        self.state.rate_factor = learning_rate / self.scheduled_rate
        self._set(learning_rate)

    def _set(self, learning_rate: float) -> None:
        if learning_rate != self.state.learning_rate:
            self.state.learning_rate = self.model.optimizer.learning_rate = learning_rate
