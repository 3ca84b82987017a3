"""The benchmark of training: what it measures, puts together, compares and draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.training.machine import read_processor
from benchmarks.training.measurement import worst_time_left_error
from benchmarks.training.plot import accuracy_figure
from benchmarks.training.results import (
    BARE,
    BARE_ONEDNN,
    Machine,
    Results,
    ResultsError,
    Training,
    join_results,
    read_results,
)
from benchmarks.training.tables import comparison_text, results_text, table
from mnist_lib.config import TrainingConfig
from mnist_lib.runs.records import RunSnapshot, Status
from tests.support.processes import Python
from tests.support.runs import batch_row, epoch_row

CPUINFO = """processor\t: 0
model name\t: Some Processor 9000
flags\t\t: fpu sse2 avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 amx_tile

processor\t: 1
model name\t: Some Processor 9000
flags\t\t: fpu sse2 avx2 avx512f avx512_bf16 avx512_vnni amx_bf16 amx_tile
"""

MACHINE = Machine(
    processor="Some Processor 9000", cores=2, flags=["avx2"], gpu=None, onednn=False, versions={"python": "3.11"}
)


def make_training(recipe: str, seconds: float, *accuracies: float, **values: Any) -> Training:
    """Return a training of as many epochs, each of the same length, beside a bare script of 100 s."""
    times = np.linspace(0, seconds, len(accuracies) + 1)[1:].tolist()
    usual: dict[str, Any] = {"seed": 0, "images_per_second": 1_000.0, "precision": "float32", "bare_seconds": 100.0}
    curve = list(zip(times, accuracies, strict=True))
    return Training(recipe=recipe, seconds=seconds, test_accuracy=accuracies[-1], curve=curve, **usual | values)


def make_results(*trainings: Training) -> Results:
    return Results(machine=MACHINE, training_images=60_000, trainings=list(trainings))


def write_results(path: Path, results: Results) -> Path:
    path.write_bytes(msgspec.json.encode(results))
    return path


def cells(text: str) -> list[list[str]]:
    """Return the cells of the last table in a text, without the line below its header."""
    header, _, *rows = text.split("\n\n")[-1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, *rows)]


def test_processor_is_named_with_the_flags_that_matter(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(CPUINFO)
    flags = ["avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_tile"]
    assert read_processor(path) == ("Some Processor 9000", flags)


def test_processor_has_a_name_and_no_flags_without_cpuinfo(tmp_path: Path) -> None:
    name, flags = read_processor(tmp_path / "missing")
    assert name
    assert flags == []


def run_at(*times: float, evaluation_s: float) -> RunSnapshot:
    """Return a finished run of an epoch of ten steps, with a row after each of them at these seconds.

    It evaluates 12,000 images, which are as many forward passes as a step on 4,000 images has, times three.
    """
    return RunSnapshot(
        "a run",
        False,
        "finished",
        config=TrainingConfig(epochs=1, batch_size=4_000, training_images=42_000, validation_split=2 / 42),
        status=Status("finished", total_steps=10),
        batches=[batch_row(step, elapsed_s=elapsed_s) for step, elapsed_s in enumerate(times, start=1)],
        epochs=[epoch_row(1, step=10, elapsed_s=times[-1] + evaluation_s)],
    )


def test_time_left_is_exact_at_a_constant_speed() -> None:
    assert worst_time_left_error(run_at(*range(1, 11), evaluation_s=1)) == pytest.approx(0)


def test_time_left_error_is_relative_to_the_time_that_was_left() -> None:
    # A second a step, then two. After the fourth step seven seconds were expected, and fourteen came.
    run = run_at(1, 2, 3, 4, 6, 8, 10, 12, 14, 16, evaluation_s=2)
    assert worst_time_left_error(run) == pytest.approx(0.5)


def test_time_left_does_not_count_in_the_first_tenth_and_the_last_two_seconds() -> None:
    slow_end = run_at(1, 2, 3, 4, 5, 6, 7, 8, 11.5, 11.8, evaluation_s=0.2)
    # After the eighth step 3 s were expected and 4 came; after the ninth nearly 3 and half a second.
    assert worst_time_left_error(slow_end) == pytest.approx(1 / 4)
    first_row = replace(slow_end, batches=slow_end.batches[:1])
    assert worst_time_left_error(first_row) == 0


def test_accuracy_is_reached_at_the_end_of_the_first_epoch_that_has_it() -> None:
    training = make_training("fast", 30.0, 0.98, 0.992, 0.991)
    assert training.seconds_until(0.98) == 10.0
    assert training.seconds_until(0.99) == 20.0
    assert training.seconds_until(0.995) == float("inf")


def test_tables_hold_each_training_and_the_median_and_worst_of_a_recipe() -> None:
    results = make_results(
        make_training(BARE, 100.0, 0.98, 0.9905),
        make_training("fast", 20.0, 0.985, 0.993, time_left_error=0.05),
        make_training("fast", 25.0, 0.985, 0.9912, seed=1, bare_seconds=50.0, time_left_error=0.21),
    )
    text = results_text(results)
    assert text.startswith("Some Processor 9000, 2 cores; avx2; no GPU; oneDNN off by default; python 3.11")
    header, bare, fast, *_ = cells(text.split("\n\n")[1])
    row = dict(zip(header, bare, strict=True))
    assert (row["misclassified"], row["ratio"], row["s to 99%"], row["s to 99.2%"]) == ("95", "1.000", "100.0", "never")
    row = dict(zip(header, fast, strict=True))
    assert (row["test accuracy"], row["misclassified"], row["ratio"]) == ("99.30%", "70", "0.200")
    assert (row["times faster"], row["s to 99.2%"], row["time left off"]) == ("5.00", "20.0", "5%")
    header, _, summary = cells(text)
    row = dict(zip(header, summary, strict=True))
    assert row["misclassified"] == "79, 88"
    assert row["ratio"] == "0.350, 0.500"
    assert row["times faster"] == "3.50, 2.00"
    assert row["s to 99.2%"] == "never, never"
    assert row["time left off"] == "13%, 21%"


def test_columns_that_nobody_filled_are_left_out() -> None:
    assert table([{"a": "1", "b": ""}, {"a": "22", "b": ""}]) == "| a  |\n| -- |\n| 1  |\n| 22 |"


def test_ratio_to_the_bare_script_with_onednn_is_in_the_tables_if_it_was_measured() -> None:
    with_onednn = {"bare_onednn_seconds": 80.0}
    paper, onednn = make_training("paper", 60.0, 0.99), make_training(BARE_ONEDNN, 80.0, 0.99)
    assert "ratio, oneDNN" not in results_text(make_results(paper))
    text = results_text(make_results(*(msgspec.structs.replace(one, **with_onednn) for one in (onednn, paper))))
    header, *rows = cells(text)
    assert [row[header.index("ratio, oneDNN")] for row in rows] == ["1.000, 1.000", "0.750, 0.750"]


def test_results_are_read_as_they_were_printed_and_put_together(tmp_path: Path) -> None:
    paper, fast = make_training("paper", 60.0, 0.99), make_training("fast", 20.0, 0.98, 0.993)
    parts = [make_results(paper), msgspec.structs.replace(make_results(fast), predict_seconds=[0.5])]
    read = [read_results(write_results(tmp_path / f"{number}.json", part)) for number, part in enumerate(parts)]
    assert read == parts
    joined = join_results(read)
    assert joined.trainings == [paper, fast]
    assert joined.predict_seconds == [0.5]


def test_results_of_different_machines_are_not_put_together() -> None:
    results = make_results(make_training("paper", 60.0, 0.99))
    other = msgspec.structs.replace(results, machine=msgspec.structs.replace(MACHINE, cores=4))
    with pytest.raises(ResultsError, match="different machines"):
        join_results([results, other])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"machine": 3}', "\udcff"])
def test_a_file_of_something_else_is_said_in_a_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ResultsError, match="holds no results") as caught:
        read_results(path)
    assert "\n" not in str(caught.value)


def test_comparison_has_the_medians_of_the_recipes_in_both() -> None:
    old = make_results(*(make_training("fast", seconds, 0.993) for seconds in (40.0, 50.0, 90.0)))
    new = make_results(make_training("fast", 20.0, 0.9935), make_training("paper", 60.0, 0.99))
    assert cells(comparison_text(old, new)) == [
        ["median", "ratio, old", "ratio, new", "new / old", "misclassified, old", "misclassified, new"],
        ["fast", "0.500", "0.200", "0.400", "70", "65"],
    ]


def test_figure_has_a_line_for_each_seed_and_a_thick_one_for_their_median() -> None:
    runs = [make_training("fast", *values) for values in ((20.0, 0.98, 0.99), (30.0, 0.98, 0.993), (22.0, 0.98, 0.994))]
    figure: Any = accuracy_figure(make_results(*runs, make_training(BARE_ONEDNN, 80.0, 0.99)))
    *thin, thick = figure.data
    assert len(thin) == 3
    assert all(line.line.width < thick.line.width for line in thin)
    np.testing.assert_allclose(thin[1].x, [15, 30])
    np.testing.assert_allclose(thin[1].y, [0.02, 0.007])
    np.testing.assert_allclose(thick.x, [11, 22])
    np.testing.assert_allclose(thick.y, [0.02, 0.007])
    assert [label.text for label in figure.layout.annotations] == ["<b>fast</b><br>99.30%, 22 s"]


def test_figure_shows_more_accuracy_further_up_and_every_point() -> None:
    figure = accuracy_figure(make_results(make_training("paper", 60.0, 0.9, 1.0))).to_dict()
    bottom, top = figure["layout"]["yaxis"]["range"]
    assert bottom > np.log10(0.1)
    assert top < np.log10(0.5 / 10_000)  # no error at all, at half an image
    assert figure["layout"]["xaxis"]["range"][1] > 60


def test_labels_of_lines_that_end_together_do_not_cover_each_other() -> None:
    together = [make_training(recipe, 60.0, 0.98, 0.99) for recipe in (BARE, "paper", "fast")]
    apart = make_training("accurate", 300.0, 0.98, 0.99)
    figure: Any = accuracy_figure(make_results(*together, apart))
    shifts = {label.text.partition("<br>")[0]: label.yshift for label in figure.layout.annotations}
    expected = {"<b>bare script</b>": 0, "<b>paper</b>": -36, "<b>fast</b>": -72, "<b>accurate</b>": 0}
    assert shifts == pytest.approx(expected)


@pytest.mark.parametrize("trainings", [[], [("fast", 20.0, 0.9), ("fast", 20.0, 0.9, 0.95)]])
def test_figure_of_nothing_or_of_unequal_trainings_is_refused(trainings: list[Any]) -> None:
    with pytest.raises(ResultsError):
        accuracy_figure(make_results(*(make_training(*training) for training in trainings)))


def test_command_draws_the_plot_from_results(tmp_path: Path, python: Python) -> None:
    results = write_results(tmp_path / "results.json", make_results(make_training("fast", 20.0, 0.98, 0.993)))
    plot = tmp_path / "plot.svg"
    code, stdout, stderr = python.run("-m", "benchmarks.training", "--from", results, "--plot", plot)
    assert code == 0, stderr
    assert "99.30%" in stdout
    svg = plot.read_text()
    assert svg.startswith("<svg")
    assert "seconds since the call of fit" in svg


def test_command_says_in_a_line_what_is_wrong(tmp_path: Path, python: Python) -> None:
    missing = str(tmp_path / "missing.json")
    for arguments in (["--from", missing], ["--compare", missing, missing], ["--plot", str(tmp_path / "no" / "a.svg")]):
        code, _, stderr = python.run("-m", "benchmarks.training", *arguments)
        assert code == 2
        assert "Traceback" not in stderr


def test_command_measures_the_bare_script_and_a_preset_beside_it(python: Python) -> None:
    options = ["--presets", "fast", "--seeds", "3", "--limit", "300", "--parts", "trainings", "--json"]
    code, stdout, stderr = python.run("-m", "benchmarks.training", *options)
    assert code == 0, stderr
    results = msgspec.json.decode(stdout, type=Results)
    assert {"python", "keras", "numpy"} < results.machine.versions.keys()
    bare, fast = results.trainings
    assert (bare.recipe, len(bare.curve), bare.ratio) == (BARE, 5, 1.0)
    assert (fast.recipe, fast.seed, fast.bare_seconds) == ("fast", 3, bare.seconds)
    assert bare.onednn == results.machine.onednn
    for training in (bare, fast):
        assert training.curve[-1][1] == pytest.approx(training.test_accuracy)
        assert training.curve[-1][0] <= training.seconds * 1.01
    assert results.training_images == 300
