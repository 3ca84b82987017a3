"""Every screen through Streamlit's AppTest: with the pre-trained run, without a run, with damaged ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs import store as run_store
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import BUNDLED_RUNS_PATH, RunStore
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, change_json, copy_bundled_run, title_of
from tests.support.screens import all_text, component, open_screen

SCREENS = ("overview", "dataset", "model", "train", "mistakes", "runs", "experiments", "draw")


@pytest.mark.parametrize("name", SCREENS)
def test_screen_shows_the_pretrained_run_without_an_error(name: str) -> None:
    app = open_screen(name)
    assert not app.exception
    assert not app.error
    assert app.title
    assert app.selectbox(key="run").value == BUNDLED_RUN.run_id


@pytest.mark.parametrize("name", SCREENS)
def test_screen_says_what_to_do_when_there_is_no_run_at_all(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_store, "BUNDLED_RUNS_PATH", tmp_path / "nothing")
    app = open_screen(name)
    assert not app.exception
    assert not app.error
    assert "There is no run yet." in all_text(app)
    if name in ("model", "mistakes", "runs", "draw"):
        assert "train one" in app.info[0].value
    if name == "train":
        assert "Press Start" in app.info[0].value


def test_overview_shows_the_metrics_of_the_stored_probabilities() -> None:
    app = open_screen("overview")
    table = app.table[0].value
    labels = load_mnist().test_labels
    wrong = int((BUNDLED_RUN.probabilities().argmax(axis=1) != labels).sum())
    column = BUNDLED_RUN.run_id
    assert list(table[column])[:2] == [f"{1 - wrong / 10_000:.2%}", str(wrong)]
    assert list(table["The paper"])[4] == list(table[column])[4] == "515,146"


def test_overview_adds_the_newest_run_of_this_machine(store: RunStore) -> None:
    copy_bundled_run(store, "20260101-000000-paper-seed9")
    newest = copy_bundled_run(store, "20260202-000000-paper-seed9")
    columns = list(open_screen("overview").table[0].value.columns)
    assert columns[-1] == f"Newest here: {title_of(newest)}"
    assert len(columns) == 5  # the claims, the paper, two that ship, and it


def test_model_table_adds_up() -> None:
    table = open_screen("model").dataframe[0].value
    counts = [int(text.replace(",", "")) for text in table["Parameters"]]
    assert counts == [320, 0, 18_496, 0, 495_680, 0, 650, 515_146]


def test_dataset_filter_and_shuffle_choose_the_images() -> None:
    app = open_screen("dataset")
    assert "60,000 images, 60 on this page." in all_text(app)
    assert app.header[-1].value == "Number 0: a 5"
    app.segmented_control(key="split").set_value("test").run()
    app.pills(key="digit").set_value(3).run()
    assert "1,010 images of a 3, 60 on this page." in all_text(app)
    assert app.header[-1].value == "Number 18: a 3"  # the first 3 of the test set
    shuffle = next(button for button in app.button if button.label == "Shuffle")
    shuffle.click().run()
    assert app.header[-1].value.endswith(": a 3")
    assert app.header[-1].value != "Number 18: a 3"


@pytest.mark.parametrize(("factor", "axis"), [(3, "step"), (4, "epoch")])
def test_runs_of_very_different_lengths_are_compared_over_epochs(factor: int, axis: str, store: RunStore) -> None:
    steps = PAPER_RUN.read_status().total_steps
    longer = copy_bundled_run(store)
    change_json(longer.path / "status.json", total_steps=factor * steps)
    app = open_screen("train", PAPER_RUN.run_id)
    assert titles_of_axes(app) == ["step"]
    app.multiselect(key="curves_others").set_value([longer.run_id]).run()
    assert titles_of_axes(app) == [axis]
    # What a person chooses holds, for runs of these lengths.
    choice = next(each for each in app.segmented_control if each.label == "Over")
    choice.set_value("seconds").run()
    assert titles_of_axes(app) == ["seconds"]


def titles_of_axes(app: AppTest) -> list[str]:
    """Return the title of the x axis of the learning curves, once if both have the same."""
    figures = [json.loads(component(app, f"curves_{quantity}")["figure"]) for quantity in ("loss", "accuracy")]
    return sorted({figure["layout"]["xaxis"]["title"]["text"] for figure in figures})


def test_runs_are_listed_by_titles_of_which_no_two_are_the_same(store: RunStore) -> None:
    names = ["20260101-000001-paper-seed9", "20260101-000002-paper-seed9", "20260102-000000-paper-seed9"]
    for name in names:
        copy_bundled_run(store, name)
    app = open_screen("overview", names[0])
    options = app.selectbox(key="run").options
    assert [option.removeprefix("paper, seed 9, ") for option in options] == [
        *(run.run_id for run in store.bundled_runs()),
        "2 Jan, 00:00",
        "1 Jan, 00:00:02",
        "1 Jan, 00:00:01",
    ]
    assert app.selectbox(key="run").value == names[0]


def test_runs_laid_over_the_curves_stay_until_they_are_gone_or_shown_themselves(store: RunStore) -> None:
    shown, other = (copy_bundled_run(store, f"20260101-00000{seed}-paper-seed{seed}") for seed in (1, 2))
    app = open_screen("train", shown.run_id)
    app.multiselect(key="curves_others").set_value([other.run_id, BUNDLED_RUN.run_id]).run()
    app.switch_page("pages/model.py").run()
    app.switch_page("pages/train.py").run()
    assert app.multiselect(key="curves_others").value == [other.run_id, BUNDLED_RUN.run_id]
    shutil.rmtree(other.path)
    app.run()
    assert app.multiselect(key="curves_others").value == [BUNDLED_RUN.run_id]
    app.selectbox(key="run").set_value(BUNDLED_RUN.run_id).run()
    assert app.multiselect(key="curves_others").value == []
    assert not app.exception


def truncate_metrics(run: Run) -> None:
    path = run.path / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-40])


def drop_status(run: Run) -> None:
    (run.path / "status.json").unlink()


def garble_model(run: Run) -> None:
    run.model_path.write_bytes(b"not a model")


def garble_probabilities(run: Run) -> None:
    run.probabilities_path(5).write_bytes(b"PK\x03\x04 no archive")


def empty_the_folder(run: Run) -> None:
    shutil.rmtree(run.path)
    run.path.mkdir()
    (run.path / "notes.txt").write_text("a foreign file")


def forge_config(run: Run) -> None:
    (run.path / "config.json").write_text(json.dumps({"settings": {"epochs": "many"}}))


def forge_record(run: Run) -> None:
    config = json.loads((run.path / "config.json").read_text())
    config["device"] = ["not", "text"]
    (run.path / "config.json").write_text(json.dumps(config))


def forge(name: str, part: str = "", **values: Any) -> Callable[[Run], None]:
    """Return a damage: other values in a JSON file of the run, or in one part of it."""

    def damage(run: Run) -> None:
        content = json.loads((run.path / name).read_text())
        (content[part] if part else content).update(values)
        (run.path / name).write_text(json.dumps(content))

    return damage


def count_epochs_in_floats(run: Run) -> None:
    rows = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    lines = [json.dumps(row | {"epoch": float(row["epoch"])}) + "\n" for row in rows]
    (run.path / "metrics.jsonl").write_text("".join(lines))


@pytest.mark.parametrize(
    "damage",
    [
        truncate_metrics,
        drop_status,
        garble_model,
        garble_probabilities,
        empty_the_folder,
        forge_config,
        forge_record,
        count_epochs_in_floats,
        pytest.param(forge("config.json", created_at=1e18), id="begun after every calendar"),
        pytest.param(forge("config.json", created_at=-1e12), id="begun before all time"),
        pytest.param(forge("config.json", "settings", preset=["paper"]), id="a list for a preset"),
        pytest.param(forge("status.json", "result", epochs=1e299), id="countless epochs"),
        pytest.param(forge("status.json", "result", misclassified=1e30), id="countless mistakes"),
        pytest.param(forge("status.json", "result", misclassified=10**30), id="countless whole mistakes"),
    ],
)
def test_screens_go_on_with_a_damaged_run(damage: Callable[[Run], None], store: RunStore) -> None:
    run = copy_bundled_run(store)
    damage(run)
    app = open_screen("overview", run.run_id)
    for name in SCREENS:
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        assert app.selectbox(key="run").value == run.run_id
        assert app.title[0].value
        # Unreadable probabilities show where they are used; all else is seen at once.
        if damage is not garble_probabilities:
            assert ":red-badge[damaged]" in all_text(app)
        elif name == "mistakes":
            assert "epochs/005.npz is missing or unreadable" in app.error[0].value


def test_damaged_run_stays_in_its_row_beside_the_others_and_can_be_deleted(store: RunStore) -> None:
    run = copy_bundled_run(store)
    forge("config.json", created_at=1e18)(run)
    app = open_screen("runs", run.run_id)
    table = app.dataframe[0].value
    assert table["Run"].tolist() == [title_of(run), BUNDLED_RUN.run_id, PAPER_RUN.run_id]
    assert table["State"].tolist() == ["damaged", "finished", "finished"]
    assert "Config.json has a wrong value, at created_at." in [caption.value for caption in app.caption]
    next(button for button in app.button if button.label == "Delete it").click().run()
    assert not app.exception
    assert not run.path.exists()


def test_run_deleted_while_it_is_looked_at_gives_way_to_the_pretrained(store: RunStore) -> None:
    run = copy_bundled_run(store)
    app = open_screen("mistakes", run.run_id)
    shutil.rmtree(run.path)
    app.run()
    assert not app.exception
    assert app.selectbox(key="run").value == BUNDLED_RUN.run_id
    assert f"The run {title_of(run)} is gone." in app.warning[0].value


def test_run_of_a_dead_trainer_is_shown_as_interrupted(store: RunStore) -> None:
    run = copy_bundled_run(store)
    status = json.loads((run.path / "status.json").read_text())
    status |= {"state": "running", "pid": os.getpid(), "pid_start_time": 1.0}
    (run.path / "status.json").write_text(json.dumps(status))
    app = open_screen("train", run.run_id)
    assert "This run is interrupted: the trainer ended unexpectedly." in app.warning[0].value
    assert len(app.table[-1].value) == 6  # and the paper's; what it had finished is still readable


def test_mistakes_of_a_run_without_an_epoch_says_what_to_do(store: RunStore) -> None:
    run = copy_bundled_run(store)
    shutil.rmtree(run.path / "epochs")
    app = open_screen("mistakes", run.run_id)
    assert "epochs/005.npz is missing" in app.info[0].value


def test_bundled_runs_are_whole() -> None:
    for path in BUNDLED_RUNS_PATH.iterdir():
        snapshot = Run(path, bundled=True).read()
        assert (snapshot.state, snapshot.message) == ("finished", "")
