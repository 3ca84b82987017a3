"""What Overview shows of which run, through Streamlit's AppTest."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import Dataset
from mnist_lib.machine import device_name
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import BUNDLED_RUN, change_json, copy_bundled_run, diverge, result_of
from tests.support.screens import all_text, open_screen


def headings(app: AppTest) -> list[str]:
    return [heading.value for heading in app.header]


def give_drawing(app: AppTest) -> None:
    """Let a one be drawn, as the canvas does after a stroke."""
    from mnist_lib.ui.shared.drawing import _CanvasState

    canvas = Image.new("RGBA", (400, 400), "black")
    ImageDraw.Draw(canvas).line([(200, 57), (200, 343)], fill="white", width=28)
    png = io.BytesIO()
    canvas.save(png, "PNG")
    app.session_state["canvas_history"] = [_CanvasState({"objects": [{}]}, png.getvalue())]
    app.run()


def test_test_digit_is_read_until_something_is_drawn() -> None:
    app = open_screen("overview")
    assert headings(app)[0] == "It reads a 7"
    assert "This is a test digit." in all_text(app)
    give_drawing(app)
    assert headings(app)[0] == "It reads a 1"
    assert "This is a test digit." not in all_text(app)


def test_drawing_comes_along_to_the_draw_screen() -> None:
    app = open_screen("overview")
    give_drawing(app)
    app.switch_page("pages/draw.py").run()
    assert headings(app)[0] == "It reads a 1"


def test_digit_is_shown_on_its_way_through_the_layers() -> None:
    app = open_screen("overview")
    strip = next(html.proto.body for html in app.get("html") if 'class="strip"' in html.proto.body)
    for step in (
        "28 × 28 pixels",
        "Convolution: 32 of 26 × 26",
        "Pooling: 32 of 13 × 13",
        "Convolution: 64 of 11 × 11",
        "64 units",
        '<div class="answer">7</div>',
    ):
        assert step in strip


def test_wall_counts_what_the_run_misreads(dataset: Dataset) -> None:
    app = open_screen("overview")
    wrong = int((BUNDLED_RUN.probabilities().argmax(axis=1) != dataset.test_labels).sum())
    assert "Watch it learn, without waiting" in headings(app)
    assert f"{wrong} of 10,000 test digits: the true digit → what it reads." in all_text(app)


def test_wall_of_a_run_that_misreads_thousands_shows_the_surest(store: RunStore, dataset: Dataset) -> None:
    run = copy_bundled_run(store)
    run.save_probabilities(5, np.eye(10, dtype=np.float32)[np.zeros(10_000, dtype=int)])  # everything is a 0
    wrong = int((dataset.test_labels != 0).sum())
    assert f"{wrong:,} of 10,000 test digits, the 100 surest of them here:" in all_text(
        open_screen("overview", run.run_id)
    )


def test_run_without_a_model_shows_what_it_stored_and_says_what_is_missing(store: RunStore) -> None:
    run = copy_bundled_run(store)
    forget_model(run)
    app = open_screen("overview", run.run_id)
    assert "This run has nothing to show here: it fell over." in app.info[0].value
    assert headings(app)[:2] == ["Watch it learn, without waiting", "What it still misreads"]
    shutil.rmtree(run.path / "epochs")
    app.run()
    assert not app.exception
    assert headings(app)[0] == "Train one yourself"


def forget_model(run: Run) -> None:
    run.model_path.unlink()
    for path in (run.path / "epochs").glob("*.weights.h5"):
        path.unlink()
    change_json(run.path / "status.json", state="failed", message="it fell over")


def test_network_that_diverged_is_told(store: RunStore) -> None:
    run = copy_bundled_run(store)
    diverge(run)
    app = open_screen("overview", run.run_id)
    assert not app.exception
    assert app.error[0].value == "This network's outputs are not numbers: its training diverged."


def test_time_of_a_training_is_that_of_ones_own_runs_or_a_range(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = all_text(open_screen("overview"))
    assert f"On this machine ({device_name()}) training takes about **" in text
    assert " to " in text.split("training takes about")[1].split("with `paper`")[0]
    run = copy_bundled_run(store)
    result = {field: getattr(result_of(run), field) for field in result_of(run).__struct_fields__}
    change_json(run.path / "status.json", result=result | {"device": device_name(), "train_seconds": 34.0})
    assert "**35 s** with `paper`" in all_text(open_screen("overview"))
