"""What the files of a run directory hold, and how a reader checks it before it trusts it.

Each record is a type whose fields say what they may be; msgspec checks that once, where a
file is read. The ranges are wider than what a trainer writes, and within what a table, a plot
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
from mnist_lib.storage.files import write_whole

ActiveState = Literal["starting", "running", "paused", "stopping"]
# It ended as it was asked to and kept its model, or it broke off.
CompleteState = Literal["finished", "stopped"]
BrokenState = Literal["failed", "interrupted"]

ACTIVE_STATES: tuple[str, ...] = get_args(ActiveState)
COMPLETE_STATES: tuple[str, ...] = get_args(CompleteState)
BROKEN_STATES: tuple[str, ...] = get_args(BrokenState)
ENDED_STATES = COMPLETE_STATES + BROKEN_STATES

# A run that ended in one of these left settings unfulfilled and can go on.
UNFINISHED_STATES = ("stopped", *BROKEN_STATES)

# What an active trainer does, in its order; the last two alternate.
Phase = Literal["loading", "tracing", "training", "evaluating"]

Moment = Annotated[float, Meta(ge=0, le=1e10)]  # seconds since the epoch, as far as every calendar goes
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Share = Annotated[float, Meta(ge=0, le=1)]
# Up to the largest float32. A mean over a few batches is the difference of two rounded sums, so
# that it may lie a little outside of its range.
Loss = Annotated[float, Meta(ge=-0.1, le=3.4e38)]
BatchAccuracy = Annotated[float, Meta(ge=-0.1, le=1.1)]
LearningRate = Annotated[float, Meta(ge=0, le=1e6)]
RateFactor = Annotated[float, Meta(ge=0, le=1e15)]
ImagesPerSecond = Annotated[float, Meta(ge=0, le=1e12)]
Epoch = Annotated[int, Meta(ge=0, le=1_000)]
Step = Annotated[int, Meta(ge=0, le=10**9)]
TestImages = Annotated[int, Meta(ge=0, le=10_000)]


class DamagedRunError(Exception):
    """A file of a run is missing or wrong. The message names the file."""


class RunResult(Struct, frozen=True, kw_only=True):
    """What a training reached, as ``train --json`` prints it.

    Attributes:
        run_id: The run's name then.
        state: ``finished`` or ``stopped``.
        epochs: Epochs trained, the last of them perhaps not whole.
        test_accuracy: After the last of them.
        test_loss: Mean cross-entropy in nats; None where it is not a number.
        misclassified: Of the 10,000 test images.
        train_seconds: From the call of fit to its return, without pauses.
        images_per_second: Training images, over all of that time.
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
    """What status.json holds: where a run stands.

    Attributes:
        state: One of ACTIVE_STATES or ENDED_STATES.
        message: Why it ended, in a few words.
        phase: What an active trainer does.
        pid: The trainer's process id.
        pid_start_time: When that process began.
        heartbeat: When this was written.
        epoch: The epoch being trained, from 1; 0 before the first.
        step: Batches done, over all epochs.
        total_steps: Batches the settings ask for.
        result: What it reached, at the end.
    """

    state: ActiveState | CompleteState | BrokenState
    message: str = ""
    phase: Phase = "loading"
    pid: int = 0
    pid_start_time: Moment = 0.0
    heartbeat: Moment = 0.0
    epoch: Epoch = 0
    step: Step = 0
    total_steps: Step = 0
    result: RunResult | None = None


class RunRecord(Struct, frozen=True, kw_only=True):
    """The facts that config.json holds beside the settings.

    Attributes:
        created_at: When the training began.
        device: What it was trained on, in words; empty until Keras is loaded.
        precision: Keras's dtype policy, for example ``float32``.
        versions: Of Python, Keras, its backend and NumPy.
    """

    created_at: Moment = 0.0
    device: str = ""
    precision: str = ""
    versions: dict[str, str] = {}


class Row(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every line of metrics.jsonl holds; its ``kind`` says which of the three rows it is.

    Attributes:
        epoch: The epoch being trained, from 1.
        step: Batches done, over all epochs.
        elapsed_s: Since the training began, over all sittings, without pauses.
    """

    epoch: Epoch
    step: Step
    elapsed_s: Seconds


class BatchRow(Row, frozen=True, kw_only=True, tag="batch"):
    """The batches since the row before, alone. None stands for what is not a number.

    Attributes:
        loss: Mean cross-entropy, in nats.
        accuracy: Share of their images that was read correctly.
        learning_rate: That of the last of them.
        images_per_s: Training images.
    """

    loss: Loss | None
    accuracy: BatchAccuracy | None
    learning_rate: LearningRate
    images_per_s: ImagesPerSecond | None


class EpochRow(Row, frozen=True, kw_only=True, tag="epoch"):
    """An epoch and its evaluation. None stands for what is not a number, or was not measured.

    Attributes:
        complete: Whether all its batches were trained.
        train_loss: Mean over the training images while they were learned from.
        train_accuracy: The same of the accuracy.
        validation_loss: On the training images set aside, if there are any.
        validation_accuracy: The same of the accuracy.
        test_loss: On the 10,000 test images.
        test_accuracy: The same of the accuracy.
        misclassified: Test images.
        rate_factor: The learning rate used, divided by the scheduled one.
        seconds: Time of its batches, without pauses and without its evaluation.
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

    @property
    def name(self) -> str:
        """Its number, and that it was broken off where it was."""
        return f"{self.epoch}" if self.complete else f"{self.epoch} (stopped)"


class EventRow(Row, frozen=True, kw_only=True, tag="event"):
    """Something that happened to the training.

    Attributes:
        event: ``continued``, ``paused``, ``resumed``, ``stopped`` or ``learning_rate``.
        learning_rate: From then on.
    """

    event: str
    learning_rate: LearningRate


@dataclass(frozen=True)
class RunSnapshot:
    """A run as it stands at one moment, read without ever raising.

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
        """Whether a trainer works on it now."""
        return self.state in ACTIVE_STATES

    @property
    def can_continue(self) -> bool:
        """Whether it ended before its last epoch and a trainer could go on with it."""
        diverged = bool(self.batches) and self.batches[-1].loss is None  # and would do so again
        return self.state in UNFINISHED_STATES and self.config is not None and not self.bundled and not diverged

    @property
    def last_epoch(self) -> EpochRow | None:
        """The newest "epoch" row, or None."""
        return self.epochs[-1] if self.epochs else None

    @property
    def result(self) -> RunResult | None:
        """What it reached, or None before its end."""
        return self.status.result if self.status else None


def read_status(path: Path) -> Status:
    """Read status.json.

    Raises:
        DamagedRunError: It is missing or not what a trainer writes.
    """
    return _convert(read_json(path), Status, path.name)


def read_config(path: Path) -> tuple[TrainingConfig, RunRecord]:
    """Read config.json: the settings, and the facts recorded beside them.

    Raises:
        DamagedRunError: It is missing or not what a trainer writes.
    """
    values = read_json(path)
    return parse_settings(values), _convert(values, RunRecord, path.name)


def parse_settings(values: dict[str, Any]) -> TrainingConfig:
    """Check the settings among what config.json holds.

    Raises:
        DamagedRunError: There are none, or one is out of its range.
    """
    settings = values.get("settings")
    if not isinstance(settings, dict):
        raise DamagedRunError("config.json holds no settings")
    try:
        return TrainingConfig.from_dict(settings)
    except ConfigError as error:
        raise DamagedRunError(f"config.json: {error}") from error


_Record = TypeVar("_Record", bound=Struct)


def _convert(values: dict[str, Any], record: type[_Record], file: str) -> _Record:
    try:
        return msgspec.convert(values, record)
    except msgspec.ValidationError as error:
        name = re.search(r"(\w+)`$", str(error))  # "Expected `int`, got `str` - at `$.result.epochs`"
        if "missing required" in str(error) and name:
            raise DamagedRunError(f"{file} names no {name[1]}") from error
        raise DamagedRunError(f"{file} is not what a trainer writes{f', at {name[1]}' if name else ''}") from error


_rows = msgspec.json.Decoder(BatchRow | EpochRow | EventRow)


def decode_row(line: bytes) -> BatchRow | EpochRow | EventRow:
    """Return one line of metrics.jsonl as a row.

    Raises:
        ValueError: It is not a row that a trainer writes.
    """
    try:
        return _rows.decode(line)
    except RecursionError as error:
        raise ValueError("nested without end") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        DamagedRunError: It is missing, unreadable or holds something else.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, ValueError) as error:  # or a name that no file can have
        raise DamagedRunError(f"{path.name} is missing") from error
    except OSError as error:
        raise DamagedRunError(f"{path.name} cannot be read: {error.strerror}") from error
    return parse_json(content, path.name)


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """Parse the JSON object that a file of this name holds.

    Raises:
        DamagedRunError: It holds something else.
    """
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise DamagedRunError(f"{name} is not JSON") from error
    if not isinstance(value, dict):
        raise DamagedRunError(f"{name} is not a JSON object")
    return value


def write_json(path: Path, value: object) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one."""
    write_whole(path, lambda temporary: temporary.write_text(to_json(value), encoding="utf-8"))


def to_json(value: object) -> str:
    """Return a record, or a dictionary of such, as readable JSON."""
    # Not msgspec's own: it writes no half characters, and a failure may name a file that has them.
    return json.dumps(msgspec.to_builtins(value), indent=1) + "\n"
