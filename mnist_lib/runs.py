"""The run directory: the one interface between a training and whoever looks at it.

Training writes a folder; every screen, browser tab and command reads it. A reader
trusts nothing: a half-written line, a missing file or a dead process gives a clear
state and a reason, never an exception on a screen.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import is_zipfile

import numpy as np
from filelock import FileLock, Timeout

from mnist_lib.config import ConfigError, TrainingConfig
from mnist_lib.evaluation import compress_probabilities
from mnist_lib.machine import is_same_process, process_start_time

BUNDLED_RUNS_PATH = Path(__file__).parent / "assets" / "runs"

ACTIVE_STATES = ("starting", "running", "paused", "stopping")
ENDED_STATES = ("finished", "stopped", "failed", "interrupted")

# A live trainer writes its status several times a second, but says nothing while
# TensorFlow loads or a slow machine computes one large batch.
HEARTBEAT_TIMEOUT_S = 120.0


class RunStoreError(Exception):
    """The runs folder cannot be used as asked. The message is one line."""


class TrainingRefusedError(RunStoreError):
    """A training already runs in this store. The message names it."""


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


class LayerRow(NamedTuple):
    """One row of Table I.

    Attributes:
        name: The layer's name in the model.
        kind: Its type and settings in words.
        output_shape: Without the batch dimension, for example (26, 26, 32).
        parameters: Number of trained values.
        arithmetic: How the output or the parameter count comes about.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    arithmetic: str


@dataclass(frozen=True)
class RunRecord:
    """The facts that config.json holds beside the settings.

    Attributes:
        created_at: Seconds since the epoch.
        device: What it was trained on, in words; empty until Keras is loaded.
        precision: Keras's dtype policy, for example ``float32``.
        versions: Of Python, Keras, its backend and NumPy.
        layers: Table I of the network trained.
    """

    created_at: float = 0.0
    device: str = ""
    precision: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    layers: tuple[LayerRow, ...] = ()


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

    @property
    def is_active(self) -> bool:
        """Whether a trainer works on it now."""
        return self.state in ACTIVE_STATES

    @property
    def last_epoch(self) -> dict[str, Any] | None:
        """The newest "epoch" row, or None."""
        return self.epochs[-1] if self.epochs else None

    @property
    def result(self) -> dict[str, Any]:
        """What ``train --json`` printed at the end; empty before."""
        return (self.status.result if self.status else None) or {}


class Run:
    """One run directory, to write while training and to read at any time."""

    def __init__(self, path: Path, bundled: bool = False) -> None:
        self.path = path
        self.bundled = bundled

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def model_path(self) -> Path:
        """Where the finished or stopped model is kept."""
        return self.path / "model.keras"

    @property
    def log_path(self) -> Path:
        """Where the trainer's output and its traceback go."""
        return self.path / "trainer.log"

    def weights_path(self, epoch: int) -> Path:
        """Where the weights after an epoch (from 1) are kept."""
        return self.path / "epochs" / f"{epoch:03d}.weights.h5"

    def probabilities_path(self, epoch: int) -> Path:
        """Where the test probabilities after an epoch (from 1) are kept."""
        return self.path / "epochs" / f"{epoch:03d}.npz"

    # Writing: the trainer alone, but for control.json.

    def write_config(self, config: TrainingConfig, record: RunRecord) -> None:
        """Write the settings and the facts recorded beside them."""
        layers = [layer._asdict() for layer in record.layers]
        values = {"settings": config.to_dict(), **asdict(record), "layers": layers}
        _write_json(self.path / "config.json", values)

    def write_status(self, status: Status) -> None:
        """Replace status.json in one step, stamped with the present time."""
        _write_json(self.path / "status.json", asdict(replace(status, heartbeat=time.time())))

    def fail(self, reason: str) -> None:
        """Mark the run as failed, as well as the folder still allows."""
        with suppress(OSError, DamagedRunError):
            self.write_status(replace(self.read_status(), state="failed", message=reason))

    def append_metrics(self, row: dict[str, Any]) -> dict[str, Any]:
        """Append one row and return it as written: numbers that are not finite become null."""
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(finite) + "\n")
        return finite

    def save_probabilities(self, epoch: int, probabilities: np.ndarray) -> None:
        """Keep the test probabilities after an epoch.

        Args:
            epoch: From 1.
            probabilities: float32, (10000, 10), 0 to 1; stored as float16.
        """
        path = self.probabilities_path(epoch)
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.savez_compressed(file, probabilities=compress_probabilities(probabilities))
        temporary.replace(path)

    def request_stop(self) -> None:
        """Ask the trainer to end between two batches and keep the model.

        Raises:
            RunStoreError: The folder is gone or cannot be written.
        """
        try:
            _write_json(self.path / "control.json", {"stop": True})
        except OSError as error:
            raise RunStoreError(f"Cannot write to {self.path}: {error.strerror}.") from error

    def stop_requested(self) -> bool:
        """Tell whether control.json asks for the end."""
        try:
            return bool(_read_json(self.path / "control.json").get("stop"))
        except DamagedRunError:
            return False

    # Reading.

    def read(self) -> RunSnapshot:
        """Return the run as it stands. Never raises: what is wrong is in the message."""
        snapshot = RunSnapshot(self.run_id, self.bundled, "damaged")
        try:
            if not self.path.is_dir():
                raise DamagedRunError("the folder is gone")
            values = _read_json(self.path / "config.json")
            snapshot = replace(snapshot, config=_parse_settings(values), record=_parse_record(values))
            status = self.read_status()
            snapshot = replace(snapshot, status=status)
            batches, epochs = self._read_metrics(may_be_cut=status.state not in ("finished", "stopped"))
            snapshot = replace(snapshot, batches=batches, epochs=epochs)
            if status.state in ("finished", "stopped"):
                self._check_complete(status, epochs)
            return replace(snapshot, state=status.state, message=status.message)
        except (DamagedRunError, OSError) as error:
            return replace(snapshot, message=str(error))

    def read_status(self) -> Status:
        """Return status.json, with a run whose trainer is gone marked as interrupted.

        Raises:
            DamagedRunError: The file is missing or not what a trainer writes.
        """
        written = _read_json(self.path / "status.json")
        known = {item.name for item in fields(Status)}
        try:
            status = Status(**{name: value for name, value in written.items() if name in known})
        except TypeError as error:
            raise DamagedRunError("status.json names no state") from error
        numbers = (status.pid_start_time, status.heartbeat, status.epoch, status.step, status.total_steps)
        if (
            status.state not in ACTIVE_STATES + ENDED_STATES
            or not all(_is_number(value) for value in numbers)
            or not all(isinstance(value, int) for value in (status.epoch, status.step, status.total_steps))
            or not isinstance(status.message, str)
            or not isinstance(status.result, (dict, type(None)))
            or not _is_number((status.result or {}).get("train_seconds", 0.0))
        ):
            raise DamagedRunError("status.json is not what a trainer writes")
        if status.state not in ACTIVE_STATES:
            return status
        if not is_same_process(status.pid, status.pid_start_time):
            return replace(status, state="interrupted", message="the trainer ended without a word")
        silence_s = time.time() - status.heartbeat
        if silence_s > HEARTBEAT_TIMEOUT_S:
            return replace(
                status, state="interrupted", message=f"no sign of life from the trainer for {silence_s:.0f} s"
            )
        return status

    def epochs_with_weights(self) -> list[int]:
        """Return the epochs whose weights were kept, in order."""
        return self._kept_epochs(".weights.h5")

    def has_model(self) -> bool:
        """Tell whether there is a model to read digits with, be it that of an epoch."""
        return self.model_path.is_file() or bool(self.epochs_with_weights())

    def epochs_with_probabilities(self) -> list[int]:
        """Return the epochs whose test probabilities were kept, in order."""
        return self._kept_epochs(".npz")

    def probabilities(self, epoch: int | None = None) -> np.ndarray:
        """Return the test probabilities after an epoch, the newest by default.

        Returns:
            float32, (10000, 10), 0 to 1.

        Raises:
            DamagedRunError: There are none, or the file is unreadable.
        """
        kept = self.epochs_with_probabilities()
        if epoch is None and not kept:
            raise DamagedRunError(f"{self.run_id} has not finished an epoch")
        path = self.probabilities_path(kept[-1] if epoch is None else epoch)
        try:
            with np.load(path, allow_pickle=False) as archive:
                stored = archive["probabilities"]
        except Exception as error:  # NumPy and zipfile raise many types for a bad file
            raise DamagedRunError(f"epochs/{path.name} is missing or unreadable") from error
        if stored.shape != (10_000, 10) or stored.dtype != np.float16 or not np.isfinite(stored).all():
            raise DamagedRunError(f"epochs/{path.name} does not hold 10,000 x 10 probabilities")
        return stored.astype(np.float32)

    def _kept_epochs(self, ending: str) -> list[int]:
        try:
            names = os.listdir(self.path / "epochs")
        except OSError:
            return []
        return sorted(
            int(name.removesuffix(ending))
            for name in names
            if name.endswith(ending) and name.removesuffix(ending).isdecimal()
        )

    def _read_metrics(self, may_be_cut: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Parse metrics.jsonl; the last line of a run that did not end may be half written."""
        path = self.path / "metrics.jsonl"
        if not path.exists() and may_be_cut:
            return [], []
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise DamagedRunError(f"metrics.jsonl cannot be read: {error.strerror}") from error
        unfinished = lines.pop()
        if unfinished and not may_be_cut:
            raise DamagedRunError("metrics.jsonl is cut off in its last line")
        rows: dict[str, list[dict[str, Any]]] = {"batch": [], "epoch": []}
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                required = _ROW_NUMBERS[row["kind"]]
                if not all(_is_number(row[name]) or (row[name] is None and name in _MAY_BE_NULL) for name in required):
                    raise ValueError
                rows[row["kind"]].append(row)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise DamagedRunError(f"metrics.jsonl, line {number}, is not a row of figures") from error
        return rows["batch"], rows["epoch"]

    def _check_complete(self, status: Status, epochs: list[dict[str, Any]]) -> None:
        if len(epochs) != status.epoch:
            raise DamagedRunError(f"metrics.jsonl holds {len(epochs)} of {status.epoch} epochs")
        if not self.model_path.is_file():
            raise DamagedRunError("model.keras is missing")
        if not is_zipfile(self.model_path):
            raise DamagedRunError("model.keras is not a Keras model")
        if status.epoch not in self.epochs_with_probabilities():
            raise DamagedRunError(f"epochs/{status.epoch:03d}.npz is missing")


class RunStore:
    """The folder of this machine's runs, and beside it those that ship with the project."""

    def __init__(self, root: Path, bundled_root: Path | None = None) -> None:
        self.root = root
        self.bundled_root = bundled_root or BUNDLED_RUNS_PATH

    @classmethod
    def default(cls) -> RunStore:
        """Return the store at MNIST_RUNS_DIR, else ./runs."""
        return cls(Path(os.environ.get("MNIST_RUNS_DIR") or "runs").absolute())

    def runs(self) -> list[Run]:
        """Return every run, the newest first, the bundled ones last."""
        return self.own_runs() + self.bundled_runs()

    def own_runs(self) -> list[Run]:
        """Return the runs of this machine, the newest first."""
        return [Run(path) for path in _folders(self.root)]

    def bundled_runs(self) -> list[Run]:
        """Return the runs that ship with the project."""
        return [Run(path, bundled=True) for path in _folders(self.bundled_root)]

    def find(self, run_id: str) -> Run | None:
        """Return the run of that name, or None."""
        return next((run for run in self.runs() if run.run_id == run_id), None)

    def active_run(self) -> Run | None:
        """Return the run that is being trained now, or None. Reads one or two small files."""
        try:
            run_id = _read_json(self.root / ".training.json").get("run_id")
            run = Run(self.root / str(run_id))
            return run if run.read_status().state in ACTIVE_STATES else None
        except DamagedRunError:
            return None

    @contextmanager
    def training(self, config: TrainingConfig, run_id: str | None = None) -> Iterator[Run]:
        """Claim the store for one training and make its run folder.

        The claim is a lock that the operating system drops when the process ends,
        however it ends.

        Args:
            config: The settings, for the folder's name.
            run_id: A name chosen before; otherwise one is made.

        Raises:
            TrainingRefusedError: Another training holds the claim.
            RunStoreError: The folder cannot be made or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / ".training.lock", blocking=False)
            lock.acquire()
        except Timeout as error:
            running = self.active_run()
            name = running.run_id if running else "another run"
            raise TrainingRefusedError(
                f"A training is already running: {name}. Wait for it to end, or stop it first."
            ) from error
        except OSError as error:
            raise self._cannot_write(error) from error
        try:
            try:
                run = self._make_run(config, run_id or self.new_run_id(config))
                _write_json(self.root / ".training.json", {"run_id": run.run_id})
            except OSError as error:
                raise self._cannot_write(error) from error
            yield run
        finally:
            lock.release()

    def new_run_id(self, config: TrainingConfig) -> str:
        """Return a name that no run has: the time, the preset and the seed."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{config.preset}-seed{config.seed}"
        taken = [path.name for path in _folders(self.root)]
        suffixes = [""] + [f"-{number}" for number in range(2, len(taken) + 3)]
        return next(name + suffix for suffix in suffixes if name + suffix not in taken)

    def _make_run(self, config: TrainingConfig, run_id: str) -> Run:
        """Make a run folder that is readable from its first moment on."""
        hidden = Run(self.root / f".{run_id}")
        (hidden.path / "epochs").mkdir(parents=True)
        hidden.write_config(config, RunRecord(created_at=time.time()))
        hidden.write_status(
            Status("starting", "loading TensorFlow", os.getpid(), process_start_time(), total_steps=config.total_steps)
        )
        return Run(hidden.path.rename(self.root / run_id))

    def _cannot_write(self, error: OSError) -> RunStoreError:
        return RunStoreError(f"Cannot write to the runs folder {self.root}: {error.strerror or error}.")


# What a row must hold for the screens to draw it.
_ROW_NUMBERS = {
    "batch": ("epoch", "step", "loss", "accuracy", "images_per_s", "elapsed_s"),
    "epoch": (
        "epoch", "step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "misclassified", "seconds",
    ),
}  # fmt: skip

# Null stands for "not a number", as the loss of a training that went astray.
_MAY_BE_NULL = {"loss", "accuracy", "train_loss", "train_accuracy", "test_loss", "images_per_s"}


def _folders(root: Path) -> list[Path]:
    try:
        paths = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(paths, key=lambda path: path.name, reverse=True)


def _parse_settings(values: dict[str, Any]) -> TrainingConfig:
    settings = values.get("settings")
    if not isinstance(settings, dict):
        raise DamagedRunError("config.json holds no settings")
    try:
        return TrainingConfig.from_dict(settings)
    except ConfigError as error:
        raise DamagedRunError(f"config.json: {error}") from error


def _parse_record(values: dict[str, Any]) -> RunRecord:
    try:
        layers = tuple(
            LayerRow(
                str(row["name"]),
                str(row["kind"]),
                tuple(int(size) for size in row["output_shape"]),
                int(row["parameters"]),
                str(row["arithmetic"]),
            )
            for row in values.get("layers", ())
        )
        return RunRecord(
            created_at=float(values.get("created_at", 0.0)),
            device=str(values.get("device", "")),
            precision=str(values.get("precision", "")),
            versions=dict(values.get("versions", {})),
            layers=layers,
        )
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise DamagedRunError("config.json is not what a trainer writes") from error


def _is_number(value: Any) -> bool:
    # Python's JSON reader also takes NaN, Infinity and whole numbers beyond any float.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300


def _read_json(path: Path) -> dict[str, Any]:
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


def _write_json(path: Path, value: dict[str, Any]) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)
