"""The folder of all runs: finds, claims, renames and deletes them."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_lib.access import OWNER, Access, read_access
from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.machine import process_start_time
from mnist_lib.paths import ASSETS_PATH
from mnist_lib.runs.handwriting import Beginning, write_beginning
from mnist_lib.runs.records import (
    ACTIVE_STATES,
    RUN_NAME,
    DamagedRunError,
    Member,
    RunRecord,
    RunSnapshot,
    Status,
    read_json,
    write_json,
)
from mnist_lib.runs.run import NotAllowedError, Run, RunStoreError
from mnist_lib.storage.files import file_stamp

BUNDLED_RUNS_PATH = ASSETS_PATH / "runs"

# The beginnings of hidden folders: runs that are being loaded, and deleted.
LOADING, _DELETED = ".loading-", ".deleted-"

# Whoever holds the queue's lock writes a few small files.
QUEUE_LOCK_TIMEOUT_S = 10.0

# A hidden folder, or one whose name is not UTF-8: Python reads each byte that is not as a lone surrogate.
_NO_NAME = re.compile(r"^\.|[\ud800-\udfff]")


class TrainingRefusedError(RunStoreError):
    """A training already runs in this store. The message names it."""


class RunStore:
    """The runs of this machine, and the runs that ship with the project.

    It shows a visitor what they may see, and refuses what they may not do.

    Args:
        root: The folder of the runs.
        bundled_root: The folder of the runs that ship with the project.
        access: What the visitor may do; by default it is the owner, as at the command line.

    Raises:
        AccessError: The environment names no mode, or a limit that is not a number.
    """

    def __init__(self, root: Path, bundled_root: Path | None = None, access: Access | None = None) -> None:
        self.root = root
        self.bundled_root = bundled_root or BUNDLED_RUNS_PATH
        self.access = access or read_access()

    @classmethod
    def default(cls, access: Access | None = None) -> RunStore:
        """Return the store at MNIST_RUNS_DIR, else ./runs."""
        return cls(Path(os.environ.get("MNIST_RUNS_DIR") or "runs").absolute(), access=access)

    def runs(self) -> list[Run]:
        """Return every run, the newest first, the bundled ones last."""
        return self.own_runs() + self.bundled_runs()

    def own_runs(self) -> list[Run]:
        """Return the runs of this machine, the newest first."""
        return list(filter(self._may_see, map(Run, _folders(self.root))))

    def members(self, experiment: str) -> list[tuple[Run, Member]]:
        """Return the runs that belong to an experiment, with their numbers in it, the newest first."""
        runs = [(run, run.read_member()) for run in self.own_runs()]
        return [(run, member) for run, member in runs if member and member.experiment == experiment]

    def bundled_runs(self) -> list[Run]:
        """Return the runs that ship with the project, by name: the accurate one before the paper's."""
        return [Run(path, bundled=True) for path in reversed(_folders(self.bundled_root))]

    def find(self, run_id: str) -> Run | None:
        """Return the run of that name, or None."""
        if not run_id or _NO_NAME.search(run_id) or Path(run_id).name != run_id:
            return None
        # Screens ask often, and listing a folder of hundreds takes its time.
        runs = Run(self.root / run_id), Run(self.bundled_root / run_id, bundled=True)
        return next((run for run in runs if run.path.is_dir() and self._may_see(run)), None)

    def active_run(self) -> Run | None:
        """Return the run that is being trained now, or None. Reads one or two small files."""
        run_id = self._noted_run_id()
        if run_id is None:
            return None
        try:
            run = Run(self.root / run_id)
            return run if run.read_status().state in ACTIVE_STATES and self._may_see(run) else None
        except DamagedRunError:
            return None

    def _may_see(self, run: Run) -> bool:
        return self.access.sees_all or run.is_published()

    # What the visitor may do.

    def may_change(self, run: Run) -> bool:
        """Tell whether the visitor may stop, pause, continue, rename, annotate and delete a run."""
        # Watching a training asks every second; only pupils need the file.
        return not run.bundled and (self.access.may_do_all or self.access.may_change(run.read_owner()))

    def require_change(self, run: Run) -> None:
        """Raise NotAllowedError unless the visitor may change the run."""
        if not (self.access.may_do_all or self.may_change(run)):
            raise NotAllowedError(self.access.refusal)

    def require_training(self, config: TrainingConfig) -> None:
        """Raise NotAllowedError unless the visitor may train with these settings."""
        if not self.access.may_add:
            raise NotAllowedError(self.access.refusal)
        if problem := self.access.problem_of(config):
            raise NotAllowedError(problem)

    def require_loading(self, size: int, new: bool = True) -> None:
        """Raise RunStoreError unless the visitor may add a run of so many bytes, and there is room for it.

        Args:
            size: In bytes.
            new: Whether it is one run more, not part of one that is here.
        """
        if not self.access.may_add:
            raise NotAllowedError(self.access.refusal)
        self.require_room(runs=int(new), size=size)

    def require_room(self, runs: int, size: int = 0) -> None:
        """Raise RunStoreError unless there is room for so many more runs, and so many bytes."""
        limits = self.access.limits
        if len(_folders(self.root)) + runs > limits.runs:
            raise RunStoreError(f"At most {limits.runs:,} runs are kept here. Delete one first.")
        if _folder_size(self.root) + size > limits.gigabytes * 1_000_000_000:
            raise RunStoreError(
                f"The runs would have more than the {limits.gigabytes:,} GB allowed here. Delete one first."
            )

    def record_owner(self, run: Run) -> None:
        """Record that the visitor started or loaded a run, unless it is the owner of all.

        Raises:
            OSError: The folder cannot be written.
        """
        if self.access.visitor and self.access.visitor != OWNER:
            run.write_owner(self.access.visitor)

    def request(
        self, run: Run, paused: bool | None = None, stop: bool | None = None, learning_rate: float | None = None
    ) -> None:
        """Request something of the trainer, as ``Run.request`` does.

        Raises:
            NotAllowedError: The visitor may not.
            RunStoreError: As ``Run.request``.
        """
        self.require_change(run)
        run.request(paused, stop, learning_rate)
        if stop:  # as a person wants it; if anything else ends it, the queue continues it
            with suppress(OSError):
                run.queue_path.unlink(missing_ok=True)

    def write_note(self, run: Run, text: str) -> None:
        """Save a note about a run, as ``Run.write_note`` does.

        Raises:
            NotAllowedError: The visitor may not.
            RunStoreError: As ``Run.write_note``.
        """
        self.require_change(run)
        run.write_note(text)

    def publish(self, run: Run, published: bool = True) -> None:
        """Show a run of this machine in public, or do not any more.

        Raises:
            RunStoreError: The visitor is neither the owner nor a teacher, the run ships with the project, or its
                folder cannot be written.
        """
        if not self.access.may_do_all:
            raise NotAllowedError(self.access.refusal)
        if run.bundled:
            raise RunStoreError("The run ships with the project: everybody sees it.")
        try:
            run.published_path.touch() if published else run.published_path.unlink(missing_ok=True)
        except OSError as error:
            raise self.cannot_write(error) from error

    # Writing.

    @contextmanager
    def training(
        self,
        config: TrainingConfig,
        run_id: str | None = None,
        dataset: DatasetDescription = MNIST_DESCRIPTION,
        beginning: Beginning | None = None,
    ) -> Iterator[Run]:
        """Claim the store for one training and create its run folder.

        The claim is a lock that the operating system releases when the process ends,
        however it ends.

        Args:
            config: The settings, for the folder's name.
            run_id: A name for the run; by default a new one is made.
            dataset: What it is to learn from.
            beginning: For a run that learns drawings.

        Raises:
            TrainingRefusedError: Another training holds the claim.
            RunStoreError: The name is not valid as a folder's name on every system, or the folder
                cannot be created or written.
        """
        if run_id is not None:
            _require_folder_name(run_id)
        with self.claim():
            self.require_room(runs=1)
            try:
                name = self.new_run_id(config) if run_id is None else run_id
                with self.making(config, name, dataset, beginning) as hidden:
                    hidden.write_status(starting(config))
                run = Run(self.root / name)
                self.note(run)
            except OSError as error:
                raise self.cannot_write(error) from error
            yield run

    @contextmanager
    def continuing(self, run_id: str) -> Iterator[tuple[Run, TrainingConfig]]:
        """Claim the store to continue a run that ended too early, from its last checkpoint.

        Raises:
            TrainingRefusedError: Another training holds the claim.
            RunStoreError: There is no such run of this machine, it has nothing left to train, or it cannot be written.
        """
        with self.claim():
            run = next((run for run in self.own_runs() if run.run_id == run_id), None)
            if run is None:
                raise RunStoreError(f"There is no run {run_id!r} of this machine to continue.")
            snapshot = run.read()
            if not snapshot.can_continue or snapshot.config is None:
                reason = f" ({snapshot.message})" if snapshot.message else ""
                raise RunStoreError(f"{run_id} is {snapshot.state}{reason} and cannot be continued.")
            if not run.can_continue(snapshot):
                raise RunStoreError(f"{run_id} has epochs but no checkpoint to continue from.")
            self.require_room(runs=0)
            try:
                self.note(run)
                begin_again(run, snapshot.config, snapshot)
            except OSError as error:
                raise self.cannot_write(error) from error
            yield run, snapshot.config

    def rename(self, run: Run, name: str) -> Run:
        """Rename a run of this machine, that is, its folder.

        Raises:
            RunStoreError: The name is taken or not valid as a folder's name on every system, the run
                is being trained or ships with the project, or the folder cannot be renamed.
        """
        name = name.strip()
        if name == run.run_id:
            return run
        _require_folder_name(name)
        # Some systems do not distinguish upper and lower case.
        if name.lower() in {other.run_id.lower() for other in self.runs() if other.path != run.path}:
            raise RunStoreError(f"There is already a run named {name}.")
        try:
            with self._kept_from_trainers(run, "renamed"):
                return Run(run.path.rename(self.root / name))
        except OSError as error:
            raise self.cannot_write(error) from error

    def delete(self, run: Run) -> None:
        """Delete a run of this machine for good.

        Raises:
            RunStoreError: It is being trained or ships with the project, or cannot be deleted.
        """
        try:
            with self._kept_from_trainers(run, "deleted"):
                hidden = self.hide(run)
            shutil.rmtree(hidden)
        except FileNotFoundError as error:
            raise RunStoreError("The run is gone already.") from error
        except OSError as error:
            raise self.cannot_write(error) from error

    def hide(self, run: Run) -> Path:
        """Take a run's folder from all readers in one step, so that none sees half of it, and return its new path.

        Raises:
            OSError: The folder cannot be renamed.
        """
        return run.path.rename(self.root / f"{_DELETED}{run.run_id}-{time.time_ns()}")

    def remove_leftovers(self) -> None:
        """Remove what a process left that was killed while it deleted a run, or loaded one more than an hour ago."""
        old = [path for path in self.root.glob(f"{LOADING}*") if 0 < file_stamp(path) < time.time_ns() - 3600 * 10**9]
        for path in [*self.root.glob(f"{_DELETED}*"), *old]:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _kept_from_trainers(self, run: Run, done: str) -> Iterator[None]:
        """Keep trainers from taking the run meanwhile.

        The lock, not the state, tells whether one has it already: a suspended trainer gives
        no sign of life, but continues to train when it is resumed.
        """
        if run.bundled:
            raise RunStoreError(f"The run ships with the project and cannot be {done}.")
        self.require_change(run)
        with ExitStack() as claim:
            claim.enter_context(self.queue_lock())  # nobody takes it from the queue meanwhile
            record = run.read_queue_record()
            if record and record.cluster and run.read_status().state in ACTIVE_STATES:
                raise RunStoreError(f"The run is being trained and cannot be {done} now. Stop it first.")
            if self._lock_path.exists():  # a training was started here before
                try:
                    claim.enter_context(FileLock(self._lock_path, blocking=False))
                except Timeout as error:
                    if self._noted_run_id() == run.run_id:
                        raise RunStoreError(
                            f"The run is being trained and cannot be {done} now. Stop it first."
                        ) from error
            yield

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Claim the store for one training.

        Raises:
            TrainingRefusedError: Another training holds the claim.
            RunStoreError: The folder cannot be written.
        """
        with ExitStack() as claim:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                claim.enter_context(FileLock(self._lock_path, blocking=False))
                self._note_path.unlink(missing_ok=True)  # while the lock is held, it names who holds it
            except Timeout as error:
                name = self._noted_run_id() or "another run"
                raise TrainingRefusedError(
                    f"A training is already running: {name}. Wait for it to end, or stop it first."
                ) from error
            except OSError as error:
                raise self.cannot_write(error) from error
            yield

    @contextmanager
    def queue_lock(self) -> Iterator[None]:
        """Keep all others from changing the queue, for the blink of an eye.

        Raises:
            RunStoreError: The folder cannot be written, or somebody holds the lock for long.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / ".queue.lock", timeout=QUEUE_LOCK_TIMEOUT_S)
            lock.acquire()
        except Timeout as error:
            raise RunStoreError("The queue is being changed by another process. Try again.") from error
        except OSError as error:
            raise self.cannot_write(error) from error
        try:
            yield
        finally:
            lock.release()

    @property
    def _lock_path(self) -> Path:
        return self.root / ".training.lock"

    @property
    def _note_path(self) -> Path:
        return self.root / ".training.json"

    def _noted_run_id(self) -> str | None:
        """Return the run that the newest trainer took; None if its note is missing or damaged."""
        try:
            run_id = read_json(self._note_path).get("run_id")
        except DamagedRunError:
            return None
        return run_id if isinstance(run_id, str) else None

    def new_run_id(self, config: TrainingConfig) -> str:
        """Return a name that no run has: the time, the preset and the seed."""
        return self.new_run_ids([config])[0]

    def new_run_ids(self, configs: Sequence[TrainingConfig]) -> list[str]:
        """Return such a name for each of several new runs."""
        taken = {path.name for path in _folders(self.root)}
        now = f"{datetime.now():%Y%m%d-%H%M%S}"
        names = []
        for config in configs:
            name = f"{now}-{config.preset}-seed{config.seed}"
            suffixes = chain([""], (f"-{number}" for number in count(2)))
            names.append(next(name + suffix for suffix in suffixes if name + suffix not in taken))
            taken.add(names[-1])
        return names

    @contextmanager
    def making(
        self, config: TrainingConfig, run_id: str, dataset: DatasetDescription, beginning: Beginning | None
    ) -> Iterator[Run]:
        """Create a run folder that is complete as soon as it is visible; the caller writes status.json meanwhile.

        Raises:
            RunStoreError: The name is not valid as a folder's name on every system.
            OSError: The folder cannot be written.
        """
        _require_folder_name(run_id)
        hidden = Run(self.root / f".{run_id}")
        (hidden.path / "epochs").mkdir(parents=True)
        try:
            handwriting = beginning.record if beginning else None
            hidden.write_config(config, RunRecord(created_at=time.time(), dataset=dataset, handwriting=handwriting))
            if beginning:
                write_beginning(hidden, beginning)
            yield hidden
            hidden.path.rename(self.root / run_id)
        except BaseException:
            shutil.rmtree(hidden.path, ignore_errors=True)
            raise

    def note(self, run: Run) -> None:
        """Note that the run is the one being trained on this machine. For whoever holds the claim.

        Raises:
            OSError: The folder cannot be written.
        """
        write_json(self._note_path, {"run_id": run.run_id})

    def cannot_write(self, error: OSError) -> RunStoreError:
        """Return what to raise instead of an error of the file system."""
        return RunStoreError(f"Cannot write to the runs folder {self.root}: {error.strerror or error}.")


def starting(config: TrainingConfig, epoch: int = 0) -> Status:
    """Return the status of a run that this process begins to train, or continues after an epoch."""
    return Status(
        "starting",
        pid=os.getpid(),
        pid_start_time=process_start_time(),
        epoch=epoch,
        step=epoch * config.steps_per_epoch,
        total_steps=config.total_steps,
    )


def begin_again(run: Run, config: TrainingConfig, snapshot: RunSnapshot) -> None:
    """Take a run for this process, and rewind it to its last checkpoint, or to its beginning.

    Raises:
        OSError: The folder cannot be written.
    """
    epoch = max(run.checkpoints(snapshot), default=0)
    # Requests to the previous trainer; once the status is written, they are for this one.
    (run.path / "control.json").unlink(missing_ok=True)
    # Before rewinding: a stopped run that is only half rewound would be damaged.
    run.write_status(starting(config, epoch))
    run.rewind(epoch)


def _require_folder_name(name: str) -> None:
    if not RUN_NAME.fullmatch(name):
        raise RunStoreError(
            "A name has 1 to 100 English letters, digits, dots, dashes and underscores, and begins with a letter "
            "or a digit."
        )


def _folder_size(root: Path) -> int:
    """Return the bytes of all files in a folder; what vanishes meanwhile does not count."""
    size = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(folder, name)).st_size
    return size


def _folders(root: Path) -> list[Path]:
    """Return the folders that can be runs; on Linux a name can be any bytes, but a screen shows only text."""
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if not _NO_NAME.search(entry.name) and entry.is_dir()]
    except OSError:
        return []
    return [root / name for name in sorted(names, reverse=True)]
