"""The Experiments screen through AppTest: the form, what is going on, what came of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.cluster.report import ClusterReport, ClusterWorker, write_report
from mnist_lib.config import PRESETS
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.repeated import errors_compared, summarize
from mnist_lib.experiments.library import ExperimentLibrary
from mnist_lib.experiments.plan import parse_vary, plan_experiment
from mnist_lib.experiments.start import start_experiment
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.store import RunStore
from tests.support.experiments import add_experiment, add_run
from tests.support.runs import HOSTILE_TEXT
from tests.support.screens import all_text, button, component, open_screen

ERRORS = [66, 71, 58]


def open_experiment(name: str) -> AppTest:
    app = open_screen("overview")
    app.query_params["experiment"] = name
    return app.switch_page("pages/experiments.py").run()


def labelled(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label == label)


def add_seeds(store: RunStore, name: str, errors: list[int]) -> None:
    plan = plan_experiment(PRESETS["fast"], seeds=len(errors))
    add_experiment(store, plan, name)
    for number, (config, wrong) in enumerate(zip(plan.configs(), errors, strict=True), start=1):
        add_run(store, name, number, config, [3 * wrong, wrong])


def add_rates(store: RunStore, states: tuple[str, ...] = ()) -> None:
    """Add an experiment in which the best on the validation images is not the best on the test images."""
    plan = plan_experiment(PRESETS["fast"], vary=[parse_vary("learning_rate=0.001,0.004,0.01")])
    add_experiment(store, plan, "rates")
    for number, config in enumerate(plan.configs(), start=1):
        reached = [(90, 0.99), (80, 0.995), (70, 0.992)][number - 1]
        state: dict[str, Any] = {"state": states[number - 1]} if states else {}
        done = not states or states[number - 1] == "finished"
        errors, validation = ([200, reached[0]], [0.98, reached[1]]) if done else ([], [])
        add_run(store, "rates", number, config, errors, validation, **({} if done else state))


def test_without_an_experiment_there_is_one_sentence_and_the_form() -> None:
    app = open_screen("experiments")
    assert "One run says little" in all_text(app)
    assert "**1 run**, about" in all_text(app)
    assert not button(app, "Start experiment").disabled


def test_form_says_what_is_wrong_in_a_line_and_starts_only_what_is_right(store: RunStore) -> None:
    store.root.mkdir()
    RunQueue(store).pause()
    app = open_screen("experiments")
    labelled(app.multiselect, "Settings to vary").set_value(["learning_rate", "optimizer"]).run()
    assert "**10 runs**, about" in all_text(app)
    labelled(app.text_input, "Learning rate").set_value("5..1").run()
    assert plain_text("Learning rate must be from 0.000001 to 1, not 5.0.") in all_text(app)
    assert button(app, "Start experiment").disabled
    labelled(app.text_input, "Learning rate").set_value("0.001, 0.01").run()
    labelled(app.text_input, "Optimizer").set_value("adam, muon").run()
    labelled(app.number_input, "Seeds").set_value(2).run()
    labelled(app.text_input, "Name").set_value("no name").run()
    assert "A name has 1 to 100 English letters" in all_text(app)
    labelled(app.text_input, "Name").set_value("mine").run()
    labelled(app.toggle, "Train on a cluster").set_value(True).run()
    labelled(app.text_input, "Address of its Dask scheduler").set_value("teacher").run()
    assert "The address of a Dask scheduler is as in" in all_text(app)
    labelled(app.toggle, "Train on a cluster").set_value(False).run()
    assert "**8 runs**, about" in all_text(app)
    button(app, "Start experiment").click().run()
    assert not app.exception
    experiment = ExperimentLibrary.beside(store.root).find("mine")
    assert experiment
    assert experiment.plan.runs == len(RunQueue(store).waiting()) == 8
    assert app.query_params["experiment"] == "mine"
    text = all_text(app)
    assert ":gray-badge[8 queued]" in text
    assert plain_text("fast · Learning rate 0.001, 0.01 · Optimizer adam, muon · seeds 0 to 1") in text
    assert not [each for each in app.text_input if each.label == "Name"]  # the form is folded away

    button(app, "Take them back").click().run()
    assert not app.exception
    assert not RunQueue(store).waiting()
    assert "None of its runs is here any more." in app.info[0].value


def test_what_a_cluster_waits_for_is_said(store: RunStore) -> None:
    address = "tcp://127.0.0.1:8786"
    start_experiment(store, "there", plan_experiment(PRESETS["fast"], seeds=2), MNIST_DESCRIPTION, address)
    worker = ClusterWorker(address="tcp://127.0.0.1:1", name=HOSTILE_TEXT, problem="numpy is 1 there and 2 here")
    write_report(store.root, ClusterReport(address=address, message="2 runs wait for a worker", workers=(worker,)))
    RunQueue(store).pause()  # no dispatcher begins
    app = open_experiment("there")
    assert "2 runs wait for a worker" in all_text(app)
    assert plain_text(f"{HOSTILE_TEXT} gets no run: numpy is 1 there and 2 here") in all_text(app)
    assert "the queue is paused" in app.get("progress")[0].proto.text


def test_over_seeds_mean_interval_and_extremes_are_shown(store: RunStore) -> None:
    add_seeds(store, "three", ERRORS)
    app = open_experiment("three")
    assert not app.exception
    table = app.table[0].value.astype(str)
    expected = summarize(ERRORS, larger_is_better=False)
    assert expected.interval
    low, high = expected.interval
    assert table.iloc[1].tolist() == ["Misread test images", "65.0", "6.6", f"{low:,.1f} to {high:,.1f}", "71", "58"]
    assert table.iloc[0].tolist()[1] == "99.35%"
    assert "some 95 have an interval that contains the mean" in all_text(app)
    assert app.dataframe[0].value["Misread"].tolist() == ERRORS
    dots = json.loads(component(app, "experiment_repeats")["figure"])["data"][0]
    assert sorted(dots["x"]) == sorted(1 - wrong / 10_000 for wrong in ERRORS)


def test_before_a_run_has_ended_there_are_curves_and_no_empty_figure(store: RunStore) -> None:
    plan = plan_experiment(PRESETS["fast"], seeds=2)
    add_experiment(store, plan, "begun")
    add_run(store, "begun", 1, plan.configs()[0], [200], state="interrupted")
    app = open_experiment("begun")
    assert not app.exception
    figures = [each.proto.id.rpartition("-")[2] for each in app.get("bidi_component")]
    assert "experiment_curves" in figures
    assert "experiment_repeats" not in figures


def test_best_is_chosen_by_the_validation_images(store: RunStore) -> None:
    add_rates(store)
    app = open_experiment("rates")
    assert not app.exception
    text = all_text(app)
    assert "**Best by validation: Learning rate 0.004**. Reads 99.50% of the validation images, 99.20% of the" in text
    assert button(app, "Train this recipe on everything")
    assert "Too few runs to trust this" in text
    lines = json.loads(component(app, "experiment_lines")["figure"])["data"][0]
    assert [axis["label"] for axis in lines["dimensions"]] == ["Learning rate", "validation accuracy"]
    labelled(app.selectbox, "Metric").set_value("misclassified").run()
    figure = json.loads(component(app, "experiment_dots")["figure"])
    assert sorted(figure["data"][0]["y"]) == [70, 80, 90]


def test_runs_that_failed_or_are_gone_are_said(store: RunStore) -> None:
    add_rates(store, ("finished", "failed", "failed"))
    text = all_text(open_experiment("rates"))
    assert ":red-badge[2 failed] :green-badge[1 finished]" in text
    add_experiment(store, plan_experiment(PRESETS["fast"], seeds=2), "gone")
    app = open_experiment("gone")
    assert "2 missing" in all_text(app)
    assert not app.exception


def test_experiment_of_which_all_failed_says_why(store: RunStore) -> None:
    plan = plan_experiment(PRESETS["fast"], seeds=2)
    add_experiment(store, plan, "failed")
    for number, config in enumerate(plan.configs(), start=1):
        add_run(store, "failed", number, config, [], state="failed", message=HOSTILE_TEXT)
    app = open_experiment("failed")
    assert not app.exception
    assert app.error[0].value == plain_text(f"None of its runs finished an epoch: {HOSTILE_TEXT}.")


def test_two_experiments_are_compared_in_words(store: RunStore) -> None:
    add_seeds(store, "first", ERRORS)
    add_seeds(store, "second", [90, 95, 88])
    app = open_experiment("first")
    labelled(app.selectbox, "Compare with").set_value("second").run()
    assert plain_text(errors_compared(("first", "second"), ERRORS, [90, 95, 88])) in all_text(app)


def test_note_is_kept_and_is_text(store: RunStore) -> None:
    add_seeds(store, "three", ERRORS)
    app = open_experiment("three")
    labelled(app.text_area, "Note").set_value(HOSTILE_TEXT).run()
    kept = ExperimentLibrary.beside(store.root).find("three")
    assert kept
    assert kept.note == HOSTILE_TEXT
    assert "[l](" not in all_text(app)


@pytest.mark.parametrize(("label", "left"), [("Delete it, keep its runs", 3), ("Delete it and its runs", 0)])
def test_experiment_is_deleted_with_its_runs_or_without(label: str, left: int, store: RunStore) -> None:
    add_seeds(store, "three", ERRORS)
    app = open_experiment("three")
    button(app, label).click().run()
    assert not app.exception
    assert len(store.own_runs()) == left
    assert "One run says little" in all_text(app)
    assert [toast.value for toast in app.toast] == ["three is deleted."]


def test_damaged_experiment_is_said_in_a_line_and_can_be_removed(store: RunStore) -> None:
    add_seeds(store, "three", ERRORS)
    library = ExperimentLibrary.beside(store.root)
    (library.folder("three") / "experiment.json").write_text("{")
    app = open_experiment("three")
    assert not app.exception
    assert "three is damaged" in app.warning[0].value
    button(app, "Remove it, keep its runs").click().run()
    assert not library.damaged()
    assert len(store.own_runs()) == 3


def test_link_to_an_experiment_that_is_gone_says_so(store: RunStore) -> None:
    add_seeds(store, "three", ERRORS)
    app = open_experiment(HOSTILE_TEXT)
    assert "There is no experiment" in app.warning[0].value
    assert "[l](" not in all_text(app)
    assert app.query_params["experiment"] == "three"


def test_address_names_an_experiment_only_once_it_was_chosen_and_decides_which_is_shown(store: RunStore) -> None:
    for name in ("older", "newest"):
        add_seeds(store, name, ERRORS)
    app = open_screen("experiments")
    assert app.selectbox(key="experiment").value == "newest"
    assert "experiment" not in app.query_params
    for chosen in ("older", "newest"):
        app.selectbox(key="experiment").set_value(chosen).run()
        assert app.query_params["experiment"] == chosen
    app.query_params["experiment"] = "older"  # the browser's Back
    app.run()
    assert app.selectbox(key="experiment").value == "older"


def test_the_public_sees_no_experiment(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    add_seeds(store, "three", ERRORS)
    monkeypatch.setenv("MNIST_MODE", "public")
    app = open_experiment("three")
    assert not app.exception
    assert "This installation only shows runs" in app.info[0].value
    assert "three" not in all_text(app)
