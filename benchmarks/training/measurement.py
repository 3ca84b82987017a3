"""Measures in processes of their own, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchmarks.training.results import BARE, BARE_ONEDNN, FirstPoint, Machine, Streaming, Training
from mnist_lib.config import PRESETS
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.progress import measure_progress
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import start_training

# How often the short measurements are repeated.
STARTS, READINGS = 3, 5

# TensorFlow's own switch, read once when it is imported.
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"

_Printed = TypeVar("_Printed")


class MeasurementError(Exception):
    """A process that was to be measured failed. The message is one line."""


def measure_trainings(
    seeds: Sequence[int], presets: Sequence[str], training_images: int, bare_onednn: bool = False
) -> Iterator[Training]:
    """Train every preset with every seed beside the bare script, and yield each training when it is done.

    Args:
        seeds: The seeds.
        presets: Names of presets.
        training_images: How many of the 60,000 images to use, the first ones.
        bare_onednn: Whether the bare script also takes its turn with oneDNN, which TensorFlow
            leaves off on many processors.

    Raises:
        MeasurementError: A training failed.
    """
    for seed in seeds:
        bare_seconds: dict[str, Any] = {}
        for recipe in [BARE, BARE_ONEDNN] if bare_onednn else [BARE]:
            command = ["-m", "benchmarks.training.bare_script", f"{seed}", f"{training_images}"]
            environment = _environment() | ({_ONEDNN: "1"} if recipe == BARE_ONEDNN else {})
            bare = _run(command, dict[str, Any], environment)
            name = "bare_seconds" if recipe == BARE else "bare_onednn_seconds"
            bare_seconds[name] = bare["seconds"]
            yield msgspec.convert({"recipe": recipe, "seed": seed} | bare | bare_seconds, Training)
        for preset in presets:
            yield _measure_preset(preset, seed, training_images, bare_seconds)


def _measure_preset(preset: str, seed: int, training_images: int, bare_seconds: dict[str, Any]) -> Training:
    with tempfile.TemporaryDirectory() as folder:
        options = [f"--preset={preset}", f"--seed={seed}", f"--limit={training_images}", f"--runs-dir={folder}"]
        ours = _run(["-m", "mnist_lib", "train", "--json", *options], dict[str, Any])
        run = Run(Path(folder) / ours["run_id"])
        snapshot = run.read()
        return Training(
            recipe=preset,
            seed=seed,
            test_accuracy=ours["test_accuracy"],
            seconds=ours["train_seconds"],
            images_per_second=ours["images_per_second"],
            precision=ours["precision"],
            onednn=snapshot.record.onednn,
            curve=[(row.elapsed_s, row.test_accuracy) for row in snapshot.epochs],
            time_left_error=worst_time_left_error(snapshot),
            row_bytes_per_epoch=(run.path / "metrics.jsonl").stat().st_size / ours["epochs"],
            **bare_seconds,
        )


def worst_time_left_error(snapshot: RunSnapshot) -> float:
    """Return the largest error of the time left, after the first tenth, relative to the time really left.

    The last two seconds do not count: a second more or less is nothing to plan by.

    Args:
        snapshot: A finished run.
    """
    end_s = snapshot.epochs[-1].elapsed_s
    worst = 0.0
    for number, row in enumerate(snapshot.batches, start=1):
        epochs = [epoch for epoch in snapshot.epochs if epoch.step < row.step]
        then = replace(snapshot, batches=snapshot.batches[:number], epochs=epochs)
        progress, left_s = measure_progress(then), end_s - row.elapsed_s
        if progress.fraction >= 0.1 and progress.seconds_left is not None and left_s > 2:
            worst = max(worst, abs(progress.seconds_left - left_s) / left_s)
    return worst


def measure_machine() -> Machine:
    """Describe this machine and its software."""
    return _run(["-m", "benchmarks.training.machine"], Machine, _environment())


def measure_streaming(batch_size: int) -> Streaming:
    """Measure what streaming takes at a batch size."""
    return _run(["-m", "benchmarks.training.streaming", f"{batch_size}"], Streaming)


def measure_prediction() -> float:
    """Return the seconds that ``evaluate`` takes to read the 10,000 test images."""
    return _run(["-m", "mnist_lib", "evaluate", "pretrained-paper", "--json"], dict[str, Any])["predict_seconds"]


def measure_first_point() -> FirstPoint:
    """Start a training as the Start button does, and end it after its first row."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = start_training(RunStore(Path(folder)), PRESETS["fast"])
        phases: dict[str, float] = {}
        while not (snapshot := run.read()).batches:
            if not snapshot.is_active:
                raise MeasurementError(f"the training {snapshot.state}: {snapshot.message}")
            phases.setdefault(run.read_status().phase, round(time.perf_counter() - began, 2))
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        run.request(stop=True)
        while run.read().is_active:
            time.sleep(0.1)
    return FirstPoint(seconds=seconds, phases=phases)


def _environment() -> dict[str, str]:
    """Return the environment in which TensorFlow itself decides about oneDNN, whatever the person has set."""
    return {name: value for name, value in os.environ.items() if name != _ONEDNN}


def _run(command: list[str], kind: type[_Printed], environment: dict[str, str] | None = None) -> _Printed:
    """Run a command of Python and return the JSON object on the last line of its output."""
    done = subprocess.run(
        [sys.executable, *command], cwd=PROJECT_PATH, env=environment, capture_output=True, text=True, timeout=3600
    )
    if done.returncode:
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise MeasurementError(f"python {' '.join(command)} failed: {said}")
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=kind)
