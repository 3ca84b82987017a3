"""Figures of experiments: what is drawn is what the runs reached, and it is told in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.experiments.plan import Plan, parse_vary, plan_experiment
from mnist_lib.experiments.results import Results, mean_curve, read_results
from mnist_lib.figures.experiments import (
    METRICS,
    brush_lines,
    curves_figure,
    parallel_coordinates_figure,
    repeats_figure,
    scatter_figure,
    select_dots,
)
from mnist_lib.figures.words import figure_in_words
from mnist_lib.runs.store import RunStore
from tests.support.experiments import add_experiment, add_run

ERRORS = [[300, 100], [200, 80], [250, 90], [400, 120]]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_experiment(
        TrainingConfig(epochs=2), vary=[parse_vary("learning_rate=0.001,0.02"), parse_vary("optimizer=muon,adam")]
    )


@pytest.fixture(scope="module")
def results(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Results:
    store = RunStore(tmp_path_factory.mktemp("experiment") / "runs", bundled_root=Path("none"))
    experiment = add_experiment(store, plan)
    for number, (config, errors) in enumerate(zip(plan.configs(), ERRORS, strict=True), start=1):
        add_run(store, "rates", number, config, errors, [0.9, 0.99 + number / 1_000])
    add_run(store, "rates", 9, plan.configs()[0], [], state="failed")
    return read_results(store, experiment)


def test_each_run_is_a_dot_and_the_mean_has_its_interval(results: Results) -> None:
    figure: Any = repeats_figure([("<b>all", results.runs), ("one", results.runs[:1])], "misclassified")
    dots, means = figure.data
    assert dots.x == (100, 80, 90, 120, 100)
    assert dots.customdata == (1, 2, 3, 4, 1)
    assert set(dots.y) == {"&lt;b&gt;all", "one"}
    assert means.x == (97.5, 100)
    # 3.1824 standard errors of 17.078 / 2.
    assert means.error_x.array == pytest.approx([3.182446 * 17.07825 / 2, 0])
    words = figure_in_words(figure)
    assert "mean, 95% interval: &lt;b&gt;all: mean 97.5, 95% interval 70.3 to 124.7, one: 100" in words


def test_curves_are_a_mean_in_a_band(results: Results) -> None:
    figure: Any = curves_figure([("all", mean_curve(results.runs, "validation_accuracy"))], "validation_accuracy")
    band, line = figure.data
    assert line.y == pytest.approx([0.9, 0.9925])
    assert list(band.x) == [1, 2, 2, 1]
    assert band.y == pytest.approx([0.9, 0.994, 0.991, 0.9])
    assert figure_in_words(figure) == "all: 1: 90.00%, 90.00% to 90.00%, 2: 99.25%, 99.10% to 99.40%"


def test_parallel_coordinates_have_a_logarithm_names_and_the_metric(results: Results, plan: Plan) -> None:
    figure: Any = parallel_coordinates_figure(results.runs, plan, "misclassified")
    rate, optimizer, errors = figure.data[0].dimensions
    assert rate.values == pytest.approx(np.log10([0.001, 0.001, 0.02, 0.02]))
    assert len(rate.tickvals) == len(rate.ticktext) == 11, "each digit from 0.001 to 0.02, where a brush can end"
    assert [text for text in rate.ticktext if text.strip()] == ["0.001", "0.002", "0.005", "0.01", "0.02"]
    assert optimizer.ticktext == ("adam", "muon")
    assert optimizer.values == (1, 0, 1, 0)
    assert errors.values == (100, 80, 90, 120)
    assert figure.data[0].line.reversescale, "few errors are blue"
    assert figure.data[0].customdata == (1, 2, 3, 4)
    assert figure_in_words(figure) == (
        "4 lines: Learning rate from 0.001 to 0.02, Optimizer from adam to muon, misread test images from 80 to 120; "
        "the one that ends highest: Learning rate 0.02, Optimizer adam, misread test images 120"
    )


def test_brushed_axes_keep_the_runs_that_all_of_them_have(results: Results, plan: Plan) -> None:
    def stay(brushes: dict[str, list[list[float]]]) -> set[int]:
        return brush_lines(parallel_coordinates_figure(results.runs, plan, "misclassified"), brushes)

    assert stay({}) == {1, 2, 3, 4}
    assert stay({"Learning rate": [[-3.1, -2.9]]}) == {1, 2}
    assert stay({"Learning rate": [[-3.1, -2.9]], "misread test images": [[75, 85], [110, 130]]}) == {2}
    assert stay({"an axis of another figure": [[0, 0]]}) == {1, 2, 3, 4}


def test_dots_that_are_not_selected_fade(results: Results, plan: Plan) -> None:
    figure: Any = scatter_figure(results.runs, plan, "learning_rate", "misclassified")
    select_dots(figure, {2, 4})
    assert list(figure.data[0].selectedpoints) == [1, 3]


def test_scatter_has_the_scale_of_the_plan(results: Results, plan: Plan) -> None:
    figure: Any = scatter_figure(results.runs, plan, "learning_rate", "validation_accuracy", color="seconds")
    assert figure.layout["xaxis"]["type"] == "log"
    assert figure.data[0].marker.color == (20, 20, 20, 20)
    assert figure.data[0].marker.showscale
    assert figure.layout["yaxis"]["autorangeoptions"]["clipmax"] == 1
    same: Any = scatter_figure(results.runs, plan, "learning_rate", "seconds", color="seconds")
    assert not same.data[0].marker.showscale, "the axis says what the colours mean"
    names: Any = scatter_figure(results.runs, plan, "optimizer", "misclassified")
    assert names.layout["xaxis"]["type"] == "category"
    assert figure_in_words(names) == "misread test images: muon: 100, adam: 80, muon: 90, adam: 120"


@pytest.mark.parametrize("metric", METRICS)
def test_figures_of_nothing_say_so(metric: str, plan: Plan) -> None:
    for figure in (
        repeats_figure([], metric),
        curves_figure([("all", mean_curve([], "misclassified"))], metric),
        parallel_coordinates_figure([], plan, metric),
        scatter_figure([], plan, "optimizer", metric, color=metric),
    ):
        assert "nothing yet" in figure_in_words(figure)
