"""Which of the runs is the best one."""

from __future__ import annotations

from typing import NamedTuple

from mnist_lib.runs.records import COMPLETE_STATES, DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore


class Outcome(NamedTuple):
    """What a run reached.

    Attributes:
        run_id: The folder's name.
        test_accuracy: 0 to 1.
        misclassified: Test images that it misreads, of 10,000.
        train_seconds: Its time of training, without pauses.
    """

    run_id: str
    test_accuracy: float
    misclassified: int
    train_seconds: float


def run_outcome(run: Run) -> Outcome | None:
    """Return what a finished or stopped run reached, or None. Reads one small file."""
    try:
        status = run.read_status()
        result = status.result or {}
        if status.state not in COMPLETE_STATES:
            return None
        return Outcome(
            run.run_id,
            result["test_accuracy"],
            result["misclassified"],
            result["train_seconds"],
        )
    except (DamagedRunError, KeyError):
        return None


def best_outcome(store: RunStore, besides: Run) -> Outcome | None:
    """Return the outcome with the fewest misclassified images, or None if there is no other run.

    Among equals it is the one that took less time.

    Args:
        store: The runs of this machine and those that ship with the project.
        besides: The run that the others are compared with.
    """
    others = [run_outcome(run) for run in store.runs() if run.path != besides.path]
    return min(
        (outcome for outcome in others if outcome is not None),
        key=lambda outcome: (outcome.misclassified, outcome.train_seconds),
        default=None,
    )
