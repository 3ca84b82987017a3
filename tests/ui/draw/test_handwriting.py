"""Learn from my drawings: who is offered it and when, and what came of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.runs.handwriting import read_handwriting
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.drawings import keep_digits
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, copy_bundled_run, let_it_train, result_of
from tests.support.screens import all_text, open_screen

START = "learn_drawings"


@pytest.fixture
def learner(learned: Run, store: RunStore) -> Run:
    """A copy of a run that learned twenty drawings, without the drawings themselves."""
    return Run(Path(shutil.copytree(learned.path, store.root / learned.run_id)))


def has_start(app: AppTest) -> bool:
    return any(button.key == START for button in app.button)


def test_few_drawings_cannot_be_learned_and_it_is_said_why(store: RunStore, dataset: Dataset) -> None:
    keep_digits(OwnDigits.beside(store.root), dataset, 3)
    app = open_screen("draw", BUNDLED_RUN.run_id)
    assert app.button(key=START).disabled
    assert "At least 3 drawings of at least 2 digits are needed." in all_text(app)


def test_it_is_said_how_many_are_learned_and_how_many_set_aside(store: RunStore, dataset: Dataset) -> None:
    keep_digits(OwnDigits.beside(store.root), dataset, 20)
    app = open_screen("draw", BUNDLED_RUN.run_id)
    assert not app.button(key=START).disabled
    assert "learns **13** of your drawings" in all_text(app)
    assert "**7** are set aside" in all_text(app)


@pytest.mark.process
def test_while_a_training_runs_it_waits_in_the_queue(store: RunStore, dataset: Dataset) -> None:
    keep_digits(OwnDigits.beside(store.root), dataset, 20)
    let_it_train(copy_bundled_run(store), store)
    queue = RunQueue(store)
    queue.pause()  # nobody begins to work it
    app = open_screen("draw", BUNDLED_RUN.run_id)
    app.button(key=START).click().run()
    assert not app.exception
    (entry,) = queue.waiting()
    assert len(read_handwriting(entry.run).labels) == 20


def test_strangers_are_not_offered_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_start(open_screen("draw", BUNDLED_RUN.run_id))
    monkeypatch.setenv("MNIST_MODE", "public")
    assert not has_start(open_screen("draw", BUNDLED_RUN.run_id))


def test_what_was_learned_is_shown_before_and_after_without_the_drawings(learner: Run) -> None:
    snapshot = learner.read()
    assert snapshot.last_epoch
    right = 10_000 - snapshot.last_epoch.misclassified
    sentence = "Of 7 that it had not seen, it read **7**, now **7**"
    for screen in ("draw", "train"):
        app = open_screen(screen, learner.run_id)
        assert not app.exception
        assert sentence in all_text(app)
        assert f"test digits **{10_000 - result_of(PAPER_RUN).misclassified:,}**, now **{right:,}**" in all_text(app)
    app = open_screen("draw", learner.run_id)
    assert "Drawings: Both read the same images correctly." in all_text(app)
    assert app.table[0].value["Before"].tolist()[0] == "100% (65% to 100%)"


@pytest.mark.parametrize("name", ["drawings.npz", "start.npz"])
def test_damaged_file_of_the_run_is_one_line_and_the_rest_stays(name: str, learner: Run) -> None:
    (learner.path / name).write_bytes(b"nothing")
    for screen in ("draw", "train"):
        app = open_screen(screen, learner.run_id)
        assert not app.exception
        assert [error.value[: len(name)] for error in app.error] == [name]


def test_run_that_learned_no_drawings_says_nothing_of_them() -> None:
    assert "What it learned from drawings" not in all_text(open_screen("draw", BUNDLED_RUN.run_id))
