"""One run on one worker, from its checkpoint here to its end there. All calls go through the scheduler."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from distributed import Client

from mnist_lib.cluster.report import ClusterWorker
from mnist_lib.cluster.task import News, Outcome, exchange, has_file, receive, train_run
from mnist_lib.config import TrainingConfig
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.machine import process_start_time
from mnist_lib.runs.archive import take_in_archive
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import ACTIVE_STATES, DamagedRunError, QueueRecord, Status, decode_row, parse_config
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import write_whole
from mnist_lib.wording import time_over_text

SECONDS_PER_EXCHANGE = 1.0

# A worker that answers nothing for so long is given up: it hangs, or its network does.
ANSWER_TIMEOUT_S = 30.0


class RemoteTraining:
    """A run that a worker trains, and its run directory here, which this process writes meanwhile.

    Args:
        client: Connected to the scheduler.
        queue: Of which the run was taken.
        run: The run, rewound to where it is to begin.
        config: Its settings.
        record: Its place in the queue.
        worker: The worker.
        owner: The dispatcher, as for ``task.describe``.
    """

    def __init__(
        self,
        client: Client,
        queue: RunQueue,
        run: Run,
        config: TrainingConfig,
        record: QueueRecord,
        worker: ClusterWorker,
        owner: str,
    ) -> None:
        self.client = client
        self.queue = queue
        self.run = run
        self.config = config
        self.record = record
        self.worker = worker
        self.folder = f"{owner}-{secrets.token_hex(4)}"
        self._epoch = max(run.checkpoints(), default=0)
        self._position = 0
        self._status = run.read_status()
        self._began = time.monotonic()

    async def train(self) -> None:
        """Send the run, bring over what is new about once a second, and take in its archive.

        Raises:
            WorkerBusyError: The worker trains another run.
            TrainingLostError: The worker's trainer was ended.
            TimeoutError: The worker does not answer.
            RunStoreError: The archive is not that of this run. The message says why.
            DatasetError: The data set is not here.
            DamagedRunError: What came is not what a trainer writes.
            OSError: The run directory cannot be written, or the connection broke.
        """
        data = await self._send_dataset()
        await self._call(receive, self._files())
        task = self.client.submit(
            train_run,
            self.folder,
            data,
            self.worker.name,
            workers=[self.worker.address],
            allow_other_workers=False,  # what another one begins with is newer than what was sent
            pure=False,
            key=f"{self.run.run_id}-{self.folder}",
        )
        outcome = asyncio.ensure_future(task.result())  # pyright: ignore  # which Dask has no types for
        try:
            while not (await asyncio.wait([outcome], timeout=SECONDS_PER_EXCHANGE))[0]:
                self._stop_in_time()
                controls = self.run.read_controls()._asdict()
                self._bring_in(await self._call(exchange, self.folder, self._position, self._epoch, controls))
            self._take_in(outcome.result())
        finally:
            outcome.cancel()

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        call = self.client.run(function, *arguments, workers=[self.worker.address])
        return (await asyncio.wait_for(call, ANSWER_TIMEOUT_S))[self.worker.address]

    async def _send_dataset(self) -> str:
        """Send the data set unless the worker has it, and return its folder there."""
        dataset = self.run.dataset()
        folder = f"data-{dataset.sha256}"
        if not dataset.is_mnist:
            arrays, description = DatasetLibrary.beside(self.queue.store.root).files(dataset)
            files = [description] if await self._call(has_file, f"{folder}/{arrays.name}") else [arrays, description]
            await self._call(receive, {f"{folder}/{path.name}": path.read_bytes() for path in files})
        return folder

    def _files(self) -> dict[str, bytes]:
        """Return what a trainer needs to begin, or to continue after the last whole epoch."""
        run = self.run
        names = ["config.json", "metrics.jsonl", run.start_path.name, run.drawings_path.name]
        paths = [*(run.path / name for name in names), run.checkpoint_path(self._epoch)]
        files = {path.name: path.read_bytes() for path in paths if path.is_file()}
        self._position = len(files.get("metrics.jsonl", b""))
        return {f"{self.folder}/runs/{run.run_id}/{name}": content for name, content in files.items()}

    def _stop_in_time(self) -> None:
        minutes = self.record.minutes
        if minutes and time.monotonic() - self._began > 60 * minutes and not self.run.read_controls().stop:
            self.run.request(stop=True, reason=time_over_text(minutes))

    def _bring_in(self, news: News | None) -> None:
        """Write what is new, in the order in which a trainer does: an epoch counts once its row is written."""
        run = self.run
        if news is None:
            run.write_status(self._status)  # as a sign of life
            return
        try:
            rows = [decode_row(line) for line in news.rows.splitlines()]
            status = msgspec.convert(news.status, Status)
        except ValueError as error:
            raise DamagedRunError("it sent what no trainer writes") from error
        config, record = parse_config(news.config)
        if config != self.config:
            raise DamagedRunError("it has other settings than the run that was sent")
        if record != run.read_config()[1]:
            run.write_config(config, record)
        for name, content in news.files.items():
            path = run.path / name
            if path not in self._paths_up_to(news.epoch):
                raise DamagedRunError("it sent a file that no trainer writes")
            write_whole(path, lambda temporary, content=content: temporary.write_bytes(content))
        for row in rows:
            run.append_metrics(row)  # pyright: ignore[reportArgumentType]  # one of the three kinds
        for epoch in range(self._epoch, news.epoch):
            run.checkpoint_path(epoch).unlink(missing_ok=True)
        self._epoch, self._position = news.epoch, news.position
        if status.state in ACTIVE_STATES:
            self._status = msgspec.structs.replace(status, pid=os.getpid(), pid_start_time=process_start_time())
        run.write_status(self._status)

    def _paths_up_to(self, newest: int) -> set[Path]:
        epochs = range(1, min(newest, self.config.epochs) + 1)
        ways = (self.run.weights_path, self.run.probabilities_path, self.run.checkpoint_path)
        return {path(epoch) for epoch in epochs for path in ways}

    def _take_in(self, outcome: Outcome) -> None:
        run = self.run
        if outcome.reason:
            run.log_path.write_bytes(outcome.log)
            run.fail(outcome.reason)
            self.queue.leave(run)
            return
        for epoch, content in outcome.checkpoints.items():
            write_whole(run.checkpoint_path(epoch), lambda temporary, content=content: temporary.write_bytes(content))
        if run.read_controls().stop:  # otherwise a stopped run is continued: its worker was told to end
            self.queue.leave(run)
        take_in_archive(io.BytesIO(outcome.archive), run, self.queue.store)
        if run.read_status().state == "finished":
            self.queue.leave(run)
            for path in run.path.glob("checkpoint-*.weights.h5"):
                path.unlink(missing_ok=True)
