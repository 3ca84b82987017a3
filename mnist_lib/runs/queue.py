"""The queue: runs that wait for a trainer, in their order.

A run in the queue is a run directory with a queue.json, in the state ``queued`` until a trainer takes it. The file
stays until the run has ended, so a run whose trainer was killed is in the queue still, and is continued from its
last checkpoint. Whoever takes one holds the queue's lock, so each is taken once.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.machine import is_same_process, process_start_time
from mnist_lib.runs.handwriting import Beginning
from mnist_lib.runs.records import DamagedRunError, Member, QueueRecord, Status, read_json, write_json
from mnist_lib.runs.run import NotAllowedError, Run, RunStoreError
from mnist_lib.runs.store import RunStore, begin_again

# A trainer that ends unexpectedly so often without finishing an epoch would do so again.
MAX_ATTEMPTS = 5

# How Dask writes where a scheduler listens.
_CLUSTER = re.compile(r"(tcp|tls)://([A-Za-z0-9._-]{1,180}|\[[0-9A-Fa-f:.]{1,100}\]):[0-9]{1,5}")

# In these states a run with a queue.json waits: nobody trained it yet, or its trainer was ended before it had.
_WAITING_STATES = ("queued", "interrupted", "stopped")


class NothingWaitsError(RunStoreError):
    """The queue is empty or paused."""


class QueueIsWorkedError(RunStoreError):
    """Another process takes what waits in the queue already."""


class QueueEntry(NamedTuple):
    """A run that waits.

    Attributes:
        run: The run.
        record: Its queue.json.
        state: ``queued``, or ``interrupted`` or ``stopped`` if it is to be continued.
        epochs: Those that it has.
    """

    run: Run
    record: QueueRecord
    state: str
    epochs: int

    @property
    def is_untrained(self) -> bool:
        """Whether there is nothing of it but its settings."""
        return self.state == "queued" and not self.epochs


def require_cluster(address: str) -> None:
    """Raise RunStoreError unless an address is one of a Dask scheduler."""
    if not _CLUSTER.fullmatch(address):
        raise RunStoreError("The address of a Dask scheduler is as in tcp://host:8786 or tls://host:8786.")


class RunQueue:
    """The runs of a store that wait for a trainer.

    Args:
        store: Where they are kept; it allows what the visitor may do.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store

    # Reading.

    def waiting(self, cluster: str | None = "") -> list[QueueEntry]:
        """Return the runs that wait, in order.

        Args:
            cluster: The address of a Dask scheduler, ``""`` for those that this machine trains, or None for all.
        """
        entries = []
        for run in self.store.own_runs():
            record = run.read_queue_record()
            if record is None or cluster not in (None, record.cluster):
                continue
            with suppress(DamagedRunError):  # it is damaged, and cannot be trained
                status = run.read_status()
                if status.state in _WAITING_STATES:
                    entries.append(QueueEntry(run, record, status.state, status.epoch))
        return sorted(entries, key=lambda entry: (entry.record.rank, entry.run.run_id))

    def is_paused(self) -> bool:
        """Tell whether nothing is taken from the queue for now."""
        return self._paused_path.exists()

    def untrained(self) -> set[str]:
        """Return the names of the runs that wait and of which there is nothing but their settings."""
        return {entry.run.run_id for entry in self.waiting(None) if entry.is_untrained}

    # What a person does.

    def add(
        self,
        config: TrainingConfig,
        dataset: DatasetDescription = MNIST_DESCRIPTION,
        beginning: Beginning | None = None,
        run_id: str | None = None,
        minutes: float | None = None,
        cluster: str = "",
    ) -> Run:
        """Add a new run at the end.

        Args:
            config: Its settings.
            dataset: What it is to learn from.
            beginning: For a run that learns drawings.
            run_id: A name for the run; by default a new one is made.
            minutes: After how many it stops itself; by default as long as the visitor may train.
            cluster: The address of a Dask scheduler; by default this machine trains it.

        Raises:
            NotAllowedError: The visitor may not train with these settings, or has enough runs in the queue.
            RunStoreError: There is no room for it, the name or the address is none, or the folder cannot be written.
        """
        return self._add([config], dataset, beginning, run_id, minutes, cluster)[0]

    def add_all(
        self,
        configs: Sequence[TrainingConfig],
        dataset: DatasetDescription,
        experiment: str,
        cluster: str = "",
    ) -> list[Run]:
        """Add the runs of an experiment, in order, numbered from 1; those that are there already are left out.

        Returns:
            Those that were added.

        Raises:
            NotAllowedError: As ``add``.
            RunStoreError: As ``add``.
        """
        return self._add(configs, dataset, cluster=cluster, experiment=experiment)

    def _add(
        self,
        configs: Sequence[TrainingConfig],
        dataset: DatasetDescription,
        beginning: Beginning | None = None,
        run_id: str | None = None,
        minutes: float | None = None,
        cluster: str = "",
        experiment: str | None = None,
    ) -> list[Run]:
        for config in configs:
            self.store.require_training(config)
        if cluster:
            require_cluster(cluster)
            # Dask trusts a scheduler as far as to run what it sends.
            if not self.store.access.may_do_all:
                raise NotAllowedError(self.store.access.refusal)
        minutes = minutes or self.store.access.minutes
        with self._changing():
            waiting = self.waiting(None)
            there = {member.number for _, member in self.store.members(experiment)} if experiment else set()
            new = [(number, config) for number, config in enumerate(configs, start=1) if number not in there]
            self.require_place(len(new))
            self.store.require_room(runs=len(new))
            last = max([time.time(), *(entry.record.rank for entry in waiting)])
            runs = []
            names = [run_id] if run_id else self.store.new_run_ids([config for _, config in new])
            with ExitStack() as undo:
                undo.callback(lambda: [shutil.rmtree(self.store.hide(run), ignore_errors=True) for run in runs])
                for (number, config), name in zip(new, names, strict=True):
                    with self.store.making(config, name, dataset, beginning) as run:
                        run.write_status(Status("queued", total_steps=config.total_steps))
                        write_json(run.queue_path, QueueRecord(rank=last + number, cluster=cluster, minutes=minutes))
                        if experiment:
                            write_json(run.member_path, Member(experiment=experiment, number=number))
                        self.store.record_owner(run)
                    runs.append(Run(self.store.root / name))
                undo.pop_all()  # all of them, or none
            return runs

    def add_again(self, run: Run) -> None:
        """Add a run that ended too early, to be continued.

        Raises:
            NotAllowedError: The visitor may not change it, not train so much, or has enough runs in the queue.
            RunStoreError: It cannot be continued, or the folder cannot be written.
        """
        self.store.require_change(run)
        snapshot = run.read()
        if not run.can_continue(snapshot) or snapshot.config is None:
            raise RunStoreError(f"{run.run_id} is {snapshot.state} and cannot be continued.")
        self.store.require_training(snapshot.config)
        with self._changing():
            waiting = self.waiting(None)
            self.require_place()
            rank = max([time.time(), *(entry.record.rank for entry in waiting)]) + 1
            write_json(run.queue_path, QueueRecord(rank=rank, minutes=self.store.access.minutes))
            if snapshot.state == "failed":
                run.write_status(msgspec.structs.replace(run.read_status(), state="interrupted"))

    def require_place(self, count: int = 1) -> None:
        """Raise NotAllowedError if so many more runs of the visitor may not wait."""
        access = self.store.access
        if access.may_do_all or access.limits.queued is None:
            return
        own = sum(access.may_change(entry.run.read_owner()) for entry in self.waiting(None))
        if own + count > access.limits.queued:
            raise NotAllowedError(f"At most {access.limits.queued:,} of your runs can wait here.")

    def take_back(self, run: Run) -> None:
        """Take a run out of the queue: one that nobody trained is deleted, another one keeps what it has learned.

        Raises:
            NotAllowedError: The visitor may not change it.
            RunStoreError: It does not wait any more, or the folder cannot be written.
        """
        self.store.require_change(run)
        with self._changing():
            self._find(run)
            if run.read().epochs:
                run.queue_path.unlink()
                return
            hidden = self.store.hide(run)
        shutil.rmtree(hidden, ignore_errors=True)

    def move_up(self, run: Run) -> None:
        """Let a run change places with the one before it.

        Raises:
            NotAllowedError: The visitor may not change both.
            RunStoreError: It does not wait any more, or the folder cannot be written.
        """
        with self._changing():
            entry = self._find(run)
            waiting = self.waiting(entry.record.cluster)
            place = [other.run.run_id for other in waiting].index(run.run_id)
            if not place:
                return
            before = waiting[place - 1]
            for each in (entry, before):
                self.store.require_change(each.run)
            first, second = sorted((entry.record.rank, before.record.rank))
            write_json(run.queue_path, msgspec.structs.replace(entry.record, rank=first))
            write_json(before.run.queue_path, msgspec.structs.replace(before.record, rank=second))

    def pause(self, paused: bool = True) -> None:
        """Take nothing from the queue any more, or go on; what is being trained is trained to its end.

        Raises:
            NotAllowedError: The visitor is neither the owner nor a teacher.
            RunStoreError: The folder cannot be written.
        """
        if not self.store.access.may_do_all:
            raise NotAllowedError(self.store.access.refusal)
        with self._changing():
            self._paused_path.touch() if paused else self._paused_path.unlink(missing_ok=True)

    # What trainers do.

    @contextmanager
    def training_next(self) -> Iterator[tuple[Run, TrainingConfig, QueueRecord]]:
        """Claim the store to train the next run of this machine, from its beginning or its last checkpoint.

        Raises:
            TrainingRefusedError: Another training holds the claim.
            NothingWaitsError: The queue is empty or paused.
            RunStoreError: The folder cannot be written.
        """
        with self.store.claim():
            for entry in [] if self.is_paused() else self.waiting():
                with suppress(RunStoreError):  # taken back just now, or tried too often
                    taken = self.take(entry)
                    break
            else:
                raise NothingWaitsError("Nothing waits in the queue.")
            yield taken

    def take(self, entry: QueueEntry) -> tuple[Run, TrainingConfig, QueueRecord]:
        """Take a run for this process, rewound to its last checkpoint or its beginning.

        Raises:
            RunStoreError: It does not wait any more, it is damaged, its trainers ended unexpectedly too often, or the
                folder cannot be written.
        """
        run = entry.run
        with self._changing():
            entry = self._find(run)
            snapshot = run.read()
            if snapshot.config is None:
                run.fail(snapshot.message)
                self.leave(run)  # or whoever works the queue would try again and again
                raise RunStoreError(f"{run.run_id} is damaged: {snapshot.message}.")
            record = entry.record
            if entry.state == "interrupted":
                record = self._count_attempt(run, record)
            if not record.cluster:
                self.store.note(run)
            begin_again(run, snapshot.config, snapshot)
            return run, snapshot.config, record

    def give_back(self, run: Run, failed_attempt: bool = False) -> None:
        """Let a run that this process took wait again, with the epochs that it has.

        Args:
            run: The run.
            failed_attempt: Whether its trainer ended unexpectedly.

        Raises:
            RunStoreError: That happened too often, so the run is failed now; or the folder cannot be written.
        """
        with self._changing():
            record = run.read_queue_record()
            if record and failed_attempt:
                self._count_attempt(run, record)
            status = run.read_status()
            run.write_status(msgspec.structs.replace(status, state="queued", pid=0, pid_start_time=0.0, message=""))

    def _count_attempt(self, run: Run, record: QueueRecord) -> QueueRecord:
        """Record that a trainer ended unexpectedly; give the run up if it does so again and again in the same epoch."""
        epoch = max(run.checkpoints(), default=0)
        attempts = 1 if epoch > record.epoch else record.attempts + 1
        record = msgspec.structs.replace(record, attempts=attempts, epoch=epoch)
        write_json(run.queue_path, record)
        if attempts >= MAX_ATTEMPTS:
            run.fail(f"its trainer ended unexpectedly {attempts} times without finishing an epoch")
            self.leave(run)
            raise RunStoreError(f"{run.run_id} was tried too often.")
        return record

    def leave(self, run: Run) -> None:
        """Take a run that has ended out of the queue; nothing happens if it is in none.

        Raises:
            RunStoreError: The folder cannot be written.
        """
        try:
            run.queue_path.unlink(missing_ok=True)
        except OSError as error:
            raise RunStoreError(f"Cannot write to {run.path}: {error.strerror}.") from error

    @contextmanager
    def working(self, cluster: str = "") -> Iterator[None]:
        """Claim the work on the queue for this process, until ``rest`` or the end of the context.

        Args:
            cluster: The address of a Dask scheduler, or ``""`` for the runs that this machine trains.

        Raises:
            QueueIsWorkedError: Another process holds the claim.
            RunStoreError: The folder cannot be written.
        """
        with self._changing():
            if self.worker_is_alive(cluster):
                raise QueueIsWorkedError("Another process works the queue already.")
            write_json(self._worker_path(cluster), {"pid": os.getpid(), "pid_start_time": process_start_time()})
        try:
            yield
        finally:
            with suppress(RunStoreError), self._changing():
                if self._is_worker(cluster):
                    self._worker_path(cluster).unlink(missing_ok=True)

    def rest(self, cluster: str = "") -> bool:
        """End the claim of ``working`` if there is nothing to do, and tell whether there is nothing.

        Under the queue's lock: a run that is added meanwhile finds either this worker or none.
        """
        with self._changing():
            if self.waiting(cluster) and not self.is_paused():
                return False
            if self._is_worker(cluster):
                self._worker_path(cluster).unlink(missing_ok=True)
            return True

    def worker_is_alive(self, cluster: str = "") -> bool:
        """Tell whether a process works the queue."""
        return self.worker_pid(cluster) is not None

    def worker_pid(self, cluster: str = "") -> int | None:
        """Return the id of the process that works the queue, or None if none does."""
        pid, start_time = self._worker(cluster)
        return pid if isinstance(pid, int) and is_same_process(pid, start_time) else None

    def _is_worker(self, cluster: str) -> bool:
        return self._worker(cluster)[0] == os.getpid()

    def _worker(self, cluster: str) -> tuple[object, object]:
        try:
            note = read_json(self._worker_path(cluster))
        except DamagedRunError:
            return None, None
        return note.get("pid"), note.get("pid_start_time")

    # What both share.

    def _find(self, run: Run) -> QueueEntry:
        entry = next((entry for entry in self.waiting(None) if entry.run.path == run.path), None)
        if entry is None:
            raise RunStoreError(f"{run.run_id} does not wait in the queue any more.")
        return entry

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the queue's lock."""
        with self.store.queue_lock():
            try:
                yield
            except OSError as error:
                raise self.store.cannot_write(error) from error

    @property
    def _paused_path(self) -> Path:
        return self.store.root / ".queue-paused"

    def _worker_path(self, cluster: str) -> Path:
        return self.store.root / f".worker{f'-{crc32(cluster.encode()):08x}' if cluster else ''}.json"
