"""How many of a sample of test images a network misreads while it is being trained."""

from __future__ import annotations

import threading
import time

import numpy as np

from mnist_lib.data.dataset import Dataset
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import LiveNetwork
from mnist_lib.runs.records import DamagedRunError, RunSnapshot
from mnist_lib.runs.run import Run

_SAMPLE_SIZE = 1_000

# The next reading comes after at least this long, and so late that reading takes at most this share of the time.
SECONDS_PER_READING = 2.0
LARGEST_SHARE = 0.03


def sample_of(test_images: int) -> slice:
    """Return which test images are the sample, about a thousand: of MNIST every tenth, for its first half is easier."""
    return slice(None, None, max(1, test_images // _SAMPLE_SIZE))


class SampleErrors:
    """The errors of one training on the sample: read live, and after each epoch from what the trainer stored.

    All screens that show a training share one of these, so each network is read once.
    """

    def __init__(self) -> None:
        self._errors: dict[int, int] = {}  # by step
        self._due_s = 0.0
        self._reading = threading.Lock()

    def update(self, run: Run, snapshot: RunSnapshot, live: LiveNetwork | None, dataset: Dataset) -> dict[int, int]:
        """Read what is new, if it is time for it, and return the misread images of the sample by step, in order.

        Args:
            run: The training, always the same one.
            snapshot: The same as it is now.
            live: Its newest network.
            dataset: That of the run, whose test images are read.
        """
        # Another thread that reads already is not waited for: the next call will see what it read.
        if self._reading.acquire(blocking=False):
            try:
                self._read(run, snapshot, live, dataset)
            finally:
                self._reading.release()
        step = snapshot.status.step if snapshot.status else 0  # a run that is continued begins again before its end
        return {each: count for each, count in sorted(self._errors.items()) if each <= step}

    def _read(self, run: Run, snapshot: RunSnapshot, live: LiveNetwork | None, dataset: Dataset) -> None:
        sample = sample_of(len(dataset.test_labels))
        labels = dataset.test_labels[sample]
        for row in snapshot.epochs:
            if row.step not in self._errors:
                try:
                    self._errors[row.step] = _count_errors(run.probabilities(row.epoch)[sample], labels)
                except DamagedRunError:
                    continue
        began_s = time.monotonic()
        if live is not None and live.step not in self._errors and began_s >= self._due_s:
            probabilities = predict_probabilities(live.network, dataset.test_images[sample])
            self._errors[live.step] = _count_errors(probabilities, labels)
            now_s = time.monotonic()
            self._due_s = now_s + max(SECONDS_PER_READING, (now_s - began_s) / LARGEST_SHARE)


def _count_errors(probabilities: np.ndarray, labels: np.ndarray) -> int:
    return int((probabilities.argmax(axis=1) != labels).sum())
