"""How far a training is and when it will be done."""

from __future__ import annotations

from typing import NamedTuple

from mnist_lib.runs import RunSnapshot


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
    """Estimate the time left from the time that the batches so far have taken.

    The time between two rows counts whole, so that the pauses for evaluation after
    each epoch are part of the estimate as soon as there was one.
    """
    status = snapshot.status
    if status is None or not status.total_steps or not snapshot.batches:
        return Progress(0.0, None, None)
    first, last = snapshot.batches[0], snapshot.batches[-1]
    fraction = min(last["step"] / status.total_steps, 1.0)
    seconds_left = None
    if last["step"] > first["step"]:
        # From the first row on: tracing the network comes once, before it.
        seconds_per_step = (last["elapsed_s"] - first["elapsed_s"]) / (last["step"] - first["step"])
        seconds_left = seconds_per_step * max(status.total_steps - last["step"], 0)
    return Progress(fraction, last["images_per_s"], seconds_left)
