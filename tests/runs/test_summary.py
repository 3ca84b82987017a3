"""The row of each run in the table of all runs."""

from __future__ import annotations

import json
import shutil

from mnist_lib.runs.run import Run
from mnist_lib.runs.summary import SETTING_LABELS, differing_settings, summarize_run
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, Trained, change_json


def test_summary_of_a_finished_run_agrees_with_its_files(trained: Trained) -> None:
    summary = summarize_run(trained.run)
    assert summary.run_id == trained.result["run_id"]
    assert (summary.state, summary.message, summary.bundled) == ("finished", "", False)
    assert summary.epochs == 2
    assert summary.test_accuracy == trained.result["test_accuracy"]
    assert summary.misclassified == trained.result["misclassified"]
    assert summary.train_seconds == trained.result["train_seconds"]
    assert summary.config
    assert summary.config.seed == 7
    assert summary.created_at == json.loads((trained.run.path / "config.json").read_text())["created_at"]


def test_line_of_an_interrupted_run_comes_from_its_last_epoch(run_copy: Run, trained: Trained) -> None:
    change_json(run_copy.path / "status.json", state="running", result=None, pid=0)
    summary = summarize_run(run_copy)
    assert summary.state == "interrupted"
    assert summary.message
    assert (summary.epochs, summary.misclassified) == (2, trained.result["misclassified"])


def test_summary_of_a_damaged_run_says_so(run_copy: Run) -> None:
    (run_copy.path / "config.json").write_text("{")
    summary = summarize_run(run_copy)
    assert summary.state == "damaged"
    assert summary.config is None
    shutil.rmtree(run_copy.path)
    assert summarize_run(run_copy).test_accuracy is None


def test_note_is_part_of_the_line(run_copy: Run) -> None:
    run_copy.write_note("a note")
    assert summarize_run(run_copy).note == "a note"


def test_settings_that_differ_are_named_in_the_order_of_the_form() -> None:
    names = differing_settings([summarize_run(BUNDLED_RUN), summarize_run(PAPER_RUN)])
    one, other = (summarize_run(run).config for run in (BUNDLED_RUN, PAPER_RUN))
    assert one
    assert other
    expected = {name for name, value in one.to_dict().items() if value != other.to_dict()[name]}
    assert set(names) == expected
    assert names == [name for name in SETTING_LABELS if name in expected]


def test_one_run_differs_in_nothing_and_a_damaged_one_is_passed_over(run_copy: Run) -> None:
    assert differing_settings([summarize_run(PAPER_RUN)]) == []
    (run_copy.path / "config.json").unlink()
    assert differing_settings([summarize_run(PAPER_RUN), summarize_run(run_copy)]) == []
