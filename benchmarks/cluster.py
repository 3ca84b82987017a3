"""Measure what a cluster adds to trainings, with workers that sleep in place of training: this machine has few cores.

    python -m benchmarks.cluster [--seconds 10] [--workers 1 3 8] [--reporting 25 50 100] [--json]

First, 1, 3 and 8 worker processes with three runs each: how long a run takes from its place in the queue to the next
one's, beyond the seconds that its worker slept. Second, many runs that report at once, ten workers a process: how many
exchanges a second the dispatcher makes, how long it is from one exchange of a run to its next, one second at best,
and how much of a core dispatcher and scheduler use. Everything runs on this machine, so its cores are shared by all
of the cluster.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cluster_stand_in import PAPER_RUN
from mnist_lib.cluster.dispatch import dispatch
from mnist_lib.cluster.remote_training import RemoteTraining
from mnist_lib.cluster.task import News
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.store import RunStore

WORKERS_PER_PROCESS = 10
RUNS_PER_WORKER = 3


@contextmanager
def started_cluster(folder: Path, processes: int, workers: int, seconds: float) -> Iterator[tuple[str, psutil.Process]]:
    """Start a scheduler and processes with some workers each; yield the scheduler's address and its process."""
    file = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    started = [_start("-m", "dask", "scheduler", *options)]
    try:
        while not file.exists():
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        stand_in = ("-m", "benchmarks.cluster_stand_in", address, str(workers), str(seconds))
        started += [_start(*stand_in) for _ in range(processes)]
        _wait_for(address, processes * workers)
        yield address, psutil.Process(started[0].pid)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *arguments], cwd=PROJECT_PATH, stderr=subprocess.DEVNULL)


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=120)


def measure(processes: int, workers: int, runs: int, seconds: float) -> dict[str, Any]:
    """Let a cluster of sleeping workers train some runs, and return what that took."""
    exchanges: dict[str, list[float]] = {}
    bring_in = RemoteTraining._bring_in

    def count(self: RemoteTraining, news: News | None) -> None:
        exchanges.setdefault(self.run.run_id, []).append(time.monotonic())
        bring_in(self, news)

    config, _ = PAPER_RUN.read_config()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = RunStore(folder / "runs")
        with started_cluster(folder, processes, workers, seconds) as (address, scheduler):
            RunQueue(store).add_all([config] * runs, MNIST_DESCRIPTION, "benchmark", address)
            RemoteTraining._bring_in = count
            before, used = sum(scheduler.cpu_times()[:2]), time.process_time()
            began = time.monotonic()
            try:
                dispatch(store, address, on_message=lambda message: print(message, file=sys.stderr))
            finally:
                RemoteTraining._bring_in = bring_in
            wall = time.monotonic() - began
            scheduler_s = sum(scheduler.cpu_times()[:2]) - before
        states = [run.read().state for run in store.own_runs()]
    gaps = sorted(after - at for times in exchanges.values() for at, after in pairwise(times))
    # While all of them report: from the last one's beginning to the first one's end.
    first, last = max(times[0] for times in exchanges.values()), min(times[-1] for times in exchanges.values())
    within = sum(first <= at <= last for times in exchanges.values() for at in times)
    return {
        "workers": processes * workers,
        "runs": runs,
        "finished": states.count("finished"),
        "wall_s": wall,
        "overhead_s": wall / (runs / (processes * workers)) - seconds,
        "exchanges_per_s": within / (last - first) if last > first else None,
        "gap_median_s": gaps[len(gaps) // 2],
        "gap_worst_s": gaps[-1],
        "dispatcher_core": (time.process_time() - used) / wall,
        "scheduler_core": scheduler_s / wall,
    }


def main() -> None:
    """Print the tables, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 3, 8])
    parser.add_argument("--reporting", type=int, nargs="*", default=[25, 50, 100])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    overhead = [measure(workers, 1, RUNS_PER_WORKER * workers, options.seconds) for workers in options.workers]
    reporting = [
        measure(-(-runs // WORKERS_PER_PROCESS), min(runs, WORKERS_PER_PROCESS), runs, 3 * options.seconds)
        for runs in options.reporting
    ]
    if options.json:
        print(json.dumps({"overhead": overhead, "reporting": reporting}))
        return
    print(f"{'worker processes':>17}{'runs':>6}{'finished':>10}{'wall':>10}{'overhead a run':>16}")
    for row in overhead:
        counts = f"{row['workers']:>17}{row['runs']:>6}{row['finished']:>10}"
        print(f"{counts}{row['wall_s']:>8.1f} s{row['overhead_s']:>14.2f} s")
    head = f"{'reporting':>10}{'finished':>10}{'exchanges':>12}{'from one to the next':>27}"
    print(f"\n{head}{'dispatcher':>14}{'scheduler':>14}")
    for row in reporting:
        rate = f"{row['exchanges_per_s']:.1f}/s" if row["exchanges_per_s"] else "-"
        print(
            f"{row['runs']:>10}{row['finished']:>10}{rate:>12}"
            f"{row['gap_median_s']:>10.2f} s, worst {row['gap_worst_s']:>5.2f} s"
            f"{row['dispatcher_core']:>9.0%} core{row['scheduler_core']:>9.0%} core"
        )


if __name__ == "__main__":
    main()
