"""Starts a training in a separate process, from a screen."""

from __future__ import annotations

import atexit
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mnist_lib.config import TrainingConfig, handwriting_config
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore, TrainingRefusedError

# From the start of the process to its claim on the store: Python starts and reads
# a few files. Keras is loaded after that.
CLAIM_TIMEOUT_S = 30.0

# From the start of a process to its claim on the queue, on a loaded machine.
WORKER_START_S = 3.0

# With MNIST_ON_EXIT=stop. A batch, the test images, and writing the model.
STOP_TIMEOUT_S = 20.0

# The exit code of a trainer that found another one at work; for other errors it is 2.
REFUSED_EXIT_CODE = 3


def start_training(store: RunStore, config: TrainingConfig) -> Run:
    """Start the trainer and wait until it has claimed the store, which takes a fraction of a second.

    While another training runs, or others wait in the queue, the new run waits in it.

    The child is an ordinary ``python -m mnist_lib train`` at low priority. It outlives
    the process that started it and is found again through its run directory. Where the
    environment says MNIST_ON_EXIT=stop, this process stops the training before it ends: in
    a container the end of the server is the end of all its processes.

    Raises:
        NotAllowedError: The visitor may not train with these settings, or has enough runs in the queue.
        RunStoreError: The trainer could not start. The message says why, in one line.
    """
    store.require_training(config)

    def add() -> Run:
        dataset = DatasetLibrary.beside(store.root).find(config.dataset)
        if dataset is None:
            raise RunStoreError(f"There is no data set {config.dataset} any more.")
        return RunQueue(store).add(config, dataset)

    return _start_or_wait(store, lambda: _start_new(store, config, _options(config)), add)


def _options(config: TrainingConfig) -> list[str]:
    settings = config.to_dict()
    settings["limit"] = settings.pop("training_images")
    del settings["classes"]  # the data set has them
    # "custom" is not a preset to start from: every setting is given as an option anyway.
    settings["preset"] = "paper" if config.preset == "custom" else config.preset
    return [_option(*item) for item in settings.items()]


def _start_or_wait(store: RunStore, start: Callable[[], Run], add: Callable[[], Run]) -> Run:
    """Start a trainer, or add its run to the queue if another one trains or waits."""
    if store.active_run() is None and not RunQueue(store).waiting():
        with suppress(TrainingRefusedError):  # another was started at the same moment
            return start()
    run = add()
    ensure_worker(store)
    return run


# When this process last started one for each store and cluster, in seconds of the monotonic clock.
_worker_started_s: dict[tuple[Path, str], float] = {}


def ensure_worker(store: RunStore) -> None:
    """Let a process work the queue, unless one does or there is nothing to do.

    It is an ordinary ``python -m mnist_lib work`` at low priority, and outlives the process that started it.
    """
    queue = RunQueue(store)
    if queue.is_paused():
        return
    for cluster in {entry.record.cluster for entry in queue.waiting(None)}:
        now_s = time.monotonic()
        # Many tabs ask for it several times before the first one has begun.
        started_s = _worker_started_s.get((store.root, cluster), -math.inf)
        if not queue.worker_is_alive(cluster) and now_s - started_s > WORKER_START_S:
            _worker_started_s[store.root, cluster] = now_s
            options = [f"--cluster={cluster}"] if cluster else []
            _stop_on_exit(start_process(store, ["work", "--background", *options], subprocess.DEVNULL))


def start_handwriting(store: RunStore, begun_from: Run, drawings: Path) -> Run:
    """Start a trainer that learns drawings from a run's weights, as ``start_training`` does.

    Args:
        store: Where the new run is kept.
        begun_from: The run that it begins from.
        drawings: The folder of the drawings.

    Raises:
        NotAllowedError: The visitor may not train so much, or has enough runs in the queue.
        RunStoreError: The trainer could not start, as with too few drawings.
        DamagedRunError: The settings of the run to begin from cannot be read.
    """
    config = handwriting_config(begun_from.read_config()[0])
    store.require_training(config)
    options = [f"--from={begun_from.run_id}", f"--drawings={drawings}"]
    return _start_or_wait(
        store, lambda: _start_new(store, config, options), lambda: _queue_handwriting(store, config, options)
    )


def _queue_handwriting(store: RunStore, config: TrainingConfig, options: list[str]) -> Run:
    RunQueue(store).require_place()
    run = Run(store.root / store.new_run_id(config))
    options = [*options, f"--minutes={store.access.minutes}"] if store.access.minutes else options
    process = start_process(store, ["train", *options, "--queue", f"--background-run={run.run_id}"])
    _, errors = process.communicate()
    if process.returncode:
        raise RunStoreError(last_line(errors))
    store.record_owner(run)
    return run


def _start_new(store: RunStore, config: TrainingConfig, options: list[str]) -> Run:
    run = _start(store, Run(store.root / store.new_run_id(config)), options)
    try:
        store.record_owner(run)
    except OSError as error:
        raise RunStoreError(f"Cannot write to {run.path}: {error.strerror}.") from error
    return run


def continue_training(store: RunStore, run: Run) -> Run:
    """Start a trainer that continues a run from its last checkpoint, or let it wait in the queue.

    Raises:
        NotAllowedError: The visitor may not change the run, not train so much, or has enough runs in the queue.
        RunStoreError: The run has nothing left to train, or the trainer could not start.
    """
    store.require_change(run)
    if config := run.read().config:  # without one, the trainer says what is wrong
        store.require_training(config)

    def add() -> Run:
        RunQueue(store).add_again(run)
        return run

    return _start_or_wait(store, lambda: _start(store, run, [f"--continue={run.run_id}"]), add)


def _option(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag}={value}"


def _start(store: RunStore, run: Run, options: list[str]) -> Run:
    if store.access.minutes:
        options = [*options, f"--minutes={store.access.minutes}"]
    process = start_process(store, ["train", *options, f"--background-run={run.run_id}"])
    run = _wait_for_claim(process, run)
    _stop_on_exit(process)
    return run


def start_process(store: RunStore, arguments: list[str], errors: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start a command of the project on a store.

    Args:
        store: The runs, and beside them the data sets.
        arguments: The command and its options.
        errors: Where its standard error goes.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "mnist_lib", *arguments, f"--runs-dir={store.root}"],
        cwd=PROJECT_PATH,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "MNIST_DATA_DIR": str(DatasetLibrary.beside(store.root).root)},
    )


def last_line(errors: str) -> str:
    """Return what a command said last on standard error, without its name."""
    lines = errors.strip().splitlines() or ["the trainer ended unexpectedly"]
    return lines[-1].removeprefix("mnist_lib: ")


def _stop_on_exit(process: subprocess.Popen[str]) -> None:
    """Where the environment says MNIST_ON_EXIT=stop, stop a process before this one ends."""
    if os.environ.get("MNIST_ON_EXIT") == "stop":
        if not _stopped_on_exit:
            atexit.register(_stop_all)
        _stopped_on_exit[:] = [other for other in _stopped_on_exit if other.poll() is None] + [process]


# A trainer, and what works the queue.
_stopped_on_exit: list[subprocess.Popen[str]] = []


def _stop_all() -> None:
    for process in _stopped_on_exit:
        process.terminate()
    for process in _stopped_on_exit:
        stop_process(process)


def stop_process(process: subprocess.Popen[str]) -> None:
    """Stop a trainer, or what works the queue, as the Stop button does, and wait until its model is kept."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)


def _wait_for_claim(process: subprocess.Popen[str], run: Run) -> Run:
    deadline = time.monotonic() + CLAIM_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            _, errors = process.communicate()
            refused = process.returncode == REFUSED_EXIT_CODE
            raise (TrainingRefusedError if refused else RunStoreError)(last_line(errors))
        # Two starts in one second may choose the same name, so the pid tells whose run it is. Not
        # on Windows, where the Python of a virtual environment only launches another process.
        with suppress(DamagedRunError):
            if run.read_status().pid == process.pid or os.name == "nt":
                return run
        time.sleep(0.02)
    process.kill()
    raise RunStoreError(f"The trainer did not start within {CLAIM_TIMEOUT_S:.0f} s.")
