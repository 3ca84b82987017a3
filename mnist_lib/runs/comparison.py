"""Finds the best of the runs."""

from __future__ import annotations

import msgspec

from mnist_lib.runs.records import COMPLETE_STATES, DamagedRunError, RunResult
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore


def run_result(run: Run) -> RunResult | None:
    """Return the result of a finished or stopped run, under its current name, or None. Reads one small file."""
    try:
        status = run.read_status()
    except DamagedRunError:
        return None
    if status.state not in COMPLETE_STATES or status.result is None:
        return None
    return msgspec.structs.replace(status.result, run_id=run.run_id)


def have_same_data(run: Run, other: Run) -> bool:
    """Tell whether two runs were tested on the same images; not, if one of them is too damaged to say."""
    try:
        return run.dataset().sha256 == other.dataset().sha256
    except DamagedRunError:
        return False


def best_result(store: RunStore, excluding: Run) -> RunResult | None:
    """Return the result with the fewest misclassified images, or None if there is no other run of the same data set.

    If several have the fewest, it is the one that took the least time.

    Args:
        store: The runs of this machine and those that ship with the project.
        excluding: The run to compare with the others.
    """
    others = [run_result(run) for run in store.runs() if run.path != excluding.path and have_same_data(run, excluding)]
    return min(
        (result for result in others if result is not None),
        key=lambda result: (result.misclassified, result.train_seconds),
        default=None,
    )
