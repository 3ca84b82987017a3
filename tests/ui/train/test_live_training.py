"""The view of a training on the Train screen: how it ended, what comes next, twenty digits."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import Dataset, DatasetDescription
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import write_live_network
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from mnist_lib.training import launch as trainer
from tests.support.runs import BUNDLED_RUN, Trained, change_json, let_it_train, title_of
from tests.support.screens import APP_PATH, all_text, button, forget_screens


def open_train(run_id: str) -> AppTest:
    forget_screens()  # a test may open two
    app = AppTest.from_file(str(APP_PATH), default_timeout=30).run()
    app.selectbox(key="run").set_value(run_id)
    return app.switch_page("pages/train.py").run()


def interrupt(run: Run) -> None:
    """Leave the run as a trainer that was killed leaves it."""
    change_json(run.path / "status.json", state="running", pid_start_time=1.0, result=None)


def change_network(run: Run) -> None:
    settings = json.loads((run.path / "config.json").read_text())["settings"]
    change_json(run.path / "config.json", settings=settings | {"filters_1": 16, "preset": "custom"})


def test_ended_run_is_shown_beside_the_paper_and_the_best_other_run(run_copy: Run, trained: Trained) -> None:
    app = open_train(run_copy.run_id)
    assert not app.exception
    table = next(table.value for table in app.table if "Misread of 10,000" in table.value.columns)
    wrong = trained.result["misclassified"]
    best = json.loads((BUNDLED_RUN.path / "status.json").read_text())["result"]["misclassified"]
    assert list(table["Misread of 10,000"]) == [f"{wrong:,}", "fewer than 80", str(best)]
    assert list(table["Test accuracy"])[:2] == [f"{trained.result['test_accuracy']:.2%}", "over 99% (99.21%)"]
    assert list(table.iloc[:, 0]) == ["This run", "The paper", f"Best other run ({BUNDLED_RUN.run_id})"]
    text = all_text(app)
    assert f"**{10_000 - wrong:,} of 10,000** test digits correctly" in text
    assert f"The best run here, {BUNDLED_RUN.run_id}, makes {wrong - best:,} fewer mistakes." in text


def test_new_best_run_is_said_to_be_one(run_copy: Run) -> None:
    best = json.loads((BUNDLED_RUN.path / "status.json").read_text())["result"]["misclassified"]
    result = json.loads((run_copy.path / "status.json").read_text())["result"]
    change_json(run_copy.path / "status.json", result=result | {"misclassified": best - 5})
    assert "**The best run here**: 5 fewer mistakes than any other." in all_text(open_train(run_copy.run_id))
    change_json(run_copy.path / "status.json", result=result | {"misclassified": best})
    assert f"As good as the best other run, {BUNDLED_RUN.run_id}." in all_text(open_train(run_copy.run_id))


def test_loss_that_is_not_a_number_gives_advice_and_the_settings_back(run_copy: Run) -> None:
    row = run_copy.read().batches[0]
    (run_copy.path / "metrics.jsonl").unlink()
    run_copy.append_metrics(row)
    run_copy.append_metrics(msgspec.structs.replace(row, step=row.step + 1, loss=None, learning_rate=0.9))
    reason = "the loss is not a number any more in epoch 1, at learning rate 0.9"
    change_json(run_copy.path / "status.json", state="failed", message=reason, result=None)
    app = open_train(run_copy.run_id)
    assert not app.exception
    assert app.warning[0].value.startswith(f"This run is failed: {reason}. ")
    assert "try a smaller learning rate, for example 0.09." in app.warning[0].value
    assert not [button for button in app.button if button.label.startswith("Continue")]  # it would fail again
    button(app, "Back to these settings").click().run()
    assert not app.exception
    config = run_copy.read().config
    assert config
    fields = {field.label: field.value for field in app.number_input}
    assert (
        (fields["Epochs"], fields["Batch size"], fields["Seed"])
        == (2, 64, 7)
        == (
            config.epochs,
            config.batch_size,
            config.seed,
        )
    )
    assert fields["Training images"] == 640


def test_shipped_run_offers_neither_to_continue_nor_its_settings() -> None:
    labels = [button.label for button in open_train(BUNDLED_RUN.run_id).button]
    assert "Back to these settings" not in labels
    assert not [label for label in labels if label.startswith("Continue")]


def test_interrupted_run_is_continued_from_its_last_checkpoint(run_copy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(run_copy)
    asked: list[str] = []

    def continue_training(store: RunStore, run: Run) -> Run:
        asked.append(run.run_id)
        raise RunStoreError("The disk is full.")

    monkeypatch.setattr(trainer, "continue_training", continue_training)
    # Without a checkpoint it would have to begin anew, and its epochs would be lost.
    assert not [each for each in open_train(run_copy.run_id).button if each.label.startswith("Continue")]
    run_copy.checkpoint_path(1).write_bytes(b"weights and optimizer")
    app = open_train(run_copy.run_id)
    assert "This run is interrupted: the trainer ended unexpectedly." in app.warning[0].value
    button(app, "Continue from epoch 1").click().run()
    assert asked == [run_copy.run_id]
    assert [error.value for error in app.error] == ["The disk is full."]
    assert len(run_copy.read().epochs) == 2  # nothing is lost


def test_run_that_is_continued_while_another_is_trained_waits(
    run_copy: Run, store: RunStore, copy_of: Callable[[str], Run]
) -> None:
    interrupt(run_copy)
    run_copy.checkpoint_path(2).touch()
    active = copy_of("20260101-000000-custom-seed1")
    let_it_train(active, store)
    queue = RunQueue(store)
    queue.pause()  # nobody begins to work it
    app = open_train(run_copy.run_id)
    button(app, "Continue from epoch 2").click().run()
    assert not app.exception
    assert [entry.run for entry in queue.waiting()] == [run_copy]
    assert "It is continued from the queue." in all_text(app)
    assert "**1 waiting**" in all_text(app)


@pytest.fixture
def copy_of(run_copy: Run, store: RunStore) -> Callable[[str], Run]:
    """Return a function that adds a copy of the tiny run, of another name, to ``store``."""

    def copy(name: str) -> Run:
        target = store.root / name
        for path in run_copy.path.rglob("*"):
            if path.is_file():
                copied = target / path.relative_to(run_copy.path)
                copied.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, copied)
        (target / "status.json").unlink()
        return Run(target)

    return copy


def selected(app: AppTest) -> str | None:
    """Return the run that the sidebar's selector shows."""
    return next(box.value for box in app.selectbox if box.label == "Run")


def test_another_run_can_be_looked_at_while_one_is_trained(
    run_copy: Run, store: RunStore, copy_of: Callable[[str], Run]
) -> None:
    active = copy_of("20260101-000000-custom-seed1")
    let_it_train(active, store)
    app = open_train(run_copy.run_id)
    assert not app.exception
    assert app.header[0].value == title_of(run_copy)
    assert f"**{title_of(active)}** is being trained now." in all_text(app)
    button(app, "Look at it").click().run()
    assert not app.exception
    assert selected(app) == active.run_id
    assert title_of(active) in [heading.value for heading in app.header]
    assert "Pause" in [button.label for button in app.button]


def test_who_comes_while_a_run_is_trained_sees_it(run_copy: Run, store: RunStore) -> None:
    let_it_train(run_copy, store)
    app = AppTest.from_file(str(APP_PATH), default_timeout=30).run()
    assert selected(app) == run_copy.run_id


def test_pause_and_stop_reach_the_trainer(run_copy: Run, store: RunStore) -> None:
    let_it_train(run_copy, store)
    app = open_train(run_copy.run_id)
    button(app, "Pause").click().run()
    assert run_copy.read_controls().paused
    button(app, "Resume").click().run()
    assert not run_copy.read_controls().paused
    button(app, "Stop").click().run()
    assert run_copy.read_controls().stop
    assert button(app, "Stop").disabled


def test_new_learning_rate_is_taken_or_refused_in_one_line(run_copy: Run, store: RunStore) -> None:
    let_it_train(run_copy, store)
    app = open_train(run_copy.run_id)

    def field() -> Any:
        return app.number_input(key=f"new_learning_rate_{run_copy.run_id}")

    assert field().placeholder == "now 0.001"
    button(app, "Set").click().run()
    assert [error.value for error in app.error] == ["Type the new learning rate first."]
    field().set_value(5.0)
    button(app, "Set").click().run()
    assert [error.value for error in app.error] == ["Learning rate must be from 0.000001 to 1, not 5.0."]
    assert field().value == 5.0  # to be corrected
    assert run_copy.read_controls().learning_rate is None
    field().set_value(0.0005)
    button(app, "Set").click().run()
    assert not app.error
    assert run_copy.read_controls().learning_rate == 0.0005
    assert field().value is None
    button(app, "Half").click().run()
    assert run_copy.read_controls().learning_rate == 0.00025  # of the one that is waited for


def test_changed_network_is_marked_wherever_the_run_shows(run_copy: Run) -> None:
    change_network(run_copy)
    app = open_train(run_copy.run_id)
    assert not app.exception
    mark = "violet-badge[not the paper's network]"
    assert len(re.findall(re.escape(mark), all_text(app))) == 2  # the sidebar and the view itself
    for name in ("overview", "dataset", "mistakes", "draw"):
        app.switch_page(f"pages/{name}.py").run()
        assert mark in all_text(app)
    app.switch_page("pages/overview.py").run()
    assert app.table[0].value.columns[-1] == f"Newest here: {title_of(run_copy)}, not the paper's network"


def test_the_papers_network_is_not_marked() -> None:
    assert "not the paper's" not in all_text(open_train(BUNDLED_RUN.run_id))


def test_twenty_digits_are_each_digit_twice(dataset: Dataset) -> None:
    from mnist_lib.ui.shared.watched_digits import FIRST_DIGITS, HARD_DIGITS

    assert dataset.test_labels[list(FIRST_DIGITS)].tolist() == list(range(10))
    assert dataset.test_labels[list(HARD_DIGITS)].tolist() == list(range(10))
    assert len({*FIRST_DIGITS, *HARD_DIGITS}) == 20


def test_of_many_classes_ten_are_watched_twice_if_they_can(dataset: Dataset) -> None:
    from mnist_lib.ui.shared.watched_digits import watched_images, watched_rows

    labels = np.array([*range(62), *range(31)], dtype=np.uint8)
    description = DatasetDescription(name="Letters", class_names=tuple(f"c{label}" for label in range(62)))
    many = replace(dataset, test_images=dataset.test_images[:93], test_labels=labels, description=description)
    first, second = watched_rows(many).values()
    assert labels[first].tolist() == [0, 7, 14, 20, 27, 34, 41, 47, 54, 61]
    assert labels[second].tolist() == [0, 7, 14, 20, 27]
    assert watched_images(many) == first + second


@pytest.mark.parametrize("epoch", [1, 2])
def test_watched_digits_show_the_stored_answers_of_the_chosen_epoch(
    epoch: int, run_copy: Run, dataset: Dataset
) -> None:
    app = open_train(run_copy.run_id)
    app.slider(key=f"watched_epoch_{run_copy.run_id}").set_value(epoch).run()
    with np.load(run_copy.path / "epochs" / f"{epoch:03d}.npz") as archive:
        right = check_digits(app, archive["probabilities"].astype(float), dataset)
    assert f"**{right} of 20** test digits read correctly after epoch {epoch}." in all_text(app)


def check_digits(app: AppTest, probabilities: np.ndarray, dataset: Dataset) -> int:
    """Check what is said below each of the twenty digits, and return how many are read correctly.

    Args:
        app: The Train screen.
        probabilities: (10000, 10), how the test images are read.
        dataset: MNIST.
    """
    html = next(element.proto.body for element in app.get("html") if 'class="watched"' in element.proto.body)
    said = re.findall(r'aria-label="Test image (\d+), an? (\d), read (correctly|as \d), ([\d.]+)% sure"', html)
    assert len(said) == 20
    for index, label, verdict, sure in said:
        row = probabilities[int(index)]
        assert int(label) == dataset.test_labels[int(index)]
        assert verdict == ("correctly" if row.argmax() == int(label) else f"as {row.argmax()}")
        assert float(sure) == pytest.approx(100 * row.max(), abs=0.06)
    return sum(verdict == "correctly" for _, _, verdict, _ in said)


@pytest.mark.parametrize(
    ("step", "moment"),
    [
        (0, "without any training"),
        (4, "in epoch 1, step 4 of 10"),
        (10, "after epoch 1"),
        (15, "in epoch 2, step 5 of 10"),
    ],
)
def test_digits_are_those_of_the_newest_network_within_an_epoch(
    step: int, moment: str, run_copy: Run, store: RunStore, dataset: Dataset
) -> None:
    network = load_network(run_copy, 1)
    write_live_network(run_copy.live_path, step, [array for layer in network[:4] for array in layer])
    (run_copy.path / "metrics.jsonl").write_text("")
    let_it_train(run_copy, store, epoch=1, step=step)
    app = open_train(run_copy.run_id)
    assert not app.exception
    probabilities = predict_probabilities(network, dataset.test_images)
    right = check_digits(app, probabilities, dataset)
    assert f"**{right} of 20** test digits read correctly {moment}." in all_text(app)
    errors = (probabilities[::10].argmax(axis=1) != dataset.test_labels[::10]).sum()
    assert f"Misread of a sample of 1,000 test images: {errors:,} now." in all_text(app)


def test_training_without_an_epoch_says_what_comes(run_copy: Run, store: RunStore) -> None:
    (run_copy.path / "metrics.jsonl").write_text("")
    let_it_train(run_copy, store, state="starting", phase="tracing", epoch=0, step=0)
    app = open_train(run_copy.run_id)
    assert not app.exception
    assert "The untrained network will read these test digits first." in all_text(app)
    assert "Misread of a sample of 1,000 test images." in all_text(app)
    progress = app.main.get("progress")[0].proto.text
    assert progress == "Starting: :material/check: loading Keras → **tracing the network…** → :gray[first batches]"


def test_damaged_epoch_is_named_beside_what_is_whole(run_copy: Run) -> None:
    run_copy.weights_path(2).unlink()
    app = open_train(run_copy.run_id)
    assert not app.exception
    assert [error.value for error in app.error] == ["epochs/002.weights.h5 is missing or unreadable"]
    assert "of 20** test digits read correctly after epoch 2." in all_text(app)


def test_validation_is_in_table_ii_if_there_is_a_split(run_copy: Run) -> None:
    assert "Validation loss" not in open_train(run_copy.run_id).table[-1].value
    settings = json.loads((run_copy.path / "config.json").read_text())["settings"]
    change_json(run_copy.path / "config.json", settings=settings | {"validation_split": 0.5})
    rows = [json.loads(line) for line in (run_copy.path / "metrics.jsonl").read_text().splitlines()]
    validated = [
        row | {"validation_loss": 0.25, "validation_accuracy": 0.5} if row["kind"] == "epoch" else row for row in rows
    ]
    (run_copy.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in validated))
    table = open_train(run_copy.run_id).table[-1].value
    assert list(table["Validation loss"]) == ["0.2500", "0.2500", ""]
    assert list(table["Validation accuracy"]) == ["0.5000", "0.5000", ""]


def test_table_ii_ends_with_the_papers_result(run_copy: Run) -> None:
    table = open_train(run_copy.run_id).table[-1].value
    assert list(table["Epoch"]) == ["1", "2", "The paper, after 5"]
    assert list(table["Paper: accuracy"]) == ["0.9524", "0.9833", "0.9922"]
    assert table["Test accuracy"].iloc[-1] == "0.9921"
    assert table["Misread"].iloc[-1] == "fewer than 80"


@pytest.mark.parametrize("shown", ["the training", "another run"])
def test_end_of_a_training_is_told_once(shown: str, run_copy: Run, store: RunStore) -> None:
    let_it_train(run_copy, store)
    app = open_train(run_copy.run_id if shown == "the training" else BUNDLED_RUN.run_id)
    assert not app.toast
    change_json(run_copy.path / "status.json", state="stopped")
    app.run()
    way = "" if shown == "the training" else " Choose it under Run to look at it."
    assert [toast.value for toast in app.toast] == [f"The training {title_of(run_copy)} has ended.{way}"]
    app.run()
    assert not app.toast
