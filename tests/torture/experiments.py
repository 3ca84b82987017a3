"""Experiments on this machine and on a cluster, while everything that works on them is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import psutil

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import ACTIVE_STATES
from mnist_lib.runs.run import Run
from tests.support.browser import Server
from tests.support.cluster import Cluster
from tests.support.visitor import Visitor
from tests.torture.kills import figures_of
from tests.torture.row import Row

VICTIMS = ("server", "worker of the queue", "trainer", "scheduler", "worker of the cluster", "dispatcher")

# A few seconds after Keras is loaded.
CONFIG = TrainingConfig(
    "custom", epochs=8, batch_size=32, training_images=1280, filters_1=4, filters_2=8, dense_units=16
)
SEEDS = 2
DEADLINE_S = 240.0


class ExperimentKills(Row):
    """Every run of an experiment ends once, whatever is killed meanwhile."""

    name = "experiment-kills"
    what = "SIGKILLs under an experiment here and one on a cluster, after which all four runs ended, each once"
    cases = 20
    quick_cases = 0  # tests/training/test_work.py and tests/cluster kill each of them
    max_processor_s = 400.0
    max_memory_mb = 1_500.0

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        self.cluster = Cluster(folder)
        self.store = self.cluster.store
        self.queue = RunQueue(self.store)
        self.scheduler = self.cluster.start_scheduler()
        self.workers = [self.cluster.start_worker() for _ in range(2)]
        self.server = Server(self.store.root)
        self.expected: dict[int, list[object]] = {}  # the figures of a run, by its seed

    def close(self) -> None:
        self.server.kill()
        self.queue.pause()
        for place in ("", self.cluster.address):
            self._kill(self.queue.worker_pid(place))
        for run in self.store.own_runs():
            self._kill(self._trainer(run))
        self.cluster.python.end_all()

    def case(self, number: int, random: Random) -> str:
        victim = VICTIMS[number] if number < len(VICTIMS) else random.choice(VICTIMS)
        configs = [replace(CONFIG, seed=seed) for seed in range(SEEDS)]
        runs = self.queue.add_all(configs, MNIST_DESCRIPTION, f"here-{number}")
        runs += self.queue.add_all(configs, MNIST_DESCRIPTION, f"cluster-{number}", cluster=self.cluster.address)
        names = {run.run_id for run in runs}
        killed = asyncio.run(self._train_all(runs, victim, random.uniform(0, 15)))
        assert {run.run_id for run in self.store.own_runs()} == names, "a run is lost or doubled"
        for run in runs:
            self._check(run)
            self.store.delete(run)
        return f"of the {killed}"

    async def _train_all(self, runs: list[Run], victim: str, delay_s: float) -> str:
        """Keep a visitor at the screens until all runs have ended, and kill the victim on the way."""
        began, killed = time.monotonic(), ""
        while time.monotonic() < began + DEADLINE_S:
            async with Visitor(self.server.url) as visitor:
                await visitor.open("train")
                while time.monotonic() < began + DEADLINE_S:
                    await asyncio.sleep(0.2)
                    if not killed and time.monotonic() > began + delay_s and self._is_there(victim):
                        self._kill_and_replace(victim)
                        killed = victim
                        if victim == "server":
                            break  # a visitor of the next one
                    if killed and all(self._has_ended(run) for run in runs):
                        return killed
        raise AssertionError(f"after the kill of {killed or 'nobody'}: {[run.read().state for run in runs]}")

    def _is_there(self, victim: str) -> bool:
        return victim in ("server", "scheduler", "worker of the cluster") or self._pid(victim) is not None

    def _kill_and_replace(self, victim: str) -> None:
        if victim == "server":
            self.server.kill()
            self.server = Server(self.store.root)
        elif victim == "scheduler":
            self.scheduler.send_signal(signal.SIGKILL)
            self.scheduler.wait()
            self.scheduler = self.cluster.start_scheduler()
            for worker in self.workers:  # they end without their scheduler
                worker.wait(DEADLINE_S)
            self.workers = [self.cluster.start_worker() for _ in range(2)]
        elif victim == "worker of the cluster":
            worker = self.workers.pop(0)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            self.workers.append(self.cluster.start_worker())
        else:
            self._kill(self._pid(victim))

    def _pid(self, victim: str) -> int | None:
        if victim == "trainer":
            active = self.store.active_run()
            return self._trainer(active) if active else None
        return self.queue.worker_pid("" if victim == "worker of the queue" else self.cluster.address)

    def _trainer(self, run: Run) -> int | None:
        status = run.read_status()
        return status.pid if status.state in ACTIVE_STATES and status.pid != os.getpid() else None

    @staticmethod
    def _kill(pid: int | None) -> None:
        if pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()

    @staticmethod
    def _has_ended(run: Run) -> bool:
        return run.read_status().state == "finished" and run.read_queue_record() is None

    def _check(self, run: Run) -> None:
        snapshot = run.read()
        assert snapshot.state == "finished", f"{run.run_id}: {snapshot.state}, {snapshot.message}"
        epochs = [row.epoch for row in snapshot.epochs]
        assert epochs == list(range(1, CONFIG.epochs + 1)), f"epochs {epochs}"
        assert snapshot.config
        seed = snapshot.config.seed
        assert self.expected.setdefault(seed, [*figures_of(run)]) == figures_of(run), f"seed {seed} ends otherwise"
