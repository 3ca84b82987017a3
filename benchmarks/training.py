"""Measure the presets against a bare Keras script of the paper's recipe, and what streaming costs.

    python -m benchmarks.training [--seeds 0 1 2 3 4] [--accurate-seeds 0 1 2] [--json]

Each training is a separate process. Those with the same seed take turns with the bare
script, so that a drifting speed of the machine affects both alike; the ratio within a turn
is what counts. Times are from the call of fit to its return; ours include the streaming and
the evaluation of the test images after each epoch, the bare script's include neither.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnist_lib.config import PRESETS, TrainingConfig
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.progress import measure_progress
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import start_training

# Images of one training for the cost of streaming: a few seconds each, with more rows per second for small batches.
STREAMED_IMAGES = {1: 3_000, 8: 10_000, 32: 30_000, 256: 60_000, 4096: 60_000}


def bare_script(seed: int) -> None:
    """Train as the paper's script does, and nothing else."""
    import keras
    import numpy as np

    with np.load(PROJECT_PATH / "mnist_lib" / "assets" / "mnist.npz", allow_pickle=False) as data:
        x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    # Dividing an array of bytes by 255.0 gives float64, as it did in the paper.
    x_train = (x_train / 255.0).reshape(-1, 28, 28, 1)
    x_test = (x_test / 255.0).reshape(-1, 28, 28, 1)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, (3, 3), activation="relu"),
            keras.layers.MaxPooling2D((2, 2)),
            keras.layers.Conv2D(64, (3, 3), activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    began = time.perf_counter()
    model.fit(x_train, y_train, epochs=5, verbose=0)  # pyright: ignore[reportArgumentType]
    seconds = time.perf_counter() - began
    accuracy = float(model.evaluate(x_test, y_test, verbose=0)[1])  # pyright: ignore[reportArgumentType]
    print(json.dumps({"train_seconds": seconds, "test_accuracy": accuracy}))


def time_streaming(batch_size: int) -> None:
    """Train an epoch and print the share of its time that the callbacks' work between batches took."""
    from mnist_lib.data.dataset import load_mnist
    from mnist_lib.network.backend import choose_onednn, load_keras

    load_keras(onednn=choose_onednn("auto"))
    from mnist_lib.training import callbacks
    from mnist_lib.training.train import train

    spent_s = 0.0

    def timed(method: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> None:
            nonlocal spent_s
            began = time.perf_counter()
            method(*arguments, **options)
            spent_s += time.perf_counter() - began

        return call

    for callback in (
        callbacks.StepCounter, callbacks.ScheduledLearningRate, callbacks.BatchLogger, callbacks.RunControl,
    ):  # fmt: skip
        for name in {"on_train_batch_begin", "on_train_batch_end"} & vars(callback).keys():
            setattr(callback, name, timed(getattr(callback, name)))
    config = TrainingConfig(
        "custom", epochs=2, batch_size=batch_size, training_images=STREAMED_IMAGES[batch_size], schedule="one-cycle"
    )
    with tempfile.TemporaryDirectory() as folder, RunStore(Path(folder)).training(config) as run:
        result = train(config, load_mnist(), run)
        rows = len(run.read().batches)
    print(json.dumps({"share": spent_s / result.train_seconds, "rows": rows, "seconds": result.train_seconds}))


def time_to_first_point() -> dict[str, Any]:
    """Start a training as the Start button does; return the seconds to its first row and the phases of its status."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = start_training(RunStore(Path(folder)), PRESETS["fast"])
        said = {}
        while not run.read().batches:
            said.setdefault(run.read_status().phase, round(time.perf_counter() - began, 2))
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        run.request(stop=True)
        while run.read().is_active:
            time.sleep(0.1)
    return {"seconds": seconds, "said": said}


def worst_time_left_error(run: Run) -> float:
    """Return the largest error of the time left, after the first tenth, relative to the time really left.

    The last two seconds do not count: a second more or less is nothing to plan by.
    """
    snapshot = run.read()
    end_s = snapshot.epochs[-1].elapsed_s
    worst = 0.0
    for number, row in enumerate(snapshot.batches, start=1):
        epochs = [epoch for epoch in snapshot.epochs if epoch.step < row.step]
        then = replace(snapshot, batches=snapshot.batches[:number], epochs=epochs)
        progress, left_s = measure_progress(then), end_s - row.elapsed_s
        if progress.fraction >= 0.1 and progress.seconds_left is not None and left_s > 2:
            worst = max(worst, abs(progress.seconds_left - left_s) / left_s)
    return worst


def last_json_line(command: list[str]) -> dict[str, Any]:
    """Run a command and return the JSON object on the last line of its output."""
    done = subprocess.run(
        [sys.executable, *command], cwd=PROJECT_PATH, capture_output=True, text=True, check=True, timeout=3600
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure_presets(seeds: list[int], accurate_seeds: list[int], folder: Path) -> list[dict[str, Any]]:
    """Train every preset with every seed beside the bare script and return one row per training."""
    rows = []
    for seed in seeds:
        bare = last_json_line(["-m", "benchmarks.training", "--bare", str(seed)])
        bare_s = bare["train_seconds"]
        rows.append({"recipe": "bare script", "seed": seed, "seconds": bare_s, "ratio": 1.0} | bare)
        print(format_row(rows[-1]), file=sys.stderr, flush=True)
        for preset in PRESETS:
            if preset == "accurate" and seed not in accurate_seeds:
                continue
            options = [f"--preset={preset}", f"--seed={seed}", f"--runs-dir={folder}"]
            ours = last_json_line(["-m", "mnist_lib", "train", "--json", *options])
            run = Run(folder / ours["run_id"])
            rows.append(
                {
                    "recipe": preset,
                    "seed": seed,
                    "seconds": ours["train_seconds"],
                    "ratio": ours["train_seconds"] / bare_s,
                    "test_accuracy": ours["test_accuracy"],
                    "precision": ours["precision"],
                    "time_left_error": worst_time_left_error(run),
                    "metrics_bytes_per_epoch": (run.path / "metrics.jsonl").stat().st_size / ours["epochs"],
                }
            )
            print(format_row(rows[-1]), file=sys.stderr, flush=True)
    return rows


def format_row(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    misclassified = round((1 - row["test_accuracy"]) * 10_000)
    line = f"{row['recipe']:<12} {row['seed']:>4}  {row['test_accuracy']:>7.2%}  {misclassified:>5}"
    line += f"  {row['seconds']:>7.1f}  {row['ratio']:>6.3f}  {1 / row['ratio']:>6.2f}"
    if "precision" in row:
        line += f"  {row['precision']:<14}  {row['time_left_error']:>6.0%}"
        line += f"  {20 * row['metrics_bytes_per_epoch'] / 1e6:>6.2f}"
    return line


def format_summary(rows: list[dict[str, Any]]) -> list[str]:
    """Return median and worst of every recipe."""
    lines = []
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        of_recipe = [row for row in rows if row["recipe"] == recipe]
        wrong = [round((1 - row["test_accuracy"]) * 10_000) for row in of_recipe]
        speedups = [1 / row["ratio"] for row in of_recipe]
        lines.append(
            f"{recipe:<12} misclassified: median {statistics.median(wrong):g}, worst {max(wrong)}; "
            f"times faster than the bare script: median {statistics.median(speedups):.2f}, worst {min(speedups):.2f}"
        )
    return lines


def main() -> None:
    """Print the tables, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--accurate-seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bare", type=int, metavar="SEED", help=argparse.SUPPRESS)
    parser.add_argument("--streaming", type=int, metavar="BATCH_SIZE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare is not None:
        bare_script(options.bare)
        return
    if options.streaming is not None:
        time_streaming(options.streaming)
        return
    first_points = [time_to_first_point() for _ in range(3)]
    streaming = {
        size: last_json_line(["-m", "benchmarks.training", "--streaming", str(size)]) for size in STREAMED_IMAGES
    }
    with tempfile.TemporaryDirectory() as folder:
        rows = measure_presets(options.seeds, options.accurate_seeds, Path(folder))
    if options.json:
        print(json.dumps({"rows": rows, "streaming": streaming, "first_points": first_points}))
        return
    print(
        "recipe       seed  accuracy  wrong  seconds   ratio  faster  precision  time left off  MB of rows in 20 epochs"
    )
    for line in [format_row(row) for row in rows] + format_summary(rows):
        print(line)
    for size, row in streaming.items():
        print(f"Streaming at batch size {size}: {row['share']:.2%} of {row['seconds']:.1f} s, {row['rows']} rows")
    seconds = [point["seconds"] for point in first_points]
    print(f"From Start to the first point: median {statistics.median(seconds):.1f} s, worst {max(seconds):.1f} s")
    print(f"Meanwhile the status says, and since when: {first_points[-1]['said']}")


if __name__ == "__main__":
    main()
