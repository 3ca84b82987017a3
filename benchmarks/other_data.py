"""Measure a data set of one's own: how long it takes to add, and how accurate each preset becomes on it.

    python -m benchmarks.other_data PATH [--presets fast accurate] [--json]

PATH is what ``python -m mnist_lib datasets add`` takes, for example a folder with the four files of Fashion-MNIST. Data
set and runs are made in a temporary folder, by the commands that a person would type.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.training.machine import read_processor
from mnist_lib.config import PRESETS

NAME = "other-data"


def measure(path: Path, presets: list[str]) -> dict[str, Any]:
    """Add a data set and train every preset on it once, with seed 0.

    Args:
        path: A file or folder of images.
        presets: Names in ``PRESETS``.
    """
    with TemporaryDirectory() as folder:
        runs = f"--runs-dir={Path(folder) / 'runs'}"
        adding = _run("datasets", "add", str(path), f"--name={NAME}", runs)
        trained = {
            preset: _run("train", f"--preset={preset}", f"--dataset={NAME}", runs, "--json") for preset in presets
        }
    processor, flags = read_processor(Path("/proc/cpuinfo"))
    return {
        "processor": processor,
        "flags": flags,
        "adding": {key: adding[key] for key in ("seconds", "peak_mb", "said")},
        "trained": {preset: json.loads(each["said"].splitlines()[-1]) for preset, each in trained.items()},
    }


def _run(*arguments: str) -> dict[str, Any]:
    """Run a command of the project, and return what it printed, its time and the most memory that it took."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_lib", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, *(each.memory_info().rss for each in (watched, *watched.children(recursive=True))))
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    stdout, stderr = process.communicate()
    if process.returncode:
        raise SystemExit(stderr.strip())
    return {"seconds": round(time.perf_counter() - began, 1), "peak_mb": round(peak / 1e6), "said": stdout.strip()}


def main() -> None:
    """Print a table, or with --json one object."""
    parser = argparse.ArgumentParser(description="Measure a data set of one's own.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=["fast", "accurate"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.path, options.presets)
    if options.json:
        print(json.dumps(result))
        return
    print(f"{result['processor']} ({', '.join(result['flags'])})")
    print(f"adding: {result['adding']['seconds']} s, {result['adding']['peak_mb']} MB at most")
    print(result["adding"]["said"])
    for preset, trained in result["trained"].items():
        print(
            f"{preset:<10} {trained['test_accuracy']:.2%}, {trained['misclassified']:,} misclassified, "
            f"{trained['train_seconds']:.1f} s"
        )


if __name__ == "__main__":
    main()
