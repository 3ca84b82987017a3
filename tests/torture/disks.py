"""Disks that are full or read-only, and clocks that are set back."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from mnist_lib.command_line import main
from mnist_lib.drawing.own_test_set import OwnDigits, OwnDigitsError
from mnist_lib.runs.archive import archive_run, load_archive
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from tests.support.disks import mounted_disk
from tests.support.processes import Copy, Python, wait_until
from tests.support.runs import change_json
from tests.torture.kills import SETTINGS, figures_of, finish_training
from tests.torture.row import Row, digest
from tests.torture.screens import SCREENS, Screens
from tests.torture.uploads import require_one_line


class FullDisks(Row):
    """A training on a disk with less and less room ends in one line, and goes on when there is room again."""

    name = "full-disks"
    what = "trainings on a disk that is full sooner or later in them"
    cases = 40
    quick_cases = 0  # to load TensorFlow takes longer than all else
    max_processor_s = 60.0
    max_memory_mb = 1_500.0

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        self.stack = ExitStack()
        self.disk = self.stack.enter_context(mounted_disk(folder / "disk", "64m"))
        self.settings = (*SETTINGS, "--epochs=3")
        undisturbed = RunStore(folder / "undisturbed", folder / "none")
        said = finish_training(folder, undisturbed, *self.settings)
        assert said.endswith("exit code 0\n"), said
        self.expected = figures_of(undisturbed.own_runs()[0])
        used = sum(-(-path.stat().st_size // 4096) for path in undisturbed.root.rglob("*") if path.is_file())
        self.largest_kb = 4 * used + 300

    def close(self) -> None:
        self.stack.close()

    def case(self, number: int, random: Random) -> str:
        size_kb = 4 * (3 + (self.largest_kb // 4) * (number % self.cases) // self.cases)
        shutil.rmtree(self.disk / "runs", ignore_errors=True)
        subprocess.run(["mount", "-o", f"remount,size={size_kb}k", self.disk], check=True)
        store = RunStore(self.disk / "runs", self.folder / "none")
        said = finish_training(self.folder, store, *self.settings)
        step = "nowhere"
        runs = store.own_runs()
        lines = said.splitlines()
        if lines[-1] != "exit code 0":
            assert lines[-1] == "exit code 2", said[-500:]
            errors = [line for line in lines if line.startswith("mnist_lib: ")]
            assert len(errors) == 1, said[-500:]
            assert "Traceback" not in said, said[-500:]
            assert "the disk is full" in errors[0] or "No space left" in errors[0], errors[0]
            step = "before there is a run"
            if runs:
                # Of the functions in the traceback, the innermost that says what was written.
                log = runs[0].log_path.read_text()
                steps = re.findall(r'mnist_lib/(?:runs|training)/\S+", line \d+, in (?!_|require_space)(\w+)', log)
                step = f"in {steps[-1]}" if steps else "where the log has no room to say"
        subprocess.run(["mount", "-o", "remount,size=64m", self.disk], check=True)
        if runs and step != "nowhere":
            snapshot = runs[0].read()
            assert (snapshot.state, snapshot.message) == ("failed", "the disk is full"), (
                f"{step}: {snapshot.state}, {snapshot.message}"
            )
            said = finish_training(self.folder, store, f"--continue={runs[0].run_id}")
        elif not runs:
            said = finish_training(self.folder, store, *self.settings)
        assert said.endswith("exit code 0\n"), f"{step}: {said[-500:]}"
        (run,) = store.own_runs()
        assert figures_of(run) == self.expected, "it ends otherwise than without a full disk"
        store.delete(run)
        left = [
            path.name
            for path in store.root.iterdir()
            if path.name not in (".training.lock", ".training.json", ".queue.lock")
        ]
        assert not left, f"{left} are left"
        return f"full {step}"


class ReadOnly(Screens):
    """What would be written on a read-only disk is said in one line; every screen and all reading goes on."""

    name = "read-only"
    what = "things that a person does on a read-only disk"
    cases = 18
    quick_cases = 18
    max_processor_s = 60.0
    max_memory_mb = 1_500.0

    def __init__(self, folder: Path, source: Run) -> None:
        self.stack = ExitStack()
        disk = self.stack.enter_context(mounted_disk(folder / "disk", "64m"))
        super().__init__(folder, source, disk / "runs")
        images = np.eye(40, dtype=np.float32)
        self.own = OwnDigits.beside(self.store.root)
        self.kept = self.own.add(images, 1, "canvas")
        self.drawings = self.own.to_zip()
        self.zip = archive_run(self.run)
        self.stopped = Run(Path(shutil.copytree(source.path, self.store.root / "stopped")))
        change_json(self.stopped.path / "status.json", state="interrupted", result=None, epoch=0)
        (self.stopped.path / "metrics.jsonl").write_text("")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    def close(self) -> None:
        super().close()
        self.stack.close()

    def case(self, number: int, random: Random) -> str:
        ink = np.eye(50, dtype=np.float32)
        writes: list[Callable[[], Any]] = [
            lambda: self.store.rename(self.run, "other"),
            lambda: self.store.delete(self.run),
            lambda: self.run.write_note("a note"),
            lambda: self.run.request(stop=True),
            lambda: load_archive(io.BytesIO(self.zip), self.store),
            lambda: self.own.add(ink, 1, "canvas"),
            lambda: self.own.delete([self.kept.digit_id]),
            lambda: self.own.clear(),
            lambda: self.own.load_zip(io.BytesIO(self.drawings)),
        ]
        before = digest(self.store.root.parent)
        if number < len(writes):
            try:
                writes[number]()
            except (RunStoreError, OwnDigitsError) as error:
                require_one_line(error)
                said = "refused in one line"
            else:
                raise AssertionError(f"thing {number} was done")
        elif number < len(writes) + 2:
            chosen = ("--limit=100",) if number == len(writes) else ("--continue=stopped",)
            code, _, stderr = Python().run("-m", "mnist_lib", "train", *chosen, f"--runs-dir={self.store.root}")
            assert code == 2, stderr
            assert len(stderr.splitlines()) == 1, stderr
            said = "refused in one line"
        else:
            self.open(SCREENS[number - len(writes) - 2], {"run": self.run.run_id})
            said = "screen shown"
        assert digest(self.store.root.parent) == before
        return said


def train_by(clock: Path, arguments: list[str]) -> int:
    """Train with a clock that is wrong by as many seconds as a file says."""
    right_time = time.time
    time.time = lambda: right_time() + float(clock.read_text() or 0)
    return main(arguments)


class Clocks(Row):
    """A clock that is set back while a network is trained harms neither the training nor what is said of it."""

    name = "clocks"
    what = "clocks set back during a training, by a second to forty years"
    cases = 14
    quick_cases = 0  # to load TensorFlow takes longer than all else
    max_processor_s = 60.0
    max_memory_mb = 1_500.0

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        self.store = RunStore(folder / "runs", folder / "none")
        said = finish_training(folder, self.store, *SETTINGS)
        assert said.endswith("exit code 0\n"), said
        self.expected = figures_of(self.store.own_runs()[0])

    def case(self, number: int, random: Random) -> str:
        from psutil import _pslinux  # only on Linux

        known = {run.run_id for run in self.store.own_runs()}
        back_s = (1, 5, 130, 3_600, 86_400, 366 * 86_400, 40 * 366 * 86_400)[number % 7]
        right_time, right_boot = time.time, _pslinux.boot_time
        offset = 0.0
        clock = self.folder / "clock.txt"
        clock.write_text("0")
        # As the kernel does it: what it says of its own start moves with the clock.
        _pslinux.boot_time = lambda: right_boot() + offset
        time.time = lambda: right_time() + offset
        try:
            trainer = Copy(train_by, clock, ["train", *SETTINGS, f"--runs-dir={self.store.root}"], folder=self.folder)
            (run,) = wait_until(lambda: [run for run in self.store.own_runs() if run.run_id not in known])
            wait_until(lambda: run.read_status().pid == trainer.pid)
            time.sleep(random.uniform(0, 1.5))
            offset = -float(back_s)
            clock.write_text(str(offset))
            alive = True
            while alive:
                alive = trainer.returncode is None
                snapshot = run.read()
                assert snapshot.is_active or not alive or snapshot.state == "finished", (
                    f"{snapshot.state}: {snapshot.message}"
                )
                time.sleep(0.05)
        finally:
            time.time, _pslinux.boot_time = right_time, right_boot
        snapshot = run.read()
        assert snapshot.state == "finished", f"{snapshot.state}: {snapshot.message}"
        assert figures_of(run) == self.expected
        times = [row.elapsed_s for row in snapshot.batches]
        assert times == sorted(times), "the time of training goes back"
        assert snapshot.result
        assert 0 < snapshot.result.train_seconds < 120
        self.store.delete(run)
        return "trained as without"
