"""Dask workers that only sleep where others train: for ``benchmarks.cluster``.

    python -m benchmarks.cluster_stand_in ADDRESS WORKERS SECONDS

The workers share this process. Each run writes a row every quarter of a second, as a trainer does, the files of an
epoch and a checkpoint of the usual size five times, and at the end returns the shipped run of the paper's recipe.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Semaphore

from distributed import Worker

from mnist_lib.cluster import task
from mnist_lib.runs.archive import archive_run
from mnist_lib.runs.records import Status
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore

_, PAPER_RUN = RunStore(Path("nowhere")).bundled_runs()
EPOCHS = 5

# As BatchLogger, whose module would load Keras.
SECONDS_PER_ROW = 0.25

# Adam keeps two more numbers for each of 515,146 weights.
CHECKPOINT = bytes(3 * 4 * 515_146)


def sleep(folder: Path, seconds: float, archive: bytes) -> task.Outcome:
    """Do in a run's folder what a trainer does there, but for the training."""
    (run,) = map(Run, (folder / "runs").glob("[!.]*"))
    (run.path / "epochs").mkdir()
    (run.path / "metrics.jsonl").touch()
    run.write_status(Status("running", phase="training"))
    (folder / "wanted").touch()
    rows = PAPER_RUN.read()
    last = max(PAPER_RUN.epochs_with_probabilities())
    probabilities = PAPER_RUN.probabilities_path(last).read_bytes()
    began, written = time.monotonic(), 0
    for number in range(1, int(seconds / SECONDS_PER_ROW) + 1):
        time.sleep(max(0.0, began + number * SECONDS_PER_ROW - time.monotonic()))
        run.append_metrics(rows.batches[number % len(rows.batches)])
        epoch = int(EPOCHS * number * SECONDS_PER_ROW / seconds)
        if epoch > written:
            run.weights_path(epoch).write_bytes(CHECKPOINT[: len(CHECKPOINT) // 3])
            run.probabilities_path(epoch).write_bytes(probabilities)
            run.checkpoint_path(epoch).write_bytes(CHECKPOINT)
            run.append_metrics(rows.epochs[epoch - 1])
            run.checkpoint_path(epoch - 1).unlink(missing_ok=True)
            written = epoch
    return task.Outcome(archive)


async def work(address: str, workers: int, seconds: float) -> None:
    """Work for a scheduler until it is gone."""
    archive = archive_run(PAPER_RUN)
    task._train = lambda folder, data, name: sleep(folder, seconds, archive)
    task._training = _Free()  # pyright: ignore[reportAttributeAccessIssue]  # here are many workers in a process
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            started = [
                await stack.enter_async_context(
                    Worker(address, nthreads=1, dashboard=False, local_directory=f"{folder}/{number}")
                )
                for number in range(workers)
            ]
            await asyncio.gather(*(worker.finished() for worker in started))


class _Free(Semaphore):
    """A lock that is never taken."""

    def __init__(self) -> None:
        super().__init__(1_000)

    def locked(self) -> bool:
        return False


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
