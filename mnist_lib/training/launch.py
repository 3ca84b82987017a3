"""Starts a training in a separate process, from a screen."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from mnist_lib.config import TrainingConfig, handwriting_config
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore, TrainingRefusedError

# From the start of the process to its claim on the store: Python starts and reads
# a few files. Keras is loaded after that.
CLAIM_TIMEOUT_S = 30.0

# With MNIST_ON_EXIT=stop. A batch, the test images, and writing the model.
STOP_TIMEOUT_S = 20.0

# The exit code of a trainer that found another one at work; for other errors it is 2.
REFUSED_EXIT_CODE = 3


def start_training(store: RunStore, config: TrainingConfig) -> Run:
    """Start the trainer and wait until it has claimed the store, which takes a fraction of a second.

    The child is an ordinary ``python -m mnist_lib train`` at low priority. It outlives
    the process that started it and is found again through its run directory. Where the
    environment says MNIST_ON_EXIT=stop, this process stops the training before it ends: in
    a container the end of the server is the end of all its processes.

    Raises:
        NotAllowedError: The visitor may not train with these settings.
        TrainingRefusedError: A training already runs in this store.
        RunStoreError: The trainer could not start. The message says why, in one line.
    """
    store.require_training(config)
    settings = config.to_dict()
    settings["limit"] = settings.pop("training_images")
    del settings["classes"]  # the data set has them
    # "custom" is not a preset to start from: every setting is given as an option anyway.
    settings["preset"] = "paper" if config.preset == "custom" else config.preset
    return _start_new(store, config, [_option(*item) for item in settings.items()])


def start_handwriting(store: RunStore, begun_from: Run, drawings: Path) -> Run:
    """Start a trainer that learns drawings from a run's weights, as ``start_training`` does.

    Args:
        store: Where the new run is kept.
        begun_from: The run that it begins from.
        drawings: The folder of the drawings.

    Raises:
        NotAllowedError: The visitor may not train so much.
        TrainingRefusedError: A training already runs in this store.
        RunStoreError: The trainer could not start, as with too few drawings.
        DamagedRunError: The settings of the run to begin from cannot be read.
    """
    config = handwriting_config(begun_from.read_config()[0])
    store.require_training(config)
    return _start_new(store, config, [f"--from={begun_from.run_id}", f"--drawings={drawings}"])


def _start_new(store: RunStore, config: TrainingConfig, options: list[str]) -> Run:
    run = _start(store, Run(store.root / store.new_run_id(config)), options)
    try:
        store.record_owner(run)
    except OSError as error:
        raise RunStoreError(f"Cannot write to {run.path}: {error.strerror}.") from error
    return run


def continue_training(store: RunStore, run: Run) -> Run:
    """Start a trainer that continues a run from its last checkpoint.

    Raises:
        NotAllowedError: The visitor may not change the run, or not train so much.
        TrainingRefusedError: A training already runs in this store.
        RunStoreError: The run has nothing left to train, or the trainer could not start.
    """
    store.require_change(run)
    if config := run.read().config:  # without one, the trainer says what is wrong
        store.require_training(config)
    return _start(store, run, [f"--continue={run.run_id}"])


def _option(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag}={value}"


def _start(store: RunStore, run: Run, options: list[str]) -> Run:
    running = store.active_run()
    if running:
        raise TrainingRefusedError(
            f"A training is already running: {running.run_id}. Wait for it to end, or stop it first."
        )
    if store.access.minutes:
        options = [*options, f"--minutes={store.access.minutes}"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mnist_lib",
            "train",
            *options,
            f"--runs-dir={store.root}",
            f"--background-run={run.run_id}",
        ],
        cwd=PROJECT_PATH,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "MNIST_DATA_DIR": str(DatasetLibrary.beside(store.root).root)},
    )
    run = _wait_for_claim(process, run)
    if os.environ.get("MNIST_ON_EXIT") == "stop":
        atexit.unregister(_stop)  # of an earlier training, which has ended
        atexit.register(_stop, process)
    return run


def _stop(process: subprocess.Popen[str]) -> None:
    """Stop a training as its Stop button does, and wait until its model is kept."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)


def _wait_for_claim(process: subprocess.Popen[str], run: Run) -> Run:
    deadline = time.monotonic() + CLAIM_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            _, errors = process.communicate()
            last_line = (errors.strip().splitlines() or ["the trainer ended unexpectedly"])[-1]
            refused = process.returncode == REFUSED_EXIT_CODE
            raise (TrainingRefusedError if refused else RunStoreError)(last_line.removeprefix("mnist_lib: "))
        # Two starts in one second may choose the same name, so the pid tells whose run it is. Not
        # on Windows, where the Python of a virtual environment only launches another process.
        with suppress(DamagedRunError):
            if run.read_status().pid == process.pid or os.name == "nt":
                return run
        time.sleep(0.02)
    process.kill()
    raise RunStoreError(f"The trainer did not start within {CLAIM_TIMEOUT_S:.0f} s.")
