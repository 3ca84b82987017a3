"""What came of an experiment: its runs, what each combination reached over its seeds, and the best by validation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mnist_lib.config import TrainingConfig, TrainingData, change_settings
from mnist_lib.evaluation.repeated import Summary, summarize
from mnist_lib.experiments.library import Experiment
from mnist_lib.experiments.plan import SettingValue
from mnist_lib.runs.records import BROKEN_STATES, COMPLETE_STATES, DamagedRunError, EpochRow
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.storage.files import file_stamp
from mnist_lib.wording import count_text

# Of the metrics of a run; of errors and seconds, fewer are better.
LARGER_IS_BETTER = ("test_accuracy", "validation_accuracy")


class ExperimentRun(NamedTuple):
    """A run of an experiment.

    Attributes:
        run: The run.
        number: Its number in the experiment, from 1.
        state: As in RunSnapshot.
        message: The reason for it, in one line.
        config: Its settings, unless they cannot be read.
        epochs: Its epochs so far, the last one perhaps incomplete.
        seconds: Training time so far, without pauses.
        is_queued: Whether it is in the queue: it waits, is being trained, or is to be continued.
        test_images: How many test images its data set has.
    """

    run: Run
    number: int
    state: str
    message: str
    config: TrainingConfig | None
    epochs: tuple[EpochRow, ...]
    seconds: float
    is_queued: bool
    test_images: int

    @property
    def is_finished(self) -> bool:
        """Whether it trained all its epochs."""
        return self.state == "finished"

    @property
    def has_ended(self) -> bool:
        """Whether nobody trains it further, unless a person asks for it."""
        if self.state in ("stopped", "interrupted"):  # without a place in the queue, nobody continues it
            return not self.is_queued
        return self.state in ("finished", "failed", "damaged")

    @property
    def test_accuracy(self) -> float | None:
        """After its last epoch, 0 to 1; None before the first."""
        return self.epochs[-1].test_accuracy if self.epochs else None

    @property
    def misclassified(self) -> int | None:
        """Misread test images after its last epoch; None before the first."""
        return self.epochs[-1].misclassified if self.epochs else None

    @property
    def validation_accuracy(self) -> float | None:
        """After its last epoch, 0 to 1; None before the first, and where no images are set aside."""
        return self.epochs[-1].validation_accuracy if self.epochs else None

    @property
    def validation_errors(self) -> int | None:
        """Misread validation images after its last epoch, or None."""
        accuracy = self.validation_accuracy
        if accuracy is None or self.config is None:
            return None
        return round((1 - accuracy) * self.config.validation_images)

    def largest(self, metric: str) -> float:
        """Return the largest value that a metric can have.

        Args:
            metric: The name of one of the properties above, or ``seconds``.
        """
        if metric == "misclassified":
            return self.test_images
        if metric == "validation_errors":
            return self.config.validation_images if self.config else math.inf
        return math.inf if metric == "seconds" else 1.0


class Combination(NamedTuple):
    """The runs that differ in their seed alone.

    Attributes:
        settings: The values of the varied settings, by name.
        runs: Its runs, in order.
        accuracy: The test accuracy of its finished runs; None before one is finished.
        misclassified: Their misread test images.
        validation: Their validation accuracy; None also where no images are set aside.
    """

    settings: dict[str, SettingValue]
    runs: list[ExperimentRun]
    accuracy: Summary | None
    misclassified: Summary | None
    validation: Summary | None

    @property
    def config(self) -> TrainingConfig | None:
        """The settings of its first run."""
        return self.runs[0].config


class Results(NamedTuple):
    """What came of an experiment so far.

    Attributes:
        experiment: The experiment.
        runs: Those of its runs that are there, by number.
        states: How many of them are in each state.
        combinations: The same runs by the settings that are varied, in the order of the plan.
        whole: All of them together, whatever they vary.
        best: The combination with the best validation accuracy, or None.
        why_no_best: In one line; empty if there is one.
    """

    experiment: Experiment
    runs: list[ExperimentRun]
    states: Counter[str]
    combinations: list[Combination]
    whole: Combination
    best: Combination | None
    why_no_best: str

    @property
    def missing(self) -> int:
        """How many runs of the plan are not there: deleted, or never queued because something came between."""
        return max(self.experiment.plan.runs - len(self.runs), 0)

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is trained any more."""
        return all(run.has_ended for run in self.runs)


class Curve(NamedTuple):
    """A metric of several runs over their epochs.

    Attributes:
        epochs: int64, (n,), from 1.
        mean: float64, (n,), of the runs that have the epoch.
        low: float64, (n,), the smallest of them.
        high: float64, (n,), the largest of them.
        runs: How many runs have at least one of the epochs.
    """

    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: int


def read_results(store: RunStore, experiment: Experiment) -> Results:
    """Read what came of an experiment. Never raises for damaged runs, which are in the state ``damaged``.

    What has ended is read once: a screen asks again and again.

    Args:
        store: The runs.
        experiment: The experiment.
    """
    runs = [_read_run(run, member.number) for run, member in store.members(experiment.name)]
    runs.sort(key=lambda run: run.number)
    combinations = _combine(runs, experiment.plan.varied)
    best, why_none = choose_best(combinations, experiment.plan.seeds)
    states = Counter(run.state for run in runs)
    return Results(experiment, runs, states, combinations, _combination({}, runs), best, why_none)


def choose_best(combinations: Sequence[Combination], seeds: int) -> tuple[Combination | None, str]:
    """Return the combination with the best mean validation accuracy, or None and why there is none.

    The test images have no part in it: a figure on the images by which something was chosen is better than it would
    be on others.

    Args:
        combinations: Those of an experiment.
        seeds: How many runs each has to have finished; one whose other seeds are missing may just have been lucky.
    """
    if len(combinations) < 2:
        return None, "There is nothing to choose from: all runs follow one recipe."
    if not any(run.config and run.config.validation_images for each in combinations for run in each.runs):
        return None, "No images were set aside for validation, and nothing is chosen by the test images."
    done = [each for each in combinations if each.validation and each.validation.count == seeds]
    if not done:
        return None, "No combination has finished all its runs yet."
    return max(done, key=lambda each: each.validation.mean if each.validation else 0.0), ""


def recipe_on_everything(config: TrainingConfig, data: TrainingData) -> TrainingConfig:
    """Return the settings of a run, with which no images are set aside for validation any more.

    Args:
        config: The settings.
        data: Their data set.
    """
    return change_settings(config, data, {"validation_split": 0.0})


def mean_curve(runs: Sequence[ExperimentRun], metric: str) -> Curve:
    """Return the mean of a metric over the epochs of several runs, with the smallest and the largest.

    Args:
        runs: The runs.
        metric: A metric of EpochRow, for example ``validation_accuracy``; where it is None, the run does not count.
    """
    values: dict[int, list[float]] = {}
    have_some = 0
    for run in runs:
        rows = [(row.epoch, getattr(row, metric)) for row in run.epochs if row.complete]
        known = [(epoch, value) for epoch, value in rows if value is not None]
        have_some += bool(known)
        for epoch, value in known:
            values.setdefault(epoch, []).append(value)
    epochs = sorted(values)
    mean, low, high = (
        np.array([summary(values[epoch]) for epoch in epochs], float) for summary in (np.mean, np.min, np.max)
    )
    return Curve(np.array(epochs, int), mean, low, high, have_some)


def summarize_runs(runs: Sequence[ExperimentRun], metric: str) -> Summary | None:
    """Return what finished runs reached.

    Its interval ends where no run can be: Student's knows neither that an accuracy has at most 100% nor that nobody
    misreads fewer than no images. The mean of all seeds is not beyond that either, so it stays a 95% interval.

    Args:
        runs: The runs. Those that are not finished or do not have the metric do not count.
        metric: The name of a metric of ExperimentRun.

    Returns:
        The summary, or None if no run counts.
    """
    known = [run for run in runs if run.is_finished and getattr(run, metric) is not None]
    if not known:
        return None
    summary = summarize([getattr(run, metric) for run in known], larger_is_better=metric in LARGER_IS_BETTER)
    if summary.interval is None:
        return summary
    low, high = summary.interval
    return summary._replace(interval=(max(low, 0.0), min(high, max(run.largest(metric) for run in known))))


def _combine(runs: Sequence[ExperimentRun], varied: Sequence[str]) -> list[Combination]:
    groups: dict[tuple[Any, ...], list[ExperimentRun]] = {}
    for run in runs:
        if run.config:
            groups.setdefault(tuple(getattr(run.config, name) for name in varied), []).append(run)
    return [_combination(dict(zip(varied, values, strict=True)), group) for values, group in groups.items()]


def _combination(settings: dict[str, SettingValue], runs: list[ExperimentRun]) -> Combination:
    metrics = ("test_accuracy", "misclassified", "validation_accuracy")
    return Combination(settings, runs, *(summarize_runs(runs, metric) for metric in metrics))


def _read_run(run: Run, number: int) -> ExperimentRun:
    try:
        state = run.read_status().state
    except DamagedRunError:
        state = "damaged"
    is_queued = run.read_queue_record() is not None
    if state in (*COMPLETE_STATES, *BROKEN_STATES):
        return _read_ended_run(run, number, is_queued, state, file_stamp(run.path / "status.json"))
    return _read_anew(run, number, is_queued)


# A hundred bytes an epoch.
@lru_cache(maxsize=2048)
def _read_ended_run(run: Run, number: int, is_queued: bool, state: str, stamp: int) -> ExperimentRun:
    return _read_anew(run, number, is_queued)


def _read_anew(run: Run, number: int, is_queued: bool) -> ExperimentRun:
    snapshot = run.read()
    last = snapshot.last_epoch
    seconds = snapshot.result.train_seconds if snapshot.result else last.elapsed_s if last else 0.0
    epochs = tuple(snapshot.epochs)
    return ExperimentRun(
        run,
        number,
        snapshot.state,
        snapshot.message,
        snapshot.config,
        epochs,
        seconds,
        is_queued,
        snapshot.record.dataset.test_images,
    )


def summary_text(combination: Combination) -> str:
    """Say in words what runs reached that differ in their seed alone: mean, spread, interval and worst."""
    finished = sum(run.is_finished for run in combination.runs)
    runs = f"{finished:,} of {count_text(len(combination.runs), 'run')} finished"
    accuracy, misread = combination.accuracy, combination.misclassified
    if accuracy is None or misread is None:
        return f"{runs}."
    if accuracy.interval is None or misread.interval is None:
        return f"{runs}. Test accuracy {accuracy.mean:.2%}, {misread.mean:,.0f} misread."
    (low, high), (fewest, most) = accuracy.interval, misread.interval
    return (
        f"{runs}. Test accuracy {accuracy.mean:.2%} on average, standard deviation {accuracy.deviation:.2%}, 95% "
        f"interval of the mean {low:.2%} to {high:.2%}, worst {accuracy.worst:.2%}. Misread {misread.mean:,.1f} on "
        f"average, interval {fewest:,.1f} to {most:,.1f}, worst {misread.worst:,.0f}."
    )
