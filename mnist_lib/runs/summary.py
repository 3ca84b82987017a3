"""Summaries of all runs: their results, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from mnist_lib.config import SETTINGS, TrainingConfig
from mnist_lib.runs.comparison import run_result
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run

SETTING_LABELS = {"preset": "Preset", "dataset": "Data set"} | {
    name: setting.label for name, setting in SETTINGS.items()
}


class RunSummary(NamedTuple):
    """One row in the table of runs.

    Attributes:
        run_id: The folder's name.
        bundled: Whether it ships with the project.
        state: As in Status, or ``damaged``.
        message: The reason for the state, in a few words.
        created_at: Seconds since the epoch, 0 if unknown.
        epochs: Epochs trained so far.
        test_accuracy: 0 to 1, after the last of them, or None before.
        misclassified: Misclassified test images, or None before.
        train_seconds: Training time without pauses, or None before.
        config: The settings, unless they are unreadable.
        note: What a person noted about it.
    """

    run_id: str
    bundled: bool
    state: str
    message: str
    created_at: float
    epochs: int
    test_accuracy: float | None
    misclassified: int | None
    train_seconds: float | None
    config: TrainingConfig | None
    note: str


def summarize_run(run: Run) -> RunSummary:
    """Return a run's summary. Never raises, and reads metrics.jsonl only if the run has no result."""
    result = run_result(run)
    if result is not None:
        with suppress(DamagedRunError):  # Run.read below says what is wrong
            config, record = run.read_config()
            return RunSummary(
                run.run_id,
                run.bundled,
                result.state,
                "",
                record.created_at,
                result.epochs,
                result.test_accuracy,
                result.misclassified,
                result.train_seconds,
                config,
                run.read_note(),
            )
    snapshot = run.read()
    last = snapshot.last_epoch
    return RunSummary(
        run.run_id,
        run.bundled,
        snapshot.state,
        snapshot.message,
        snapshot.record.created_at,
        last.epoch if last else 0,
        last.test_accuracy if last else None,
        last.misclassified if last else None,
        last.elapsed_s if last else None,
        snapshot.config,
        run.read_note(),
    )


def differing_settings(summaries: Sequence[RunSummary]) -> list[str]:
    """Return the names of the settings that are not the same in all runs, in the form's order."""
    settings = [summary.config.to_dict() for summary in summaries if summary.config]
    return [name for name in SETTING_LABELS if len({each[name] for each in settings}) > 1]


def settings_beyond_presets(summaries: Sequence[RunSummary]) -> list[str]:
    """Return the names of the settings that differ, without those that preset and data set say.

    These are the same in all runs of one preset on one data set; the two themselves come first if they differ.
    """
    by_preset: dict[tuple[str, str], list[RunSummary]] = {}
    for summary in summaries:
        if summary.config:
            by_preset.setdefault((summary.config.preset, summary.config.dataset), []).append(summary)
    beyond = {name for runs in by_preset.values() for name in differing_settings(runs)}
    return [name for name in differing_settings(summaries) if name in ("preset", "dataset") or name in beyond]
