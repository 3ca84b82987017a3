"""Gives the runs that wait for a cluster to its workers, one to each.

Dask knows the workers, passes on what is sent to them, and notices when one is gone. Which worker gets which run is
decided here, because a run goes on from the newest checkpoint, which is here.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import signal
import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import dask.config
import msgspec
from distributed import Client

from mnist_lib.cluster.remote_training import ANSWER_TIMEOUT_S, RemoteTraining
from mnist_lib.cluster.report import ClusterReport, ClusterWorker, write_report
from mnist_lib.cluster.task import TrainingLostError, WorkerBusyError, describe
from mnist_lib.cluster.versions import compare_versions, find_versions
from mnist_lib.data.dataset import DatasetError
from mnist_lib.runs.queue import RunQueue, require_cluster
from mnist_lib.runs.records import ACTIVE_STATES, MAX_NAME_LENGTH, DamagedRunError
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from mnist_lib.wording import count_text, first_line

SECONDS_PER_LOOK = 1.0

# Until a scheduler that does not answer, or a worker that trains for somebody else, is asked again.
SECONDS_PER_TRY = 3.0


def dispatch(
    store: RunStore,
    address: str,
    on_look: Callable[[Run], object] = lambda run: None,
    on_end: Callable[[Run], object] = lambda run: None,
    on_message: Callable[[str], object] = lambda message: None,
) -> None:
    """Let a cluster train the runs that wait for it, until none does.

    It may be killed at any time: what its workers have finished is kept, and the next dispatcher goes on.

    Args:
        store: The runs.
        address: Where the scheduler listens, as in ``tcp://host:8786``.
        on_look: Called about once a second with each run that is being trained.
        on_end: Called with each run that has ended.
        on_message: Called with what is waited for, or has gone wrong, whenever that changes.

    Raises:
        QueueIsWorkedError: Another process dispatches for this store and address.
        RunStoreError: The address is not one, the settings for TLS are missing, or the folder cannot be written.
        KeyboardInterrupt: By Ctrl-C or SIGTERM; what was being trained waits again.
    """
    require_cluster(address)
    try:
        require_usable(address)
    except RunStoreError as error:  # a screen may have started this process
        write_report(store.root, ClusterReport(address=address, message=str(error).removesuffix(".")))
        raise
    queue = RunQueue(store)
    with queue.working(address):
        # The lines of Dask are for its own people; what matters here is said here.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dispatcher = _Dispatcher(queue, address, on_look, on_end, on_message)
            try:
                asyncio.run(dispatcher.run())
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None


def require_usable(address: str) -> None:
    """Raise RunStoreError unless an address is one of a scheduler, and what TLS needs is there if it is for TLS."""
    require_cluster(address)
    if address.startswith("tls://") and not dask.config.get("distributed.comm.tls.ca-file"):
        raise RunStoreError(
            f"{address} needs Dask's settings for TLS: DASK_DISTRIBUTED__COMM__TLS__CA_FILE and others, see "
            "docs/cluster.md."
        )


class _Dispatcher:
    def __init__(
        self,
        queue: RunQueue,
        address: str,
        on_look: Callable[[Run], object],
        on_end: Callable[[Run], object],
        on_message: Callable[[str], object],
    ) -> None:
        self.queue = queue
        self.address = address
        self.on_look = on_look
        self.on_end = on_end
        self.on_message = on_message
        # The same for the next dispatcher of this store: workers then give up what this one has left there.
        self.owner = hashlib.sha256(f"{socket.gethostname()} {queue.store.root}".encode()).hexdigest()[:16]
        self.known: dict[str, ClusterWorker] = {}
        self.asking: dict[str, asyncio.Task[None]] = {}
        self.trainings: dict[str, tuple[RemoteTraining, asyncio.Task[None]]] = {}
        self.report: ClusterReport | None = None
        self.is_interrupted = False

    async def run(self) -> None:
        """Work until nothing waits, and connect again whenever the connection is lost."""
        with suppress(NotImplementedError):  # on Windows
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, self._interrupt, asyncio.current_task())
        while not self.queue.rest(self.address):
            try:
                async with Client(self.address, asynchronous=True, set_as_default=False, timeout=10) as client:
                    try:
                        await self._work(client)
                        return
                    finally:
                        await self._drop_all()
            except (OSError, asyncio.TimeoutError, asyncio.CancelledError) as error:
                if self.is_interrupted:
                    raise  # otherwise Dask cancels what waits for a connection that it lost
                self._write_report(f"{self.address} does not answer and is tried again ({first_line(error)})")
                await asyncio.sleep(SECONDS_PER_TRY)
        self._write_report("")

    def _interrupt(self, task: asyncio.Task[Any] | None) -> None:
        self.is_interrupted = True
        assert task
        task.cancel()

    async def _work(self, client: Client) -> None:
        while True:
            if client.status != "running":
                raise OSError("the connection was lost")
            workers = await self._find_workers(client)
            for address in self.known.keys() - workers:
                del self.known[address]
            for address, (training, task) in list(self.trainings.items()):
                self.on_look(training.run)
                if task.done():
                    self._end(address)
                elif address not in workers:
                    task.cancel()  # it ends by the next look
            self._ask_new(client, workers)
            waiting = self._assign(client)
            if not waiting and not self.trainings and self.queue.rest(self.address):
                self._write_report("")
                return
            stuck = waiting and not self.trainings and not workers.keys() - self.known.keys()
            self._write_report(f"{count_text(waiting, 'run waits', 'runs wait')} for a worker" if stuck else "")
            await asyncio.sleep(SECONDS_PER_LOOK)

    async def _find_workers(self, client: Client) -> dict[str, Any]:
        """Return what the scheduler knows of each worker, by address."""
        assert client.scheduler, "it is connected"
        about = await asyncio.wait_for(client.scheduler.identity(n_workers=-1), ANSWER_TIMEOUT_S)
        return about["workers"]  # pyright: ignore[reportOptionalSubscript]  # Dask has no types for what is sent

    def _ask_new(self, client: Client, workers: dict[str, Any]) -> None:
        """Ask the workers that are not known yet what they are, without waiting for their answers."""
        self.asking = {address: task for address, task in self.asking.items() if not task.done()}
        for address in workers.keys() - self.known.keys() - self.asking.keys() - self.trainings.keys():
            host = str(workers[address].get("host", ""))[:MAX_NAME_LENGTH]
            self.asking[address] = asyncio.create_task(self._ask(client, ClusterWorker(address=address, name=host)))

    async def _ask(self, client: Client, worker: ClusterWorker) -> None:
        passing = False
        try:
            call = client.run(describe, self.owner, workers=[worker.address])
            answer = (await asyncio.wait_for(call, ANSWER_TIMEOUT_S))[worker.address]
            problem = compare_versions(find_versions(), answer.versions)
            if not problem and answer.busy:
                problem, passing = "it trains for somebody else", True
            worker = msgspec.structs.replace(worker, name=answer.name, problem=problem)
        except (OSError, asyncio.TimeoutError):
            worker, passing = msgspec.structs.replace(worker, problem="it does not answer"), True
        except Exception as error:  # whatever importing this project raises there
            problem = f"this project cannot be loaded there ({first_line(error)})"
            worker = msgspec.structs.replace(worker, problem=problem)
        self.known[worker.address] = worker
        if worker.problem:
            self.on_message(f"{worker.name} at {worker.address} gets no run: {worker.problem}")
        if passing:  # and is asked again
            await asyncio.sleep(SECONDS_PER_TRY)
            self.known.pop(worker.address, None)

    def _assign(self, client: Client) -> int:
        """Give what waits to idle workers, and return how many runs wait still."""
        waiting = [] if self.queue.is_paused() else self.queue.waiting(self.address)
        # While many runs come back at once, one may give no sign of life for so long that it seems to wait.
        own = {training.run.run_id for training, _ in self.trainings.values()}
        waiting = [entry for entry in waiting if entry.run.run_id not in own]
        idle = [each for each in self.known.values() if not each.problem and each.address not in self.trainings]
        for worker, entry in zip(idle, waiting, strict=False):
            try:
                run, config, record = self.queue.take(entry)
            except RunStoreError:  # it was taken back just now, or tried too often
                continue
            training = RemoteTraining(client, self.queue, run, config, record, worker, self.owner)
            self.trainings[worker.address] = training, asyncio.create_task(training.train())
        return max(0, len(waiting) - len(idle))

    def _end(self, address: str) -> None:
        """Say how a training on a worker ended; without its result it waits again, or has failed."""
        training, task = self.trainings.pop(address)
        error = TrainingLostError("it is gone") if task.cancelled() else task.exception()
        if error is None:
            if not training.run.queue_path.exists():  # otherwise it was stopped there, and waits
                self.on_end(training.run)
            return
        self.known.pop(address, None)  # it is asked again, and gives up what it may still train
        run, reason = training.run, first_line(error)
        with suppress(RunStoreError, DamagedRunError, OSError):  # it was deleted meanwhile
            if isinstance(error, WorkerBusyError):
                self.queue.give_back(run)
            elif isinstance(error, (RunStoreError, DatasetError, DamagedRunError)):
                run.fail(reason)
                self.queue.leave(run)
                self.on_end(run)
            else:
                status = run.read_status()
                run.write_status(
                    msgspec.structs.replace(status, state="interrupted", message=f"{training.worker.name}: {reason}")
                )
        self.on_message(f"{run.run_id} on {training.worker.name}: {reason}")

    async def _drop_all(self) -> None:
        """Let what is being trained wait again: the scheduler is gone, or this process ends."""
        tasks = [*(task for _, task in self.trainings.values()), *self.asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for training, _ in self.trainings.values():
            with suppress(RunStoreError, DamagedRunError):
                if training.run.read_status().state in ACTIVE_STATES:
                    self.queue.give_back(training.run)
        self.known, self.asking, self.trainings = {}, {}, {}

    def _write_report(self, message: str) -> None:
        """Write the report if it has changed."""
        run_ids = {address: training.run.run_id for address, (training, _) in self.trainings.items()}
        workers = [
            msgspec.structs.replace(worker, run_id=run_ids.get(worker.address, "")) for worker in self.known.values()
        ]
        report = ClusterReport(address=self.address, message=message[:500], workers=tuple(workers))
        if report == self.report:
            return
        if message and (self.report is None or self.report.message != message):
            self.on_message(message)
        write_report(self.queue.store.root, report)
        self.report = report
