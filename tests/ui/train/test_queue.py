"""The queue on the Train screen: what waits, when it begins, and what can be done with it."""

from __future__ import annotations

from dataclasses import replace

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.access import Visitor
from mnist_lib.config import PRESETS
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.processes import wait_until
from tests.support.runs import copy_bundled_run, let_it_train, title_of
from tests.support.screens import APP_PATH, all_text, button, open_screen


@pytest.fixture
def queue(store: RunStore) -> RunQueue:
    """A paused queue, so that nobody begins to work it."""
    queue = RunQueue(store)
    queue.pause()
    return queue


def add(queue: RunQueue, count: int) -> list[Run]:
    return [queue.add(replace(PRESETS["fast"], seed=seed)) for seed in range(1, count + 1)]


def names(queue: RunQueue) -> list[str]:
    return [entry.run.run_id for entry in queue.waiting()]


def test_nothing_is_shown_of_an_empty_queue() -> None:
    app = open_screen("train")
    assert "waiting" not in all_text(app)
    assert [each.label for each in app.button if each.label in ("Pause the queue", "Move up", "Take back")] == []


def test_start_while_another_run_is_trained_waits_and_that_one_is_still_watched(
    store: RunStore, queue: RunQueue
) -> None:
    active = copy_bundled_run(store)
    let_it_train(active, store)
    app = open_screen("train", active.run_id)
    button(app, "Queue training").click().run()
    assert not app.exception
    (entry,) = queue.waiting()
    assert entry.run.read().config == PRESETS["paper"]
    assert app.selectbox(key="run").value == active.run_id
    assert "**1 waiting**" in all_text(app)


def test_runs_move_up_and_are_taken_back_with_their_settings(queue: RunQueue) -> None:
    first, second, third = add(queue, 3)
    app = open_screen("train")
    app.button(key=f"move_up_{third.run_id}").click().run()
    assert names(queue) == [first.run_id, third.run_id, second.run_id]
    assert app.button(key=f"move_up_{first.run_id}").disabled
    app.button(key=f"take_back_{third.run_id}").click().run()
    assert not app.exception
    assert names(queue) == [first.run_id, second.run_id]
    assert [toast.value for toast in app.toast] == [f"{title_of(third)} is taken back."]
    assert app.number_input(key="setting_seed").value == 3
    assert app.number_input(key="setting_epochs").value == PRESETS["fast"].epochs


def test_run_that_has_begun_by_now_is_said_and_one_that_is_gone_is_just_gone(queue: RunQueue) -> None:
    first, second, third = add(queue, 3)
    app = open_screen("train")
    queue.take_back(first)
    app.button(key=f"take_back_{first.run_id}").click().run()
    assert not app.exception
    assert [error.value for error in app.error] == []
    queue.take(queue.waiting()[0])
    app.button(key=f"take_back_{second.run_id}").click().run()
    assert [error.value for error in app.error] == [f"{second.run_id} does not wait in the queue any more."]
    assert names(queue) == [third.run_id]


@pytest.mark.process
def test_first_run_begins_after_the_one_that_is_starting(store: RunStore, queue: RunQueue) -> None:
    add(queue, 1)
    queue.pause(False)
    active = queue.add(replace(PRESETS["paper"], epochs=100))
    with store.claim():  # as its trainer does, so that nobody begins another one
        queue.take(queue.waiting()[1])
        app = open_screen("train", active.run_id)
        # The screen lets a process work the queue, which would train both after this test.
        psutil.Process(wait_until(queue.worker_pid)).kill()
        assert "begins in a moment" not in all_text(app)
        assert "begins in about" in all_text(app)


def test_waiting_runs_are_left_out_where_there_is_nothing_to_show_of_them(queue: RunQueue) -> None:
    runs = add(queue, 30)
    app = open_screen("runs")
    assert not {run.run_id for run in runs} & set(app.selectbox(key="run").options)
    assert len(app.dataframe[0].value) == 2
    (link,) = [each.proto.label for each in app.get("page_link") if "more wait" in each.proto.label]
    assert link == "30 more wait in the queue"


def test_waiting_run_that_is_looked_at_says_its_place(queue: RunQueue) -> None:
    _, second = add(queue, 2)
    app = AppTest.from_file(str(APP_PATH), default_timeout=30)
    app.query_params["run"] = second.run_id
    app.run().switch_page("pages/train.py").run()
    assert not app.exception
    assert "It waits in the queue, place 2 of 2: the queue is paused." in all_text(app)


def test_pupil_is_offered_nothing_for_the_runs_of_others(queue: RunQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = add(queue, 1)
    run.write_owner(Visitor("b", "Ben"))
    monkeypatch.setenv("MNIST_MODE", "class")
    app = AppTest.from_file(str(APP_PATH), default_timeout=30)
    app.session_state["visitor"] = Visitor("a", "Anna")
    app.run().switch_page("pages/train.py").run()
    assert "**1 waiting**" in all_text(app)
    assert [each.label for each in app.button if each.label in ("Go on", "Move up", "Take back")] == []
