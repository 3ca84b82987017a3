"""Damaged run folders and hostile addresses on every screen."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from streamlit.config import set_option
from streamlit.logger import set_log_level
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import load_mnist
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.drawings import add_drawings
from tests.support.runs import HOSTILE_TEXT
from tests.support.screens import APP_PATH
from tests.torture.mutations import HOSTILE_VALUES, mutate_bytes, mutate_file
from tests.torture.row import Row

SCREENS = ("overview", "dataset", "model", "train", "mistakes", "runs", "experiments", "draw")
# A screen that takes longer hangs, for example at a file that never ends.
LONGEST_S = 60

# Each AppTest says once per rerun that it is no browser.
set_log_level("error")
# What is kept from a visitor is to be seen here.
set_option("client.showErrorDetails", "full")


def require_a_screen(app: AppTest, screen: str) -> None:
    """Hold that a screen was drawn to its end, without a traceback, and that its messages are lines."""
    assert not app.exception, f"{screen}: {app.exception[0].message} {' '.join(app.exception[0].stack_trace[-8:])}"
    assert app.title, f"{screen} has no title"
    assert app.sidebar.caption, f"{screen} ended before its sidebar"
    for error in app.error:
        assert error.value.strip(), f"{screen}: an error without a word"
        assert len(error.value.splitlines()) == 1, f"{screen}: not one line: {error.value!r}"


class Screens(Row):
    """Rows whose cases are shown on every screen."""

    max_processor_s = 60.0  # for all screens of a case

    def __init__(self, folder: Path, source: Run, root: Path | None = None) -> None:
        super().__init__(folder, source)
        self.store = RunStore(root or folder / "runs")
        self.before = os.environ.get("MNIST_RUNS_DIR")
        os.environ["MNIST_RUNS_DIR"] = str(self.store.root)
        self.run = Run(Path(shutil.copytree(source.path, self.store.root / source.run_id)))

    def close(self) -> None:
        os.environ.pop("MNIST_RUNS_DIR")
        if self.before is not None:
            os.environ["MNIST_RUNS_DIR"] = self.before

    def open(self, screen: str, address: dict[str, Any]) -> AppTest:
        """Open a screen at an address in a new session."""
        app = AppTest.from_file(str(APP_PATH), default_timeout=LONGEST_S)
        app.switch_page(f"pages/{screen}.py")
        for name, value in address.items():
            app.query_params[name] = value
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            app.run()
        require_a_screen(app, screen)
        return app


class Damages(Screens):
    """A damaged run is shown as such, or as what is left of it, on every screen."""

    name = "damages"
    what = "damages of a run folder, each on every screen"
    cases = 200
    quick_cases = 4

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        self.dataset = load_mnist()

    def case(self, number: int, random: Random) -> str:
        shutil.rmtree(self.run.path, ignore_errors=True)
        shutil.copytree(self.source.path, self.run.path)
        add_drawings(self.run, self.dataset)  # so that it has every file that a run may have
        # One who trains, and one that ended too early, are read otherwise than one that ended.
        paths = sorted(path for path in self.run.path.rglob("*") if path.suffix != ".log")
        damages = random.choice((1, 1, 1, 2, 4))
        done = [damage(path, random) for path in random.sample(paths, damages)]
        states = set()
        for screen in SCREENS:
            try:
                app = self.open(screen, {"run": self.run.run_id, "runs": self.run.run_id, "image": "3"})
            except AssertionError as error:
                raise AssertionError(f"{', '.join(done)}: {error}") from error
            states |= {"said" for each in app.sidebar.markdown if "damaged" in each.value}
        OwnDigits.beside(self.store.root).read()
        self.clean()
        return "said to be damaged" if states else "shown with what is left"

    def clean(self) -> None:
        for path in (self.run.path, *self.run.path.rglob("*")):
            if path.is_symlink() or path.is_fifo():
                path.unlink()


def damage(path: Path, random: Random) -> str:
    """Damage a file or folder of a run, and return how."""
    kinds: dict[str, Callable[[], object]] = {
        "missing": lambda: None,
        "a folder": lambda: (path.mkdir(), (path / "in it").touch()),
        "a pipe": lambda: os.mkfifo(path),
        "a link in a circle": lambda: path.symlink_to(path),
        "an endless link": lambda: path.symlink_to("/dev/zero"),
        "a link to what cannot be read": lambda: path.symlink_to("/proc/self/mem"),
        "a link to nowhere": lambda: path.symlink_to(path.parent / "nowhere" / "at all"),
        "a link to a folder": lambda: path.symlink_to(path.parent),
        "empty": lambda: path.touch(),
        "huge": lambda: (path.write_bytes(before), os.truncate(path, random.choice((10**9, 10**12)))),
    }
    kind = random.choice(("mutated", "mutated", "mutated", "mutated", "bytes", "garbage", *kinds))
    before = path.read_bytes() if path.is_file() else b""
    if not path.exists():  # in a folder that was damaged before
        return "nothing"
    if path.is_dir():
        shutil.rmtree(path)
        kind = random.choice(tuple(kinds)) if kind not in kinds else kind
    else:
        path.unlink()
    if kind == "mutated":
        path.write_bytes(mutate_file(path.name, before, random))
    elif kind == "bytes":
        path.write_bytes(mutate_bytes(before, random))
    elif kind == "garbage":
        path.write_bytes(random.randbytes(random.choice((10, 10_000))))
    else:
        kinds[kind]()
    return f"{path.name} is {kind}"


# What stands in an address: of all screens on each of them, for a link may lead anywhere.
PARAMETERS = (
    "run", "runs", "swap", "data", "split", "digit", "class", "images", "image", "after_epoch", "model_tab", "stage",
    "mistakes_tab", "epoch", "show", "true", "read_as", "order", "sure", "disputed", "page", "cells", "diagonal",
    "coverage_threshold", "experiment", "embed", "embed_options", "unknown",
)  # fmt: skip
# A browser sends no half characters, and Python writes no numbers of so many digits.
HOSTILE_TEXTS = [
    str(value).encode(errors="replace").decode() for value in HOSTILE_VALUES if value not in (10**400, -(10**400))
]


class Addresses(Screens):
    """An address with any values shows the screen, with the values that it can have."""

    name = "addresses"
    what = "hostile addresses, each on every screen"
    cases = 500
    quick_cases = 4

    def case(self, number: int, random: Random) -> str:
        names = random.sample(PARAMETERS, random.choice((1, 2, 4, 12)))
        address = {name: self.value(random) for name in names}
        for screen in SCREENS:
            try:
                self.open(screen, address)
            except AssertionError as error:
                raise AssertionError(f"{address}"[:300] + f": {error}") from error
        return "shown"

    def value(self, random: Random) -> str | list[str]:
        values = (
            *HOSTILE_TEXTS, self.run.run_id, "pretrained-paper", f"{self.run.run_id}," * 300,
            "2597", "-1", "10000", "59999", "60000", "1e3", "١", "0x10", "0,5", "1,2,3", "test", "Images", "%00",
            "a=b&c", HOSTILE_TEXT * 50, "\U0001f984" * 1_000, "../" * 30, "javascript:alert(1)", "9" * 100_000,
        )  # fmt: skip
        if random.random() < 0.2:
            return [random.choice(values) for _ in range(random.choice((0, 2, 50)))]
        return random.choice(values)
