"""A stopwatch: seconds of work, without the pauses."""

from __future__ import annotations

import time


class Stopwatch:
    """Counts seconds between each start and the stop after it. It stands until it is started.

    Args:
        elapsed_s: Seconds counted before, 0 or more.
    """

    def __init__(self, elapsed_s: float = 0.0) -> None:
        self._before_s = elapsed_s
        self._started_s: float | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds counted so far."""
        return self._before_s + (0.0 if self._started_s is None else time.perf_counter() - self._started_s)

    def start(self) -> None:
        """Go on counting."""
        self._before_s, self._started_s = self.elapsed_s, time.perf_counter()

    def stop(self) -> None:
        """Stand still."""
        self._before_s, self._started_s = self.elapsed_s, None
