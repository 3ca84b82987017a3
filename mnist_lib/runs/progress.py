"""How far a training is, when it will be done, and which requests it has not carried out yet."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.records import EpochRow, RunSnapshot
from mnist_lib.runs.run import Controls

# The speed is measured over the latest seconds, because a machine gets busy or free, but over
# at least this many and this share of the time, so that no single row decides.
WINDOW_S = 10.0
WINDOW_SHARE = 0.3

# What a step on the middle of the images takes, of one on whole images, until that is known.
MIDDLE_STEP = 0.65
ENOUGH_ROWS = 3

# The forward pass, of a whole step.
FORWARD_SHARE = 1 / 3


class Progress(NamedTuple):
    """How far a training is.

    Attributes:
        fraction: Of the whole training, its batches and evaluations, the part that is done, 0 to 1.
        images_per_s: Over the latest batches; None before the first.
        seconds_left: None before the first batches.
    """

    fraction: float
    images_per_s: float | None
    seconds_left: float | None


def measure_progress(snapshot: RunSnapshot, now: float | None = None) -> Progress:
    """Estimate the time left: the remaining batches at the latest speed, and the remaining evaluations.

    The test images are evaluated after each epoch. Each evaluation is expected to take the mean time of
    those so far, and the first one that of a forward pass. Where the network first sees the middle of the
    images, it is traced again for whole ones, which is expected to take as long as the first time.

    Args:
        snapshot: The run.
        now: When the run is as the snapshot says, in seconds since the epoch; by default at this moment. The
            trainer writes nothing while it evaluates, so only the clock tells how far it is.
    """
    status = snapshot.status
    if status is None or not status.total_steps or not snapshot.batches:
        return Progress(0.0, None, None)
    last, config = snapshot.batches[-1], snapshot.config
    steps_left = _whole_steps(config, last.step, status.total_steps)
    all_steps = _whole_steps(config, 0, status.total_steps)
    seconds_per_step, seconds_left = _seconds_per_step(snapshot), None
    if seconds_per_step is not None:
        seconds_left = seconds_per_step * steps_left
    if config:
        evaluations_left = float(max(config.epochs - len(snapshot.epochs), 0))
        evaluation_steps = (
            FORWARD_SHARE * (snapshot.record.dataset.test_images + config.validation_images) / config.batch_size
        )
        if seconds_left is not None and seconds_per_step is not None:
            evaluation_s = _seconds_per_evaluation(snapshot) or evaluation_steps * seconds_per_step
            if status.phase == "evaluating" and evaluation_s:
                evaluating_s = (time.time() if now is None else now) - status.heartbeat
                evaluations_left -= min(max(evaluating_s / evaluation_s, 0.0), 1.0)
            seconds_left += evaluation_s * max(evaluations_left, 0.0)
            if last.epoch <= config.middle_epochs < config.epochs:
                seconds_left += snapshot.batches[0].elapsed_s
        steps_left += evaluation_steps * max(evaluations_left, 0.0)
        all_steps += evaluation_steps * config.epochs
    return Progress(1 - steps_left / all_steps, last.images_per_s, seconds_left)


def _whole_steps(config: TrainingConfig | None, begin: int, end: int) -> float:
    """Return how many steps on whole images take as long as those from ``begin`` to ``end``."""
    middle_end = config.middle_epochs * config.steps_per_epoch if config else 0
    of_middle = max(min(end, middle_end) - begin, 0)
    return max(end - begin, 0) - (1 - MIDDLE_STEP) * of_middle


def present_learning_rate(snapshot: RunSnapshot) -> float | None:
    """Return the current learning rate, or None before the first batches."""
    # Events last: a rate that was changed in a pause is newer than the batches before it.
    rows = snapshot.batches[-1:] + snapshot.events[-1:]
    return max(reversed(rows), key=lambda row: row.step).learning_rate if rows else None


def multiplied_learning_rate(snapshot: RunSnapshot, controls: Controls, factor: float) -> float | None:
    """Return a multiple of the current learning rate, to six digits, or None before the first batches.

    A requested rate that is not applied yet counts as the current one: halving twice in a row
    gives a quarter, even if the trainer has seen only the first request.

    Args:
        snapshot: The run as it is now.
        controls: What was requested.
        factor: Above 0.
    """
    rate = _pending_learning_rate(snapshot, controls) or present_learning_rate(snapshot)
    return None if rate is None else float(f"{rate * factor:.6g}")


def pending_control(snapshot: RunSnapshot, controls: Controls) -> str:
    """Return in a few words what was requested and has not happened yet; empty if nothing."""
    if controls.stop:
        return "stopping between two batches…"
    if controls.paused and snapshot.state != "paused":
        return "pausing…"
    if not controls.paused and snapshot.state == "paused":
        return "resuming…"
    rate = _pending_learning_rate(snapshot, controls)
    return "" if rate is None else f"learning rate {rate:.4g} with the next batches…"


def _pending_learning_rate(snapshot: RunSnapshot, controls: Controls) -> float | None:
    """Return the requested learning rate, unless the trainer has applied it."""
    asked = controls.learning_rate
    applied = [row.learning_rate for row in snapshot.events if row.event == "learning_rate"]
    # A trainer's rate is a float32.
    return None if asked is None or (applied and math.isclose(applied[-1], asked, rel_tol=1e-5)) else asked


def _seconds_per_step(snapshot: RunSnapshot) -> float | None:
    """Return the time per step on whole images over the latest rows, without the pauses between epochs."""
    batches = snapshot.batches
    now = batches[-1].elapsed_s
    middle_epochs = snapshot.config.middle_epochs if snapshot.config else 0
    # Without the time of the very first row, which includes tracing the network once.
    window_s = max(WINDOW_S, WINDOW_SHARE * (now - batches[0].elapsed_s))
    seconds = steps = rows = 0.0
    for before, row in zip(batches[:-1][::-1], batches[1:][::-1], strict=True):
        if now - before.elapsed_s > window_s and steps:
            break
        if rows >= ENOUGH_ROWS and before.epoch <= middle_epochs < batches[-1].epoch:
            break  # how much faster a step on the middle is differs from machine to machine
        if row.epoch == before.epoch:
            seconds += row.elapsed_s - before.elapsed_s
            steps += _whole_steps(snapshot.config, before.step, row.step)
            rows += 1
    return seconds / steps if steps else None


def _seconds_per_evaluation(snapshot: RunSnapshot) -> float | None:
    """Return the mean time between an epoch's last batch and the end of its evaluation, or None before the first."""
    ends = {row.epoch: row.elapsed_s for row in snapshot.batches}
    pauses = [row.elapsed_s - ends[row.epoch] for row in snapshot.epochs if row.epoch in ends]
    return sum(pauses) / len(pauses) if pauses else None


def machines_text(epochs: Sequence[EpochRow]) -> str:
    """Return which epochs were trained on which machine, if they were on several; else ``""``.

    Args:
        epochs: "epoch" rows, beginning with the first epoch. Names of machines may come from elsewhere.
    """
    stretches = [(name, list(rows)) for name, rows in groupby(epochs, lambda row: row.trained_on)]
    said = [f"{rows[0].epoch} to {rows[-1].epoch} on {name or 'this machine'}" for name, rows in stretches]
    return f"Epochs {'; '.join(said)}." if len(said) > 1 else ""
