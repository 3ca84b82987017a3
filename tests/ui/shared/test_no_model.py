"""What the screens that need a network say of a run that has none, in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.config import PRESETS
from mnist_lib.escaping import plain_text
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import RunRecord, Status
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import HOSTILE_TEXT, let_it_train
from tests.support.screens import APP_PATH


def wait(run: Run, store: RunStore) -> None:
    queue = RunQueue(store)
    queue.pause()  # nobody begins to work it
    queue.add(PRESETS["fast"], run_id=run.run_id)


def begin(run: Run, store: RunStore) -> None:
    run.path.mkdir(parents=True)
    run.write_config(PRESETS["fast"], RunRecord())
    let_it_train(run, store, state="starting", epoch=0, step=0)


def fail(run: Run, store: RunStore) -> None:
    begin(run, store)
    run.write_status(Status("failed", HOSTILE_TEXT))


def damage(run: Run, store: RunStore) -> None:
    begin(run, store)
    (run.path / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("become", "said", "way"),
    [
        (wait, "This run waits in the queue.", "See the queue"),
        (begin, "This run learns. What it reads is here after its first epoch.", "Watch it learn"),
        (fail, f"This run has nothing to show here: {plain_text(HOSTILE_TEXT)}. Choose another run", "Go to Train"),
        (damage, "This run has nothing to show here: config.json is not JSON. Choose another run", "Go to Train"),
    ],
)
def test_every_screen_says_why_a_run_has_no_model_and_where_to_go(
    become: Callable[[Run, RunStore], None], said: str, way: str, store: RunStore
) -> None:
    run = Run(store.root / "mine")
    become(run, store)
    app = AppTest.from_file(str(APP_PATH), default_timeout=30)
    app.query_params["run"] = run.run_id
    app.run()
    for screen in ("overview", "model", "mistakes", "draw"):
        app.switch_page(f"pages/{screen}.py").run()
        assert not app.exception
        assert not app.error, f"{screen} says it twice"
        assert app.info[0].value.startswith(said), screen
        assert way in [link.proto.label for link in app.main.get("page_link")], screen
