"""Measure the paper's recipe here against a bare Keras script of the same recipe.

    python benchmarks/training.py [--seeds 0 1 2] [--json]

Each training is a process of its own. They take turns, so that a machine whose
speed drifts treats them alike; the ratio within a turn is what counts. Times are
from the call of fit to its return; ours include the streaming and the evaluation
of the test images after each epoch, the bare script's include neither.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT_PATH = Path(__file__).parents[1]


def bare_script(seed: int, dtype: str) -> None:
    """Train as the paper's script does, with nothing around it."""
    import keras
    import numpy as np

    with np.load(PROJECT_PATH / "mnist_lib" / "assets" / "mnist.npz", allow_pickle=False) as data:
        x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    # Dividing an array of bytes by 255.0 gives float64, as it did in the paper.
    x_train = (x_train / 255.0).astype(dtype).reshape(-1, 28, 28, 1)
    x_test = (x_test / 255.0).astype(dtype).reshape(-1, 28, 28, 1)
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


def last_json_line(command: list[str]) -> dict:
    """Run a command and return the JSON object on the last line of its output."""
    done = subprocess.run(
        [sys.executable, *command], cwd=PROJECT_PATH, capture_output=True, text=True, check=True, timeout=3600
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(seeds: list[int]) -> list[dict]:
    """Return one row a seed."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            ours = last_json_line(
                ["-m", "mnist_lib", "train", "--preset=paper", f"--seed={seed}", f"--runs-dir={folder}", "--json"]
            )
            bare = {
                dtype: last_json_line([__file__, "--bare", dtype, "--seeds", str(seed)])
                for dtype in ("float64", "float32")
            }
            rows.append(
                {
                    "seed": seed,
                    "test_accuracy": ours["test_accuracy"],
                    "misclassified": ours["misclassified"],
                    "seconds": ours["train_seconds"],
                    "bare_test_accuracy": bare["float64"]["test_accuracy"],
                    "bare_seconds": bare["float64"]["train_seconds"],
                    "bare_float32_seconds": bare["float32"]["train_seconds"],
                    "ratio": ours["train_seconds"] / bare["float64"]["train_seconds"],
                    "ratio_float32": ours["train_seconds"] / bare["float32"]["train_seconds"],
                }
            )
            print(format_row(rows[-1]), file=sys.stderr, flush=True)
    return rows


def format_row(row: dict) -> str:
    """Return a row of the table."""
    return (
        f"{row['seed']:>4}  {row['test_accuracy']:>8.2%}  {row['misclassified']:>13}  {row['bare_test_accuracy']:>8.2%}"
        f"  {row['seconds']:>7.1f}  {row['bare_seconds']:>7.1f}  {row['bare_float32_seconds']:>12.1f}"
        f"  {row['ratio']:>6.3f}  {row['ratio_float32']:>10.3f}"
    )


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bare", choices=["float64", "float32"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        bare_script(options.seeds[0], options.bare)
        return
    rows = measure(options.seeds)
    ratios = {name: [row[name] for row in rows] for name in ("ratio", "ratio_float32")}
    summary = {name: {"median": statistics.median(values), "worst": max(values)} for name, values in ratios.items()} | {
        "test_accuracy": {"median": statistics.median(row["test_accuracy"] for row in rows)}
    }
    if options.json:
        print(json.dumps({"rows": rows, **summary}))
        return
    print("seed  accuracy  misclassified  bare acc.  seconds  bare s  bare s, float32   ratio  to float32")
    for row in rows:
        print(format_row(row))
    for name, label in (("ratio", "the paper's script"), ("ratio_float32", "the same in float32")):
        print(f"Time to that of {label}: median {summary[name]['median']:.3f}, worst {summary[name]['worst']:.3f}")


if __name__ == "__main__":
    main()
