"""The records in the files of a run directory, checked when they are read.

Each record is a type whose fields declare their ranges; msgspec checks them once, when a
file is read. The ranges are wider than what a trainer writes, but within what a table, a plot
and a calendar can show.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from mnist_lib.config import ConfigError, TrainingConfig
from mnist_lib.data.dataset import MAX_IMAGES, MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.storage.files import read_file, write_whole

# It waits for a trainer.
WaitingState = Literal["queued"]
ActiveState = Literal["starting", "running", "paused", "stopping"]
# It ended as requested and saved its model, or it broke off.
CompleteState = Literal["finished", "stopped"]
BrokenState = Literal["failed", "interrupted"]

ACTIVE_STATES: tuple[str, ...] = get_args(ActiveState)
COMPLETE_STATES: tuple[str, ...] = get_args(CompleteState)
BROKEN_STATES: tuple[str, ...] = get_args(BrokenState)

# A run that ended in one of these did not train all its epochs and can continue.
UNFINISHED_STATES = ("stopped", *BROKEN_STATES)

# What an active trainer is doing, in order; the last two alternate.
Phase = Literal["loading", "tracing", "training", "evaluating"]

# Valid as a folder's name in any file system, and unquoted in any shell and address.
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Moment = Annotated[float, Meta(ge=0, le=1e10)]  # seconds since the epoch, as far as every calendar goes
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Share = Annotated[float, Meta(ge=0, le=1)]
# Up to the largest float32. A mean over a few batches is the difference of two rounded sums, so
# it can be slightly out of its range.
Loss = Annotated[float, Meta(ge=-0.1, le=3.4e38)]
BatchAccuracy = Annotated[float, Meta(ge=-0.1, le=1.1)]
LearningRate = Annotated[float, Meta(ge=0, le=1e6)]
RateFactor = Annotated[float, Meta(ge=0, le=1e15)]
ImagesPerSecond = Annotated[float, Meta(ge=0, le=1e12)]
Epoch = Annotated[int, Meta(ge=0, le=1_000)]
Step = Annotated[int, Meta(ge=0, le=10**9)]
MAX_NAME_LENGTH = 200  # of a machine
# Begins with a letter or digit, or a spreadsheet could take it for a formula.
MachineName = Annotated[str, Meta(max_length=MAX_NAME_LENGTH, pattern=r"\A(\w.*)?\Z")]
TestImages = Annotated[int, Meta(ge=0, le=MAX_IMAGES)]


_Record = TypeVar("_Record", bound=Struct)


class DamagedRunError(Exception):
    """A file of a run is missing or wrong. The message names the file."""


class RunResult(Struct, frozen=True, kw_only=True):
    """The result of a training, as ``train --json`` prints it.

    Attributes:
        run_id: The run's name at that time.
        state: ``finished`` or ``stopped``.
        epochs: Epochs trained, the last of them perhaps incomplete.
        test_accuracy: After the last epoch.
        test_loss: Mean cross-entropy in nats; None if it is not a number.
        misclassified: Of the test images.
        train_seconds: From the call of fit to its return, without pauses.
        images_per_second: Training images per second, over all of that time.
        device: What it was trained on, in words.
        precision: Keras's dtype policy.
    """

    run_id: str
    state: CompleteState
    epochs: Epoch
    test_accuracy: Share
    test_loss: Loss | None
    misclassified: TestImages
    train_seconds: Seconds
    images_per_second: ImagesPerSecond = 0.0
    device: str = ""
    precision: str = ""


class Status(Struct, frozen=True):
    """The content of status.json: the state of a run.

    Attributes:
        state: ``queued``, or one of ACTIVE_STATES, COMPLETE_STATES or BROKEN_STATES.
        message: Why it ended, in a few words.
        phase: What an active trainer is doing.
        pid: The trainer's process id.
        pid_start_time: When that process began, as ``process_start_time`` says it.
        heartbeat: When this was written.
        epoch: The epoch being trained, from 1; 0 before the first.
        step: Batches done, over all epochs.
        total_steps: Batches in the whole run.
        result: The result, once the run is finished or stopped.
    """

    state: WaitingState | ActiveState | CompleteState | BrokenState
    message: str = ""
    phase: Phase = "loading"
    pid: int = 0
    pid_start_time: Moment = 0.0
    heartbeat: Moment = 0.0
    epoch: Epoch = 0
    step: Step = 0
    total_steps: Step = 0
    result: RunResult | None = None


class QueueRecord(Struct, frozen=True, kw_only=True):
    """The content of queue.json, which a run has from when it is queued until it has ended.

    Attributes:
        rank: Its place among those that wait: the smallest is the next.
        cluster: The address of the Dask scheduler whose workers train it; empty for this machine.
        minutes: After how many it stops itself, pauses included; None for no limit.
        attempts: How often a trainer ended unexpectedly since the last whole epoch.
        epoch: The epochs that were whole at the last of these.
    """

    rank: Annotated[float, Meta(ge=-1e12, le=1e12)]
    cluster: Annotated[str, Meta(max_length=200)] = ""
    minutes: Annotated[float, Meta(gt=0, lt=100_000)] | None = None
    attempts: Annotated[int, Meta(ge=0, le=1_000)] = 0
    epoch: Epoch = 0


class Member(Struct, frozen=True, kw_only=True):
    """The content of a run's experiment.json: which experiment it belongs to.

    Attributes:
        experiment: The name of the experiment.
        number: Its number among the runs of the experiment, from 1.
    """

    experiment: Annotated[str, Meta(pattern=rf"^{RUN_NAME.pattern}\Z")]
    number: Annotated[int, Meta(ge=1, le=10_000)]


class HandwritingRecord(Struct, frozen=True, kw_only=True):
    """What a run that learns drawings begins with.

    Attributes:
        begun_from: The name of the run whose weights it begins from, at that time.
        learned: How many drawings it learns from.
        set_aside: How many it does not, to be tested on.
    """

    begun_from: Annotated[str, Meta(pattern=rf"^{RUN_NAME.pattern}\Z")]
    learned: Annotated[int, Meta(ge=1, le=10_000)]
    set_aside: Annotated[int, Meta(ge=1, le=10_000)]


class RunRecord(Struct, frozen=True, kw_only=True):
    """What config.json holds beside the settings.

    Attributes:
        created_at: When the training began.
        device: What it was trained on, in words; empty until Keras is loaded.
        precision: Keras's dtype policy, for example ``float32``.
        onednn: Whether TensorFlow was told to use oneDNN; None if that was left to TensorFlow.
        versions: Of Python, Keras, its backend and NumPy.
        dataset: What it learned from; runs from before there were others name none, and mean MNIST.
        handwriting: What a run that learns drawings begins with; None for all others.
    """

    created_at: Moment = 0.0
    device: str = ""
    precision: str = ""
    onednn: bool | None = None
    versions: dict[str, str] = {}
    dataset: DatasetDescription = MNIST_DESCRIPTION
    handwriting: HandwritingRecord | None = None


class Row(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A line of metrics.jsonl; its ``kind`` says which of the three kinds of row it is.

    Attributes:
        epoch: The epoch being trained, from 1.
        step: Batches done, over all epochs.
        elapsed_s: Seconds of training so far, without pauses and interruptions.
    """

    epoch: Epoch
    step: Step
    elapsed_s: Seconds


class BatchRow(Row, frozen=True, kw_only=True, tag="batch"):
    """Metrics of the batches since the previous row. None means not a number.

    Attributes:
        loss: Mean cross-entropy, in nats.
        accuracy: Share of their images that were predicted correctly.
        learning_rate: The learning rate of the last of these batches.
        images_per_s: Training images per second.
    """

    loss: Loss | None
    accuracy: BatchAccuracy | None
    learning_rate: LearningRate
    images_per_s: ImagesPerSecond | None


class EpochRow(Row, frozen=True, kw_only=True, tag="epoch"):
    """Metrics of an epoch and its evaluation. None means not a number or not measured.

    Attributes:
        complete: Whether all its batches were trained.
        train_loss: Mean loss over the training images during the epoch.
        train_accuracy: Mean accuracy over the same.
        validation_loss: Loss on the training images set aside, if there are any.
        validation_accuracy: Accuracy on the same.
        test_loss: Loss on the test images.
        test_accuracy: Accuracy on the same.
        misclassified: Number of misclassified test images.
        rate_factor: The learning rate used, divided by the scheduled one.
        seconds: Time of its batches, without pauses and without its evaluation.
        trained_on: The machine, by its host's name and its processor, if it was one of a cluster; else ``""``.
    """

    complete: bool = True
    train_loss: Loss | None
    train_accuracy: Share | None
    validation_loss: Loss | None = None
    validation_accuracy: Share | None = None
    test_loss: Loss | None
    test_accuracy: Share
    misclassified: TestImages
    rate_factor: RateFactor = 1.0
    seconds: Seconds
    trained_on: MachineName = ""

    @property
    def name(self) -> str:
        """Its number, marked if the epoch was stopped."""
        return f"{self.epoch}" if self.complete else f"{self.epoch} (stopped)"


class EventRow(Row, frozen=True, kw_only=True, tag="event"):
    """Something that happened to the training.

    Attributes:
        event: ``continued``, ``paused``, ``resumed``, ``stopped`` or ``learning_rate``.
        learning_rate: The learning rate from then on.
    """

    event: str
    learning_rate: LearningRate


@dataclass(frozen=True)
class RunSnapshot:
    """A run at one moment, read without ever raising.

    Attributes:
        run_id: The folder's name.
        bundled: Whether it ships with the project.
        state: As in Status, or ``damaged``.
        message: The reason for the state, in one line.
        config: The settings, unless config.json is unreadable.
        record: The rest of config.json.
        status: status.json as written, unless unreadable.
        batches: "batch" rows of metrics.jsonl, oldest first.
        epochs: "epoch" rows of metrics.jsonl, oldest first.
        events: "event" rows of metrics.jsonl, oldest first: paused, resumed and so on.
    """

    run_id: str
    bundled: bool
    state: str
    message: str = ""
    config: TrainingConfig | None = None
    record: RunRecord = field(default_factory=RunRecord)
    status: Status | None = None
    batches: list[BatchRow] = field(default_factory=list)
    epochs: list[EpochRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        """Whether it is being trained now."""
        return self.state in ACTIVE_STATES

    @property
    def can_continue(self) -> bool:
        """Whether it ended before its last epoch and could be continued."""
        diverged = bool(self.batches) and self.batches[-1].loss is None  # and would diverge again
        return self.state in UNFINISHED_STATES and self.config is not None and not self.bundled and not diverged

    @property
    def last_epoch(self) -> EpochRow | None:
        """The newest "epoch" row, or None."""
        return self.epochs[-1] if self.epochs else None

    @property
    def result(self) -> RunResult | None:
        """The result, or None before the run has ended."""
        return self.status.result if self.status else None


def read_config(path: Path) -> tuple[TrainingConfig, RunRecord]:
    """Read config.json: the settings, and what is recorded beside them.

    Raises:
        DamagedRunError: It is missing or not what a trainer writes.
    """
    return parse_config(read_json(path))


def read_record(path: Path, record: type[_Record]) -> _Record:
    """Read a file that holds one record.

    Raises:
        DamagedRunError: It is missing or holds something else.
    """
    return _convert(read_json(path), record, path.name)


def parse_config(values: dict[str, Any]) -> tuple[TrainingConfig, RunRecord]:
    """Return the content of config.json, checked.

    Raises:
        DamagedRunError: It is not what a trainer writes.
    """
    config, record = _parse_settings(values), _convert(values, RunRecord, "config.json")
    dataset = record.dataset
    if dataset.is_mnist and dataset != MNIST_DESCRIPTION:
        raise DamagedRunError("config.json describes MNIST wrongly")
    if (config.dataset, config.classes) != (dataset.name, dataset.classes):
        raise DamagedRunError("config.json names two data sets")
    if config.training_images > dataset.training_images:
        raise DamagedRunError("config.json names more training images than there are")
    if record.handwriting and not dataset.is_mnist:
        raise DamagedRunError("config.json has drawings of another data set than MNIST")
    return config, record


def _parse_settings(values: dict[str, Any]) -> TrainingConfig:
    settings = values.get("settings")
    if not isinstance(settings, dict):
        raise DamagedRunError("config.json holds no settings")
    try:
        return TrainingConfig.from_dict(settings)
    except ConfigError as error:
        raise DamagedRunError(f"config.json: {error}") from error


def _convert(values: dict[str, Any], record: type[_Record], file: str) -> _Record:
    try:
        return msgspec.convert(values, record)
    except msgspec.ValidationError as error:
        name = re.search(r"(\w+)`$", str(error))  # "Expected `int`, got `str` - at `$.result.epochs`"
        if "missing required" in str(error) and name:
            raise DamagedRunError(f"{file} has no {name[1]}") from error
        raise DamagedRunError(f"{file} has a wrong value{f', at {name[1]}' if name else ''}") from error


_rows = msgspec.json.Decoder(BatchRow | EpochRow | EventRow)


def decode_row(line: bytes) -> BatchRow | EpochRow | EventRow:
    """Return one line of metrics.jsonl as a row.

    Raises:
        ValueError: It is not a row that a trainer writes.
    """
    try:
        return _rows.decode(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        DamagedRunError: It is missing, unreadable or holds something else.
    """
    try:
        content = read_file(path)
    except (FileNotFoundError, ValueError) as error:  # or a name that is not possible
        raise DamagedRunError(f"{path.name} is missing") from error
    except OSError as error:
        raise DamagedRunError(f"{path.name} cannot be read: {error.strerror}") from error
    return parse_json(content, path.name)


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """Parse the content of a file of this name as a JSON object.

    Raises:
        DamagedRunError: It is something else.
    """
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested too deeply
        raise DamagedRunError(f"{name} is not JSON") from error
    if not isinstance(value, dict):
        raise DamagedRunError(f"{name} is not a JSON object")
    return value


def write_json(path: Path, value: object) -> None:
    """Replace a file in one step, so that a reader sees either the old or the new one."""
    write_whole(path, lambda temporary: temporary.write_text(to_json(value), encoding="utf-8"))


def to_json(value: object) -> str:
    """Return a record, or a dictionary of records, as readable JSON."""
    # msgspec's encoder fails at lone surrogates, and an error message may name a file that has them.
    return json.dumps(msgspec.to_builtins(value), indent=1) + "\n"
