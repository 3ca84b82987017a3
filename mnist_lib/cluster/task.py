"""What a worker does: it trains one run in a folder of its own, and hands over what is new in it.

These functions run in the worker's process, called through the scheduler. They know nothing of the dispatcher but
what it sends, and the folder is all that they share: ``train_run`` is the task, ``exchange`` is called about once a
second meanwhile.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import dask.config
from distributed import get_worker

from mnist_lib.cluster.versions import find_versions
from mnist_lib.machine import processor_name
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.archive import archive_run
from mnist_lib.runs.records import MAX_NAME_LENGTH, DamagedRunError, Status, read_json, write_json
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.storage.files import write_whole

# A training that nobody has asked about for so long is given up: its dispatcher is gone, and no other has begun.
ABANDONED_S = 300.0

_SECONDS_PER_LOOK = 0.2

# What is kept of a failed trainer's log.
_LOG_BYTES = 100_000

# Of metrics.jsonl at a time; a row has about 200.
_ROWS_BYTES = 1_000_000

# One training a worker at a time, whatever its number of threads and whoever asks.
_training = threading.Lock()


class WorkerBusyError(Exception):
    """The worker trains another run."""


class TrainingLostError(Exception):
    """A training ended without its result. Another worker can continue it."""


class Described(NamedTuple):
    """A worker, as it describes itself.

    Attributes:
        versions: As ``find_versions`` returns them.
        name: Its host's name and its processor.
        busy: Whether it trains.
    """

    versions: dict[str, str]
    name: str
    busy: bool


class News(NamedTuple):
    """What is new in a run on a worker.

    Attributes:
        rows: Whole lines of metrics.jsonl.
        position: Where they end there, in bytes.
        config: config.json.
        status: status.json.
        epoch: Of the newest checkpoint.
        files: If that is new: the checkpoint, and the weights and probabilities of each epoch up to it, by path.
    """

    rows: bytes
    position: int
    config: dict[str, Any]
    status: dict[str, Any]
    epoch: int
    files: dict[str, bytes]


class Outcome(NamedTuple):
    """How a training on a worker ended.

    Attributes:
        archive: The run's zip, if it is finished or stopped.
        checkpoints: What a stopped one can be continued from, by epoch.
        reason: If it failed: why.
        log: What the trainer of a failed run printed, at its end.
    """

    archive: bytes = b""
    checkpoints: dict[int, bytes] = {}  # noqa: RUF012, nobody changes it
    reason: str = ""
    log: bytes = b""


def describe(owner: str, dask_worker: Any) -> Described:
    """Return what the dispatcher has to know of this worker, which by then has nothing of it in training.

    Args:
        owner: The dispatcher. What an earlier one has left here in training is given up.
        dask_worker: This worker.
    """
    for wanted in Path(dask_worker.local_directory).glob(f"{owner}-*/wanted"):
        wanted.unlink(missing_ok=True)
    name = f"{socket.gethostname()}, {processor_name()}"
    # It goes into metrics.jsonl, which is checked where an archive is loaded.
    plain = "".join(sign for sign in name if sign.isprintable() and sign not in "<>[]`$")
    return Described(find_versions(), plain[:MAX_NAME_LENGTH], _training.locked())


def has_file(path: str, dask_worker: Any) -> bool:
    """Tell whether a file was sent to this worker before."""
    return (Path(dask_worker.local_directory) / path).is_file()


def receive(files: dict[str, bytes], dask_worker: Any) -> None:
    """Write files into this worker's folder, each whole or not at all.

    Args:
        files: The content of each by its path.
        dask_worker: This worker.
    """
    for name, content in files.items():
        path = Path(dask_worker.local_directory) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary, content=content: temporary.write_bytes(content))


def train_run(folder: str, data: str, name: str) -> Outcome:
    """Train the run that was sent into a folder, and return its archive. The folder is removed.

    Args:
        folder: Where the run is, in ``runs``.
        data: The folder of its data set.
        name: What ``describe`` called this worker.

    Raises:
        WorkerBusyError: The worker trains another run.
        TrainingLostError: The trainer was killed, or its dispatcher is gone.
    """
    root = Path(get_worker().local_directory)
    try:
        if not _training.acquire(blocking=False):
            raise WorkerBusyError(f"{name} trains another run")
        try:
            return _train(root / folder, root / data, name)
        finally:
            _training.release()
    finally:
        shutil.rmtree(root / folder, ignore_errors=True)


def _train(folder: Path, data: Path, name: str) -> Outcome:
    (run,) = map(Run, (folder / "runs").glob("[!.]*"))
    run.write_status(Status("interrupted"))  # from which `--continue` begins, at the last checkpoint if there is one
    (run.path / "epochs").mkdir(exist_ok=True)
    (folder / "wanted").touch()
    # Dask tells its workers that they have one thread each.
    of_dask = dask.config.get("distributed.nanny.pre-spawn-environ")
    environment = {key: value for key, value in os.environ.items() if value != str(of_dask.get(key))}
    options = [f"--continue={run.run_id}", f"--runs-dir={run.path.parent}", f"--worker={name}"]
    with run.log_path.open("ab") as log:
        trainer = subprocess.Popen(
            [sys.executable, "-m", "mnist_lib", "train", *options],
            cwd=PROJECT_PATH,
            stdin=subprocess.PIPE,  # it ends when this does, and so when this process does
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment | {"MNIST_DATA_DIR": str(data)},
            start_new_session=True,  # a Ctrl-C for this worker would stop the training as a person does
        )
    try:
        while trainer.poll() is None:
            if not _is_wanted(folder):
                raise TrainingLostError("nobody has asked about the training any more")
            time.sleep(_SECONDS_PER_LOOK)
    finally:
        trainer.kill()
        trainer.wait()
    return _outcome(run, trainer.returncode)


def _is_wanted(folder: Path) -> bool:
    try:
        return time.time() - (folder / "wanted").stat().st_mtime < ABANDONED_S
    except FileNotFoundError:
        return False


def _outcome(run: Run, code: int) -> Outcome:
    if code == 0:
        try:
            checkpoints = {epoch: run.checkpoint_path(epoch).read_bytes() for epoch in run.checkpoints()}
            return Outcome(archive_run(run), checkpoints)
        except RunStoreError as error:
            return Outcome(reason=str(error))
    log = run.log_path.read_bytes()[-_LOG_BYTES:]
    snapshot = run.read()
    last_line = (log.decode(errors="replace").strip().splitlines() or [""])[-1].removeprefix("mnist_lib: ")
    if code == 2:  # one clear line
        return Outcome(reason=snapshot.message if snapshot.state == "failed" else last_line, log=log)
    raise TrainingLostError(f"the trainer ended unexpectedly, with code {code}")


def exchange(folder: str, position: int, epoch: int, controls: dict[str, Any], dask_worker: Any) -> News | None:
    """Say that a training is wanted, pass on what is requested of it, and return what is new in it.

    Args:
        folder: Where the run is.
        position: How many bytes of metrics.jsonl were returned before.
        epoch: Of the newest checkpoint that was returned before.
        controls: The content of control.json.
        dask_worker: This worker.

    Returns:
        None if the training has not begun, or is over.
    """
    path = Path(dask_worker.local_directory) / folder
    wanted = path / "wanted"
    try:
        if not wanted.exists():
            return None
        os.utime(wanted)
        (run,) = map(Run, (path / "runs").glob("[!.]*"))
        if controls != run.read_controls()._asdict():
            write_json(run.path / "control.json", controls)
        with (run.path / "metrics.jsonl").open("rb") as file:
            file.seek(position)
            rows = file.read(_ROWS_BYTES)
        rows = rows[: rows.rfind(b"\n") + 1]
        newest = max([epoch, *run.checkpoints()])  # at the end there is none any more
        files = {}
        if newest > epoch:
            ways = (run.weights_path, run.probabilities_path)
            kept = [way(each) for each in range(epoch + 1, newest + 1) for way in ways]
            paths = [*kept, run.checkpoint_path(newest)]
            files = {path.relative_to(run.path).as_posix(): path.read_bytes() for path in paths}
        config, status = read_json(run.path / "config.json"), read_json(run.path / "status.json")
    except (FileNotFoundError, DamagedRunError):  # a checkpoint is replaced just now, or all is over
        return None
    return News(rows, position + len(rows), config, status, newest, files)
