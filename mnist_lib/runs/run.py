"""The run directory: the only interface between a training and its readers.

Training writes a folder; every screen, browser tab and command reads it. A reader
trusts nothing: a half-written line, a missing file or a dead process gives a clear
state and a reason, never an exception on a screen.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar
from zipfile import is_zipfile

import msgspec
import numpy as np

from mnist_lib.access import Visitor
from mnist_lib.config import SETTINGS, TrainingConfig
from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.evaluation.predictions import compress_probabilities
from mnist_lib.machine import is_same_process
from mnist_lib.runs.records import (
    ACTIVE_STATES,
    COMPLETE_STATES,
    BatchRow,
    DamagedRunError,
    EpochRow,
    EventRow,
    Member,
    QueueRecord,
    RunRecord,
    RunSnapshot,
    Status,
    decode_row,
    read_config,
    read_json,
    read_record,
    to_json,
    write_json,
)
from mnist_lib.storage.files import UNFINISHED, file_stamp, read_file, write_whole

# A live trainer writes its status several times per second, but writes nothing while
# Keras loads or a slow machine computes one large batch.
HEARTBEAT_TIMEOUT_S = 120.0

MAX_NOTE_LENGTH = 2_000


_Row = TypeVar("_Row", BatchRow, EpochRow, EventRow)
_Record = TypeVar("_Record", bound=msgspec.Struct)


class RunStoreError(Exception):
    """The runs folder cannot be used as requested. The message is one line."""


class NotAllowedError(RunStoreError):
    """The visitor may not do that here."""


class Controls(NamedTuple):
    """What control.json requests of the trainer.

    Attributes:
        paused: Whether to pause until this is false again.
        stop: Whether to end and save the model.
        learning_rate: A new learning rate from now on, or None.
        asked_at: When that rate was requested, seconds since the epoch, so that the same
            rate can be requested twice.
        reason: Why it is to stop, for whoever did not ask for it; mostly "".
    """

    paused: bool = False
    stop: bool = False
    learning_rate: float | None = None
    asked_at: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """One run directory, written while training and readable at any time.

    Attributes:
        path: The folder. Its name is the run's name.
        bundled: Whether it ships with the project and is read-only.
    """

    path: Path
    bundled: bool = False

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def model_path(self) -> Path:
        """Where the finished or stopped model is kept."""
        return self.path / "model.keras"

    @property
    def live_path(self) -> Path:
        """Where the newest weights are while the network is trained."""
        return self.path / "live.npz"

    @property
    def drawings_path(self) -> Path:
        """Where the drawings are that a run of a person's handwriting learns, or is tested on."""
        return self.path / "drawings.npz"

    @property
    def start_path(self) -> Path:
        """Where the weights are that such a run begins from."""
        return self.path / "start.npz"

    @property
    def log_path(self) -> Path:
        """Where the trainer's output and its traceback go."""
        return self.path / "trainer.log"

    @property
    def note_path(self) -> Path:
        """Where a person's note about the run is kept."""
        return self.path / "note.txt"

    @property
    def owner_path(self) -> Path:
        """Where it is kept who started or loaded the run, if it was a pupil or a teacher."""
        return self.path / "owner.json"

    @property
    def queue_path(self) -> Path:
        """Where it is kept that the run is in the queue, and its place in it."""
        return self.path / "queue.json"

    @property
    def member_path(self) -> Path:
        """Where it is kept which experiment the run belongs to, if it belongs to one."""
        return self.path / "experiment.json"

    @property
    def published_path(self) -> Path:
        """An empty file, if the run is shown in public."""
        return self.path / "published"

    def weights_path(self, epoch: int) -> Path:
        """Where the weights after an epoch (from 1) are kept."""
        return self.path / "epochs" / f"{epoch:03d}.weights.h5"

    def probabilities_path(self, epoch: int) -> Path:
        """Where the test probabilities after an epoch (from 1) are kept."""
        return self.path / "epochs" / f"{epoch:03d}.npz"

    def checkpoint_path(self, epoch: int) -> Path:
        """Where the weights after an epoch are kept together with the optimizer's state."""
        return self.path / f"checkpoint-{epoch:03d}.weights.h5"

    # Writing: only the trainer, except for what screens write through ``RunStore``, which asks who they may be.

    def write_config(self, config: TrainingConfig, record: RunRecord) -> None:
        """Write the settings and what is recorded beside them."""
        write_json(self.path / "config.json", {"settings": config.to_dict(), **msgspec.structs.asdict(record)})

    def write_status(self, status: Status) -> None:
        """Replace status.json in one step, with the current time as its heartbeat."""
        write_json(self.path / "status.json", msgspec.structs.replace(status, heartbeat=time.time()))

    def fail(self, reason: str) -> None:
        """Mark the run as failed, as well as the folder still allows."""
        with suppress(OSError, DamagedRunError):
            status = msgspec.structs.replace(self.read_status(), state="failed", message=reason)
            try:
                self.write_status(status)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                # A full disk has no room for a new file, but the old one can be overwritten.
                (self.path / "status.json").write_text(to_json(status), encoding="utf-8")

    def append_metrics(self, row: _Row) -> _Row:
        """Append one row and return it as it will be read, with None for what is not a number."""
        line = msgspec.json.encode(row)
        with (self.path / "metrics.jsonl").open("ab") as file:
            file.write(line + b"\n")
        return msgspec.json.decode(line, type=type(row))

    def require_space(self, size: int) -> None:
        """Raise the error of a full disk unless there is room for this many bytes.

        HDF5, which writes the weights, does not survive a disk that gets full while it
        writes: it ends the whole process.
        """
        if shutil.disk_usage(self.path).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def save_probabilities(self, epoch: int, probabilities: np.ndarray) -> None:
        """Keep the test probabilities after an epoch.

        Args:
            epoch: From 1.
            probabilities: float32, (test images, classes), 0 to 1; stored as float16.
        """
        stored = compress_probabilities(probabilities)
        write_whole(
            self.probabilities_path(epoch), lambda temporary: np.savez_compressed(temporary, probabilities=stored)
        )

    def rewind(self, epoch: int) -> None:
        """Delete everything after an epoch, so that a trainer can continue from its end.

        Args:
            epoch: One of ``checkpoints()``, or 0 to start again.

        Raises:
            OSError: The folder cannot be written.
        """
        kept: list[bytes] = []
        for line in self._metrics_lines()[0] if epoch else []:
            kept.append(line)
            row = decode_row(line)
            if isinstance(row, EpochRow) and row.epoch == epoch:
                break
        content = b"".join(line + b"\n" for line in kept)
        write_whole(self.path / "metrics.jsonl", lambda temporary: temporary.write_bytes(content))
        for later in set(self.epochs_with_weights() + self.epochs_with_probabilities()):
            if later > epoch:
                self.weights_path(later).unlink(missing_ok=True)
                self.probabilities_path(later).unlink(missing_ok=True)
        # A later checkpoint whose row was never written would count as soon as the epoch has a row again.
        # The other files are left over from a killed trainer; older versions used other names.
        unwanted = ("model.keras", "live.npz", "checkpoint-*.weights.h5", f"{UNFINISHED}*", f"epochs/{UNFINISHED}*",
                    "unfinished.keras", "*.tmp", "epochs/*.tmp")  # fmt: skip
        for path in {path for pattern in unwanted for path in self.path.glob(pattern)} - {self.checkpoint_path(epoch)}:
            path.unlink(missing_ok=True)

    def request(
        self,
        paused: bool | None = None,
        stop: bool | None = None,
        learning_rate: float | None = None,
        reason: str = "",
    ) -> None:
        """Request something of the trainer; None leaves an earlier request as it is.

        Args:
            paused: Pause or resume.
            stop: End between two batches and save the model.
            reason: Why it is to stop; it becomes the run's message.
            learning_rate: The rate from now on, 1e-6 to 1. A schedule continues from there.

        Raises:
            RunStoreError: The folder is gone or cannot be written, or the rate is out of its range.
        """
        controls = self.read_controls()
        if paused is not None:
            controls = controls._replace(paused=paused)
        if stop is not None:
            controls = controls._replace(stop=stop, reason=reason)
        if learning_rate is not None:
            allowed = SETTINGS["learning_rate"]
            if not allowed.minimum <= learning_rate <= allowed.maximum:
                raise RunStoreError(f"{allowed.label} must be {allowed.text}, not {learning_rate!r}.")
            controls = controls._replace(learning_rate=learning_rate, asked_at=time.time())
        try:
            write_json(self.path / "control.json", controls._asdict())
        except OSError as error:
            raise RunStoreError(f"Cannot write to {self.path}: {error.strerror}.") from error

    def read_controls(self) -> Controls:
        """Return what control.json requests; nothing if it is missing or damaged."""
        try:
            asked = read_json(self.path / "control.json")
        except DamagedRunError:
            return Controls()
        rate, asked_at, reason = asked.get("learning_rate"), asked.get("asked_at"), asked.get("reason")
        allowed = SETTINGS["learning_rate"]
        if not isinstance(rate, float) or not allowed.minimum <= rate <= allowed.maximum:
            rate = None
        return Controls(
            asked.get("paused") is True,
            asked.get("stop") is True,
            rate,
            asked_at if isinstance(asked_at, float) else 0.0,
            reason if isinstance(reason, str) else "",
        )

    def write_note(self, text: str) -> None:
        """Save a person's note about the run; an empty text removes it.

        Args:
            text: At most ``MAX_NOTE_LENGTH`` characters.

        Raises:
            RunStoreError: It is too long, the run ships with the project, or the folder cannot be written.
        """
        text = text.strip()
        if self.bundled:
            raise RunStoreError("The run ships with the project and cannot have a note.")
        if len(text) > MAX_NOTE_LENGTH:
            raise RunStoreError(f"A note has at most {MAX_NOTE_LENGTH:,} characters, not {len(text):,}.")
        try:
            write_whole(self.note_path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        except OSError as error:
            raise RunStoreError(f"Cannot write to {self.path}: {error.strerror}.") from error

    def write_owner(self, owner: Visitor) -> None:
        """Record who started or loaded the run.

        Raises:
            OSError: The folder cannot be written.
        """
        write_json(self.owner_path, {"id": owner.visitor_id, "name": owner.name})

    # Reading.

    def read_owner(self) -> Visitor | None:
        """Return who started or loaded the run; None if that is not recorded."""
        try:
            recorded = read_json(self.owner_path)
        except DamagedRunError:
            return None
        visitor_id, name = recorded.get("id"), recorded.get("name")
        return Visitor(visitor_id, name) if isinstance(visitor_id, str) and isinstance(name, str) else None

    def read_queue_record(self) -> QueueRecord | None:
        """Return the run's place in the queue; None if it is in none. The file is read again only when it changed."""
        path = os.path.join(self.path, "queue.json")
        stamp = file_stamp(path)
        return _read_queue_record(path, stamp) if stamp else None

    def read_member(self) -> Member | None:
        """Return which experiment the run belongs to, or None. The file is read again only when it changed."""
        path = os.path.join(self.path, "experiment.json")
        stamp = file_stamp(path)
        return _read_member(path, stamp) if stamp else None

    def is_published(self) -> bool:
        """Tell whether the run is shown in public, as those that ship with the project are."""
        return self.bundled or self.published_path.is_file()

    def read_note(self) -> str:
        """Return a person's note about the run; empty if there is none or it cannot be read."""
        try:
            return read_file(self.note_path).decode(errors="replace")[:MAX_NOTE_LENGTH].strip()
        except OSError:
            return ""

    def read(self) -> RunSnapshot:
        """Return the run as it is now. Never raises: the message says what is wrong."""
        snapshot = RunSnapshot(self.run_id, self.bundled, "damaged")
        try:
            if not self.path.is_dir():
                raise DamagedRunError("the folder is gone")
            config, record = self.read_config()
            snapshot = replace(snapshot, config=config, record=record)
            status = self.read_status()
            snapshot = replace(snapshot, status=status)
            metrics = self._read_metrics(may_be_cut=status.state not in COMPLETE_STATES)
            snapshot = replace(snapshot, **metrics._asdict())
            counts = [row.misclassified for row in metrics.epochs]
            if max([*counts, status.result.misclassified if status.result else 0]) > record.dataset.test_images:
                raise DamagedRunError("more test images are misclassified than there are")
            if status.state in COMPLETE_STATES:
                self._check_complete(status, snapshot.epochs)
            return replace(snapshot, state=status.state, message=status.message)
        except (DamagedRunError, OSError) as error:
            return replace(snapshot, message=str(error))

    def read_config(self) -> tuple[TrainingConfig, RunRecord]:
        """Return what config.json holds: the settings, and what is recorded beside them.

        Raises:
            DamagedRunError: The file is missing or not what a trainer writes.
        """
        return read_config(self.path / "config.json")

    def dataset(self) -> DatasetDescription:
        """Return what config.json says of the data set; the file is read again only when it has changed.

        Raises:
            DamagedRunError: The file is missing or not what a trainer writes.
        """
        return _read_dataset(self, file_stamp(self.path / "config.json"))

    def read_status(self) -> Status:
        """Return status.json; a run whose trainer is gone, or its place in the queue, is marked as interrupted.

        Raises:
            DamagedRunError: The file is missing or not what a trainer writes.
        """
        path = os.path.join(self.path, "status.json")  # many times faster than pathlib's way
        status = _read_queued(path, *_identity(path)) or read_record(Path(path), Status)
        if status.state == "queued" and self.read_queue_record() is None:
            return msgspec.structs.replace(status, state="interrupted", message="it was taken out of the queue")
        if status.state not in ACTIVE_STATES:
            return status
        if not is_same_process(status.pid, status.pid_start_time):
            return msgspec.structs.replace(status, state="interrupted", message="the trainer ended unexpectedly")
        silence_s = time.time() - status.heartbeat
        if silence_s > HEARTBEAT_TIMEOUT_S:
            reason = f"the trainer has reported nothing for {silence_s:.0f} s"
            return msgspec.structs.replace(status, state="interrupted", message=reason)
        return status

    def checkpoints(self, snapshot: RunSnapshot | None = None) -> list[int]:
        """Return the epochs from which a trainer can continue, in order; the newest is the one to use.

        An epoch counts once its row is written: everything else was saved before.

        Args:
            snapshot: The run as it is now, if it was read already.
        """
        rows = {row.epoch for row in (snapshot or self.read()).epochs}
        return sorted(
            int(number)
            for path in self.path.glob("checkpoint-*.weights.h5")
            if (number := path.name.removeprefix("checkpoint-").removesuffix(".weights.h5")).isdecimal()
            and int(number) in rows
        )

    def can_continue(self, snapshot: RunSnapshot) -> bool:
        """Tell whether the run can be continued without losing a whole epoch.

        A run that was archived and loaded again has its epochs but no checkpoint.

        Args:
            snapshot: The run as it is now.
        """
        whole_epochs = any(row.complete for row in snapshot.epochs)
        return snapshot.can_continue and (not whole_epochs or bool(self.checkpoints(snapshot)))

    def epochs_with_weights(self) -> list[int]:
        """Return the epochs whose weights were kept, in order."""
        return self._kept_epochs(".weights.h5")

    def has_model(self) -> bool:
        """Tell whether there is a model to read digits with, the final one or that of an epoch."""
        return self.model_path.is_file() or bool(self.epochs_with_weights())

    def epochs_with_probabilities(self) -> list[int]:
        """Return the epochs whose test probabilities were kept, in order."""
        return self._kept_epochs(".npz")

    def probabilities(self, epoch: int | None = None) -> np.ndarray:
        """Return the test probabilities after an epoch, the newest by default.

        Returns:
            float32, (test images, classes), 0 to 1.

        Raises:
            DamagedRunError: There are none, or the file is unreadable.
        """
        kept = self.epochs_with_probabilities()
        if epoch is None and not kept:
            raise DamagedRunError(f"{self.run_id} has not finished an epoch")
        path = self.probabilities_path(kept[-1] if epoch is None else epoch)
        try:
            with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as archive:
                stored = np.asarray(archive["probabilities"])  # NumPy returns the bytes of what is no array
        except Exception as error:  # NumPy and zipfile raise many types for a bad file
            raise DamagedRunError(f"epochs/{path.name} is missing or unreadable") from error
        dataset = self.dataset()
        shape = dataset.test_images, dataset.classes
        if stored.shape != shape or stored.dtype != np.float16 or not np.isfinite(stored).all():
            raise DamagedRunError(f"epochs/{path.name} does not hold {shape[0]:,} x {shape[1]} probabilities")
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

    def _metrics_lines(self) -> tuple[list[bytes], bytes]:
        """Return the complete lines of metrics.jsonl, and the beginning of the next one."""
        try:
            *lines, unfinished = read_file(self.path / "metrics.jsonl").split(b"\n")
        except OSError as error:
            raise DamagedRunError(f"metrics.jsonl cannot be read: {error.strerror}") from error
        return lines, unfinished

    def _read_metrics(self, may_be_cut: bool) -> _Metrics:
        """Read metrics.jsonl; if the run has not ended, its last line may be half written."""
        path = self.path / "metrics.jsonl"
        try:
            written = path.stat()
        except OSError as error:
            if may_be_cut:
                return _Metrics([], [], [])
            raise DamagedRunError(f"metrics.jsonl cannot be read: {error.strerror}") from error
        return _decode_metrics(self, written.st_size, written.st_mtime_ns, may_be_cut)

    def _check_complete(self, status: Status, epochs: list[EpochRow]) -> None:
        if len(epochs) != status.epoch:
            raise DamagedRunError(f"metrics.jsonl holds {len(epochs)} of {status.epoch} epochs")
        if not self.model_path.is_file():
            raise DamagedRunError("model.keras is missing")
        if not is_zipfile(self.model_path):
            raise DamagedRunError("model.keras is not a Keras model")
        if status.epoch not in self.epochs_with_probabilities():
            raise DamagedRunError(f"epochs/{status.epoch:03d}.npz is missing")


# Every screen asks for it, for each run of a list.
@lru_cache(maxsize=4096)
def _read_dataset(run: Run, stamp: int) -> DatasetDescription:
    return run.read_config()[1].dataset


@lru_cache(maxsize=4096)
def _read_queue_record(path: str, stamp: int) -> QueueRecord | None:
    return _read_or_none(path, QueueRecord)


# Hundreds of runs may wait, and every screen asks for them. Nothing else is kept: a trainer may write its status twice
# within one tick of the file system's clock, and the first of them must not be taken for the last.
@lru_cache(maxsize=4096)
def _read_queued(path: str, inode: int, stamp: int) -> Status | None:
    status = _read_or_none(path, Status)
    return status if status and status.state == "queued" else None


def _identity(path: str) -> tuple[int, int]:
    """Return numbers that change when a file is replaced; zeros if there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # or a name that is not possible
        return 0, 0
    return status.st_ino, status.st_mtime_ns


@lru_cache(maxsize=4096)
def _read_member(path: str, stamp: int) -> Member | None:
    return _read_or_none(path, Member)


def _read_or_none(path: str, record: type[_Record]) -> _Record | None:
    try:
        return read_record(Path(path), record)
    except DamagedRunError:
        return None


class _Metrics(NamedTuple):
    """The rows of metrics.jsonl, as in RunSnapshot. Nobody changes these lists: readers share them."""

    batches: list[BatchRow]
    epochs: list[EpochRow]
    events: list[EventRow]


# Many screens look every second at a file that changes a few times per second.
@lru_cache(maxsize=16)
def _decode_metrics(run: Run, size: int, written_at_ns: int, may_be_cut: bool) -> _Metrics:
    lines, unfinished = run._metrics_lines()
    if unfinished and not may_be_cut:
        raise DamagedRunError("metrics.jsonl is cut off in its last line")
    metrics = _Metrics([], [], [])
    for number, line in enumerate(lines, start=1):
        try:
            row = decode_row(line)
        except ValueError as error:
            raise DamagedRunError(f"metrics.jsonl, line {number}, is not a row of metrics") from error
        kind = {BatchRow: metrics.batches, EpochRow: metrics.epochs, EventRow: metrics.events}[type(row)]
        kind.append(row)
    return metrics
