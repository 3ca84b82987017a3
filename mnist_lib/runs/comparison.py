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


def best_result(store: RunStore, besides: Run) -> RunResult | None:
    """Return the result with the fewest misclassified images, or None if there is no other run.

    If several have the fewest, it is the one that took the least time.

    Args:
        store: The runs of this machine and those that ship with the project.
        besides: The run that the others are compared with.
    """
    others = [run_result(run) for run in store.runs() if run.path != besides.path]
    return min(
        (result for result in others if result is not None),
        key=lambda result: (result.misclassified, result.train_seconds),
        default=None,
    )
