"""Processes that are killed, whatever they are doing: nothing that was finished is lost."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from mnist_lib.command_line import main
from mnist_lib.data.dataset import load_mnist
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.runs.archive import archive_run
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.processes import Copy, Python, wait_until
from tests.torture.row import Row

# Ten epochs of ten batches: a second between the kills is enough for one or two.
SETTINGS = (
    "--epochs=10", "--batch-size=32", "--limit=320", "--seed=11", "--filters-1=4", "--filters-2=8", "--dense-units=16",
    "--optimizer=adam", "--schedule=one-cycle", "--shift-px=1",
)  # fmt: skip


def start_trainer(folder: Path, store: RunStore, *arguments: str) -> Copy:
    """Start ``train`` in a process that has loaded TensorFlow before; what it prints is kept in a folder."""
    return Copy(main, ["train", *arguments, f"--runs-dir={store.root}"], folder=folder)


def finish_training(folder: Path, store: RunStore, *arguments: str) -> str:
    """Train to the end and return what was printed; its last line is the exit code."""
    trainer = start_trainer(folder, store, *arguments)
    stdout, stderr = trainer.communicate()
    return f"{stdout}{stderr}exit code {trainer.returncode}\n"


def kept_files(run: Run, epochs: int) -> dict[str, bytes]:
    """Return the files of the first epochs, and the rows of metrics up to the last of them."""
    files = {path.name: path.read_bytes() for each in range(1, epochs + 1)
             for path in (run.weights_path(each), run.probabilities_path(each))}  # fmt: skip
    return files | {"rows": repr(run.read().epochs[:epochs]).encode()}


def figures_of(run: Run) -> list[tuple[Any, ...]]:
    """Return what an interruption must not change in the rows of the epochs."""
    names = ("step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "misclassified")
    return [tuple(getattr(row, name) for name in names) for row in run.read().epochs]


class TrainerKills(Row):
    """A killed trainer leaves all its finished epochs and can be continued; one run is killed again and again."""

    name = "trainer-kills"
    what = "SIGKILLs of the trainer, half of them at the end of an epoch"
    cases = 100
    quick_cases = 0  # tests/training/test_continue.py kills trainers
    max_processor_s = 60.0
    max_memory_mb = 1_500.0

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        undisturbed = RunStore(folder / "undisturbed", bundled_root=folder / "none")
        said = finish_training(folder, undisturbed, *SETTINGS)
        assert said.endswith("exit code 0\n"), said
        self.undisturbed = undisturbed.own_runs()[0]
        self.store = RunStore(folder / "runs", bundled_root=folder / "none")

    def case(self, number: int, random: Random) -> str:
        runs = self.store.own_runs()
        chosen = (f"--continue={runs[0].run_id}",) if runs else SETTINGS
        before = kept_files(runs[0], len(runs[0].read().epochs)) if runs else {}
        begun_at = max(runs[0].checkpoints(), default=0) if runs else 0
        trainer = start_trainer(self.folder, self.store, *chosen)
        run = wait_until(lambda: self.store.own_runs() or (trainer.returncode is not None and self.fail(trainer)))[0]
        # It has begun once it is the one that the status names.
        wait_until(lambda: run.read_status().pid == trainer.pid or trainer.returncode is not None)
        if number % 2:
            at = begun_at + random.choice((1, 1, 2))
            wait_until(lambda: self.is_at_the_end_of(run, at) or trainer.returncode is not None)
            time.sleep(random.uniform(0, 0.08))
        else:
            time.sleep(random.uniform(0, 2.5))
        trainer.kill()
        trainer.wait()
        state = self.check(run, before)
        if state == "finished":
            self.check_end(run)
            self.store.delete(run)
            return f"{self.case(number, random)}"
        return "interrupted with all that was finished, and continued by the next case"

    def fail(self, trainer: Copy) -> None:
        raise AssertionError("".join(trainer.communicate()))

    def is_at_the_end_of(self, run: Run, epoch: int) -> bool:
        status = run.read_status()
        return status.epoch > epoch or (status.epoch == epoch and status.phase == "evaluating")

    def check(self, run: Run, before: dict[str, bytes]) -> str:
        """Hold that a run whose trainer is gone says so, has all that was finished, and can be continued."""
        snapshot = run.read()
        assert snapshot.state in ("interrupted", "finished"), f"{snapshot.state}: {snapshot.message}"
        epochs = [row.epoch for row in snapshot.epochs]
        assert epochs == list(range(1, len(epochs) + 1)), f"epochs {epochs}"
        for epoch in epochs:
            load_network(run, epoch)
            run.probabilities(epoch)
        if snapshot.state == "interrupted":
            assert run.can_continue(snapshot), "it cannot be continued"
            assert not epochs or run.checkpoints()[-1] == epochs[-1], "the checkpoint of its last epoch is missing"
        after = kept_files(run, min(len(epochs), sum(name.endswith(".npz") for name in before)))
        for name, content in after.items():
            assert name == "rows" or before[name] == content, f"{name} is not as it was"
        assert not before or len(after) >= len(before), f"{sorted(before.keys() - after.keys())} are gone"
        return snapshot.state

    def check_end(self, run: Run) -> None:
        """Hold that a run that was killed again and again is in every figure the one that nobody killed."""
        assert figures_of(run) == figures_of(self.undisturbed), "it ends otherwise than one that nobody killed"
        for epoch in run.epochs_with_probabilities():
            np.testing.assert_array_equal(run.probabilities(epoch), self.undisturbed.probabilities(epoch))
        leftovers = [path.name for path in run.path.rglob("*") if path.name.startswith(("unfinished", "checkpoint"))]
        assert not leftovers, f"{leftovers} are left"


SERVER = """
import io, random, sys
from pathlib import Path
import numpy as np
from mnist_lib.data.dataset import load_mnist
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.runs.archive import load_archive
from mnist_lib.runs.store import RunStore
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
store, own, choice = RunStore(folder / "runs", folder / "none"), OwnDigits(folder / "drawings"), random.Random(seed)
run, archive = store.find("run-a") or store.find("run-b"), (folder / "run.zip").read_bytes()
images = load_mnist().test_images
print("ready", flush=True)
while True:
    kind = choice.choice(("note", "rename", "drawing", "load", "request"))
    if kind == "note":
        run.write_note(choice.choice("ab") * 2000)
    elif kind == "rename":
        run = store.rename(run, "run-b" if run.run_id == "run-a" else "run-a")
    elif kind == "drawing":
        number = choice.randrange(1000)
        own.add(np.pad(images[number] / np.float32(255), 100), number % 10, "canvas")
        print(f"kept {number}", flush=True)
    elif kind == "load":
        loaded = load_archive(io.BytesIO(archive), store)
        if len(store.own_runs()) > 4:
            store.delete(loaded)
    else:
        run.request(paused=choice.choice((True, False)))
"""


class ServerKills(Row):
    """What a killed server was writing is there whole or not at all; all else is as it was."""

    name = "server-kills"
    what = "SIGKILLs of a process that does what the server does: notes, new names, kept drawings, loaded zips"
    cases = 20
    quick_cases = 1

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        self.store = RunStore(folder / "runs", folder / "none")
        self.own = OwnDigits(folder / "drawings")
        shutil.copytree(source.path, self.store.root / "run-a")
        (folder / "run.zip").write_bytes(archive_run(source))

    def case(self, number: int, random: Random) -> str:
        python = Python()
        server = python.start("-c", SERVER, self.folder, str(random.getrandbits(30)))
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0, 2))
        server.send_signal(signal.SIGKILL)
        stdout, stderr = server.communicate()
        assert not stderr, stderr[-500:]
        runs = self.store.own_runs()
        names = [run.run_id for run in runs]
        assert len({"run-a", "run-b"} & set(names)) == 1, f"the run is called {names}"
        for run in runs:
            assert run.read().state == "finished", f"{run.run_id}: {run.read().message}"
            load_network(run)
            assert len(set(run.read_note())) <= 1, "a note is of two"
        snapshot = self.own.read()
        assert snapshot.damaged == 0, "a drawing is damaged"
        images = load_mnist().test_images
        for line in stdout.splitlines():
            kept = int(line.removeprefix("kept "))
            assert self.own.find(np.pad(images[kept] / np.float32(255), 100)), f"drawing {kept} is lost"
        return "all there and whole"
