"""A stopwatch that can be paused."""

from __future__ import annotations

import time


class Stopwatch:
    """Counts the seconds between each start and the next stop. A new one is stopped.

    Args:
        elapsed_s: Seconds to begin with, 0 or more.
    """

    def __init__(self, elapsed_s: float = 0.0) -> None:
        self._before_s = elapsed_s
        self._started_s: float | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds counted so far."""
        return self._before_s + (0.0 if self._started_s is None else time.perf_counter() - self._started_s)

    def start(self) -> None:
        """Start counting."""
        self._before_s, self._started_s = self.elapsed_s, time.perf_counter()

    def stop(self) -> None:
        """Stop counting."""
        self._before_s, self._started_s = self.elapsed_s, None
