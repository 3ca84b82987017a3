"""A Dask cluster on this machine, of real processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil

from mnist_lib.cluster.report import ClusterReport, read_report
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.processes import Python, wait_until


class Cluster:
    """A scheduler, workers and dispatchers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = Python()
        self.store = RunStore(folder / "runs", bundled_root=folder / "none")
        self.address = ""
        self.workers: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        return self.python.start(*arguments, DASK_LOGGING__DISTRIBUTED="error")

    def start_scheduler(self) -> subprocess.Popen[str]:
        """Start it where it was before."""
        port = self.address.rpartition(":")[2] or "0"
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        options = ["--host=127.0.0.1", f"--port={port}", "--no-dashboard", f"--scheduler-file={file}"]
        scheduler = self.start("-m", "dask", "scheduler", *options)
        wait_until(file.exists)
        self.address = wait_until(file.read_text).split('"address": "')[1].split('"')[0]
        return scheduler

    def start_worker(self, *command: str | Path) -> subprocess.Popen[str]:
        options = ["--host=127.0.0.1", "--no-nanny", "--no-dashboard", f"--local-directory={self.folder}"]
        worker = self.start(*(command or ("-m", "dask")), "worker", self.address, *options)
        self.workers.append(worker)
        return worker

    def start_dispatcher(self) -> subprocess.Popen[str]:
        return self.start("-m", "mnist_lib", "work", "--cluster", self.address, "--runs-dir", self.store.root)

    def report(self) -> ClusterReport:
        return read_report(self.store.root, self.address) or ClusterReport(address=self.address)

    def worker_of(self, run: Run) -> subprocess.Popen[str]:
        """Return the process of the worker that trains a run."""
        (port,) = (int(each.address.rpartition(":")[2]) for each in self.report().workers if each.run_id == run.run_id)

        def listens(worker: subprocess.Popen[str]) -> bool:
            return any(each.laddr and each.laddr[1] == port for each in psutil.Process(worker.pid).net_connections())

        return next(worker for worker in self.workers if worker.poll() is None and listens(worker))
