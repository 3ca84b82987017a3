"""What the files of a run directory hold, and how a reader checks it before it trusts it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lib.config import ConfigError, TrainingConfig
from mnist_lib.storage.files import write_whole

ACTIVE_STATES = ("starting", "running", "paused", "stopping")
# It ended as it was asked to and kept its model, or it broke off.
COMPLETE_STATES = ("finished", "stopped")
BROKEN_STATES = ("failed", "interrupted")
ENDED_STATES = COMPLETE_STATES + BROKEN_STATES

# A run that ended in one of these left settings unfulfilled and can go on.
UNFINISHED_STATES = ("stopped", *BROKEN_STATES)


class DamagedRunError(Exception):
    """A file of a run is missing or wrong. The message names the file."""


@dataclass(frozen=True)
class Status:
    """What status.json holds: where a run stands.

    Attributes:
        state: One of ACTIVE_STATES or ENDED_STATES.
        message: What is happening or why it ended, in a few words.
        pid: The trainer's process id.
        pid_start_time: When that process began, seconds since the epoch.
        heartbeat: When this was written, seconds since the epoch.
        epoch: The epoch being trained, from 1; 0 before the first.
        step: Batches done, over all epochs.
        total_steps: Batches the settings ask for.
        result: At the end, what ``train --json`` prints.
    """

    state: str
    message: str = ""
    pid: int = 0
    pid_start_time: float = 0.0
    heartbeat: float = 0.0
    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class RunRecord:
    """The facts that config.json holds beside the settings.

    Attributes:
        created_at: Seconds since the epoch.
        device: What it was trained on, in words; empty until Keras is loaded.
        precision: Keras's dtype policy, for example ``float32``.
        versions: Of Python, Keras, its backend and NumPy.
    """

    created_at: float = 0.0
    device: str = ""
    precision: str = ""
    versions: dict[str, str] = field(default_factory=dict)


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
    record: RunRecord = RunRecord()
    status: Status | None = None
    batches: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        """Whether a trainer works on it now."""
        return self.state in ACTIVE_STATES

    @property
    def can_continue(self) -> bool:
        """Whether it ended before its last epoch and a trainer could go on with it."""
        diverged = bool(self.batches) and self.batches[-1]["loss"] is None  # and would do so again
        return self.state in UNFINISHED_STATES and self.config is not None and not self.bundled and not diverged

    @property
    def last_epoch(self) -> dict[str, Any] | None:
        """The newest "epoch" row, or None."""
        return self.epochs[-1] if self.epochs else None

    @property
    def result(self) -> dict[str, Any]:
        """What ``train --json`` printed at the end; empty before."""
        return (self.status.result if self.status else None) or {}


def parse_status(written: dict[str, Any]) -> Status:
    """Check the contents of status.json.

    Raises:
        DamagedRunError: It is not what a trainer writes.
    """
    known = {item.name for item in fields(Status)}
    try:
        status = Status(**{name: value for name, value in written.items() if name in known})
    except TypeError as error:
        raise DamagedRunError("status.json names no state") from error
    if (
        status.state not in ACTIVE_STATES + ENDED_STATES
        or not isinstance(status.message, str)
        or not isinstance(status.result, (dict, type(None)))
    ):
        raise DamagedRunError("status.json is not what a trainer writes")
    _require_ranges("status.json", written)
    _require_ranges("status.json", status.result or {})
    return status


def _require_ranges(file: str, values: dict[str, Any]) -> None:
    """Raise unless every number that has a range is within it."""
    for name in _NUMBERS.keys() & values.keys():
        if not _in_range(name, values[name]) and not (values[name] is None and name in _MAY_BE_NULL):
            raise DamagedRunError(f"{file} is not what a trainer writes, at {name}")


def parse_settings(values: dict[str, Any]) -> TrainingConfig:
    """Check the settings in config.json.

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


def parse_record(values: dict[str, Any]) -> RunRecord:
    """Check the rest of config.json.

    Raises:
        DamagedRunError: It is not what a trainer writes.
    """
    record = RunRecord(**{item.name: values[item.name] for item in fields(RunRecord) if item.name in values})
    _require_ranges("config.json", values)
    if (
        not isinstance(record.device, str)
        or not isinstance(record.precision, str)
        or not isinstance(record.versions, dict)
    ):
        raise DamagedRunError("config.json is not what a trainer writes")
    return record


# What a row of metrics.jsonl must hold for the screens to draw it.
_ROW_NUMBERS = {
    "batch": ("epoch", "step", "loss", "accuracy", "learning_rate", "images_per_s", "elapsed_s"),
    "epoch": (
        "epoch", "step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "misclassified", "seconds",
        "elapsed_s",
    ),
    "event": ("epoch", "step", "elapsed_s", "learning_rate"),
}  # fmt: skip

# Null stands for "not a number", as the loss of a training that went astray.
_MAY_BE_NULL = {"loss", "accuracy", "train_loss", "train_accuracy", "test_loss", "images_per_s"}
_MAY_BE_MISSING = {"validation_loss", "validation_accuracy", "rate_factor"}


class _Range(NamedTuple):
    """What a number may be; a whole one is no float, not even 2.0."""

    minimum: float
    maximum: float
    whole: bool = False


_MOMENT = _Range(0, 1e10)  # seconds since the epoch, as far as every calendar goes
_SECONDS = _Range(0, 1e9)
_SHARE = _Range(0, 1)
# Up to the largest float32. A mean over a few batches is the difference of two rounded sums, so
# that it may lie a little outside of its range.
_LOSS = _Range(-0.1, 3.4e38)
_EPOCH = _Range(0, 1_000, whole=True)
_STEP = _Range(0, 10**9, whole=True)

# Every number that a file of a run holds, wherever it stands in it. The ranges are wider than what
# a trainer writes, and within what a table, a plot and a calendar can show.
_NUMBERS = {
    "created_at": _MOMENT,
    "pid_start_time": _MOMENT,
    "heartbeat": _MOMENT,
    "epoch": _EPOCH,
    "epochs": _EPOCH,
    "step": _STEP,
    "total_steps": _STEP,
    "misclassified": _Range(0, 10_000, whole=True),
    "loss": _LOSS,
    "train_loss": _LOSS,
    "test_loss": _LOSS,
    "validation_loss": _LOSS,
    "accuracy": _Range(-0.1, 1.1),  # of a few batches, too
    "train_accuracy": _SHARE,
    "test_accuracy": _SHARE,
    "validation_accuracy": _SHARE,
    "learning_rate": _Range(0, 1e6),
    "rate_factor": _Range(0, 1e9),
    "images_per_s": _Range(0, 1e12),
    "images_per_second": _Range(0, 1e12),
    "elapsed_s": _SECONDS,
    "seconds": _SECONDS,
    "train_seconds": _SECONDS,
}


def parse_row(line: bytes) -> dict[str, Any]:
    """Check one line of metrics.jsonl.

    Raises:
        ValueError: It is not a row that a trainer writes.
    """
    try:
        row = json.loads(line)
        required = _ROW_NUMBERS[row["kind"]]
        good = all(_in_range(name, row[name]) or (row[name] is None and name in _MAY_BE_NULL) for name in required)
        good &= all(row.get(name) is None or _in_range(name, row[name]) for name in _MAY_BE_MISSING)
        good &= row["kind"] != "event" or isinstance(row["event"], str)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a row") from error
    if not good:
        raise ValueError("not a row")
    return row


def finite_or_null(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with null for each number that JSON cannot say."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()
    }


def _in_range(name: str, value: Any) -> bool:
    """Tell whether a value is a number that may stand under this name."""
    allowed = _NUMBERS[name]
    # Python's JSON reader also takes NaN, Infinity and whole numbers beyond any float.
    right_type = isinstance(value, int if allowed.whole else (int, float)) and not isinstance(value, bool)
    return right_type and allowed.minimum <= value <= allowed.maximum


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        DamagedRunError: It is missing, unreadable or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedRunError(f"{path.name} is missing") from error
    except OSError as error:
        raise DamagedRunError(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested without end
        raise DamagedRunError(f"{path.name} is not JSON") from error
    if not isinstance(value, dict):
        raise DamagedRunError(f"{path.name} is not a JSON object")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one."""
    text = json.dumps(value, indent=1) + "\n"
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
