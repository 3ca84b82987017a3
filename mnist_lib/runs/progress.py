"""How far a training is and when it will be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mnist_lib.runs.records import RunSnapshot

# The speed of the latest seconds counts, so that a machine that gets busy or free is
# noticed; of at least so many, so that no single row decides.
WINDOW_S = 10.0
WINDOW_SHARE = 0.3


class Progress(NamedTuple):
    """Where a training stands.

    Attributes:
        fraction: Batches done of all batches, 0 to 1.
        images_per_s: Over the latest batches; None before the first.
        seconds_left: None before the first batches.
    """

    fraction: float
    images_per_s: float | None
    seconds_left: float | None


def measure_progress(snapshot: RunSnapshot) -> Progress:
    """Estimate the time left: the batches left at the latest speed, and the evaluations left.

    After each epoch the test images are evaluated. What that took so far is taken
    for what it will take.
    """
    status = snapshot.status
    if status is None or not status.total_steps or not snapshot.batches:
        return Progress(0.0, None, None)
    last = snapshot.batches[-1]
    fraction = min(last["step"] / status.total_steps, 1.0)
    seconds_per_step = _seconds_per_step(snapshot.batches)
    seconds_left = None
    if seconds_per_step is not None:
        steps_left = max(status.total_steps - last["step"], 0)
        epochs_left = (snapshot.config.epochs - len(snapshot.epochs)) if snapshot.config else 0
        seconds_left = seconds_per_step * steps_left + _seconds_per_evaluation(snapshot) * max(epochs_left, 0)
    return Progress(fraction, last["images_per_s"], seconds_left)


def _seconds_per_step(batches: Sequence[dict[str, Any]]) -> float | None:
    """Return the time of a step over the latest rows, without the pauses between epochs."""
    now = batches[-1]["elapsed_s"]
    # Not the very first row: tracing the network comes once, before it.
    window_s = max(WINDOW_S, WINDOW_SHARE * (now - batches[0]["elapsed_s"]))
    seconds = steps = 0.0
    for before, row in zip(batches[:-1][::-1], batches[1:][::-1], strict=True):
        if now - before["elapsed_s"] > window_s and steps:
            break
        if row["epoch"] == before["epoch"]:
            seconds += row["elapsed_s"] - before["elapsed_s"]
            steps += row["step"] - before["step"]
    return seconds / steps if steps else None


def _seconds_per_evaluation(snapshot: RunSnapshot) -> float:
    """Return the mean time between an epoch's last batch and the next one's first; 0 before the first."""
    ends = {row["epoch"]: row["elapsed_s"] for row in snapshot.batches}
    pauses = [row["elapsed_s"] - ends[row["epoch"]] for row in snapshot.epochs if row["epoch"] in ends]
    return sum(pauses) / len(pauses) if pauses else 0.0
