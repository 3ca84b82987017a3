"""The figures of a run's test probabilities show the numbers they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.metrics import CoverageCurve, coverage_curve, measure_reliability
from mnist_lib.evaluation.predictions import confusion_matrix
from mnist_lib.figures.evaluation import confusion_figure, coverage_figure, reliability_figure
from mnist_lib.runs.store import RunStore

RUN = RunStore(Path("nowhere")).bundled_runs()[0]


def test_confusion_colours_errors_only_and_writes_every_count() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[4, 9] = 12
    matrix[9, 4] = 3
    np.fill_diagonal(matrix, 1005)
    figure: Any = confusion_figure(matrix)
    heatmap, counts, faint = figure.data
    colored = np.array(heatmap.z)
    assert np.isnan(np.diag(colored)).all()  # a thousand right ones would drown the errors
    assert (heatmap.zmin, heatmap.zmax) == (0, 12)
    assert colored[4, 9] == 12
    assert colored[9, 4] == 3
    written = dict(zip(zip(counts.y, counts.x, strict=True), counts.text, strict=True))
    assert written == {("4", "9"): "12", ("9", "4"): "3"}
    written = dict(zip(zip(faint.y, faint.x, strict=True), faint.text, strict=True))
    assert written == {(str(i), str(i)): "1,005" for i in range(10)}
    assert faint.opacity < counts.opacity == 1
    # What a click tells.
    assert list(heatmap.x) == list(heatmap.y) == list("0123456789")
    assert counts.hoverinfo == faint.hoverinfo == "skip"
    np.testing.assert_array_equal(np.array(heatmap.customdata)[..., 0], matrix)
    assert heatmap.text[9][9] == "1,005 images"
    assert figure.layout.yaxis.title.text == "true digit"
    assert figure.layout.xaxis.title.text == "predicted digit"
    assert figure.layout.yaxis.autorange == "reversed"


def test_confusion_can_colour_the_diagonal_and_show_shares_of_rows() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[4, 9], matrix[4, 4] = 1, 199
    figure: Any = confusion_figure(matrix, row_percent=True, hide_diagonal=False)
    heatmap, texts, faint = figure.data
    assert not faint.text
    assert np.array(heatmap.z)[4, 9] == 0.005
    assert np.array(heatmap.z)[4, 4] == 0.995
    assert dict(zip(zip(texts.y, texts.x, strict=True), texts.text, strict=True)) == {
        ("4", "9"): "0.5%",
        ("4", "4"): "99.5%",
    }
    assert heatmap.customdata[4][9].tolist() == [1, 0.005]
    assert heatmap.text[4][9] == "1 image"  # on hover


def test_no_share_is_rounded_to_0_or_100_percent() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[0, 0] = 500
    matrix[1, 1], matrix[1, 2] = 9999, 1
    figure: Any = confusion_figure(matrix, row_percent=True, hide_diagonal=False)
    texts = figure.data[1]
    written = dict(zip(zip(texts.y, texts.x, strict=True), texts.text, strict=True))
    assert written == {("0", "0"): "100%", ("1", "1"): ">99.9%", ("1", "2"): "<0.1%"}


@pytest.mark.parametrize("row_percent", [False, True])
def test_without_an_error_no_cell_has_a_colour(row_percent: bool) -> None:
    figure: Any = confusion_figure(np.diag(np.full(10, 900)), row_percent)
    heatmap = figure.data[0]
    assert np.nansum(np.array(heatmap.z)) == 0
    assert heatmap.zmin == 0 < heatmap.zmax


def test_chosen_cell_has_a_frame() -> None:
    matrix = np.eye(10, dtype=np.int64)
    figure: Any = confusion_figure(matrix)
    assert not figure.layout.shapes
    figure = confusion_figure(matrix, selected=(4, 9))
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (8.5, 9.5, 3.5, 4.5)


def test_reliability_shows_each_bin_that_holds_an_answer(dataset: Dataset) -> None:
    reliability = measure_reliability(RUN.probabilities(), dataset.test_labels)
    figure: Any = reliability_figure(reliability)
    bars, gaps, diagonal, counts = figure.data
    assert (list(diagonal.x), list(diagonal.y)) == ([0, 1], [0, 1])
    held = reliability.counts > 0
    np.testing.assert_array_equal(bars.y, reliability.accuracies[held])
    np.testing.assert_array_equal(counts.y, reliability.counts[held])
    assert sum(counts.y) == 10_000
    few = reliability.counts[held] < 10
    assert few.any()
    assert (np.array(bars.marker.opacity) < 1).tolist() == few.tolist()
    assert (np.array(gaps.marker.opacity) < 1).tolist() == few.tolist()
    # The gaps by their counts are the calibration error.
    assert (np.array(gaps.y) * counts.y).sum() / 10_000 == pytest.approx(reliability.error)


def test_gap_lies_between_accuracy_and_confidence() -> None:
    probabilities = np.full((4, 10), 0.3 / 9)
    probabilities[:2, 1], probabilities[2:, 1] = 0.7, 0.9
    reliability = measure_reliability(probabilities, np.array([1, 1, 1, 0]), bins=5)  # too unsure, then too sure
    figure: Any = reliability_figure(reliability)
    bars, gaps, _, counts = figure.data
    assert list(bars.x) == pytest.approx([0.7, 0.9])
    assert list(bars.y) == pytest.approx([1, 0.5])
    assert list(gaps.base) == pytest.approx([0.7, 0.5])
    assert list(gaps.y) == pytest.approx([0.3, 0.4])
    assert bars.customdata[1].tolist() == pytest.approx([0.8, 1, 2, 0.5, 0.9])  # on hover
    assert counts.yaxis == "y2"
    assert figure.layout.yaxis2.type == "log"
    low, high = figure.layout.yaxis2.range
    assert low < 0  # two answers, and one as well, are a bar of some height
    assert high >= np.log10(2)


def test_coverage_marks_the_threshold(dataset: Dataset) -> None:
    curve = coverage_curve(RUN.probabilities(), dataset.test_labels, np.linspace(0, 1, 101))
    figure: Any = coverage_figure(curve, threshold=0.95)
    line, mark = figure.data
    np.testing.assert_array_equal(line.x, curve.answered)
    assert (mark.x[0], mark.y[0]) == (curve.answered[95], curve.accuracies[95])
    figure = coverage_figure(curve)
    assert len(figure.data) == 1


def test_axis_of_coverage_begins_a_little_below_the_curve() -> None:
    accuracies = np.array([0.9, 0.95, 1.0, np.nan])
    curve = CoverageCurve(np.array([0, 0.5, 0.9, 1]), np.array([1, 0.8, 0.4, 0]), accuracies)
    figure: Any = coverage_figure(curve)
    low, high = figure.layout.yaxis.range
    assert 0.88 < low < 0.9
    assert 1 < high < 1.02
    nothing = CoverageCurve(curve.thresholds, np.zeros(4), np.full(4, np.nan))
    figure = coverage_figure(nothing, 0.5)
    assert np.isfinite(figure.layout.yaxis.range).all()


@pytest.mark.parametrize("wrong", [0, 1, 10_000])
def test_perfect_and_hopeless_runs_are_drawn_too(wrong: int, dataset: Dataset) -> None:
    probabilities = np.zeros((10_000, 10), np.float32)
    answers = dataset.test_labels.astype(int)
    answers[:wrong] = (answers[:wrong] + 1) % 10
    probabilities[np.arange(10_000), answers] = 1
    labels = dataset.test_labels
    curve = coverage_curve(probabilities, labels, np.linspace(0, 1, 11))
    for figure in (
        confusion_figure(confusion_matrix(probabilities, labels), row_percent=True),
        reliability_figure(measure_reliability(probabilities, labels)),
        coverage_figure(curve, 0.5),
    ):
        assert isinstance(figure, go.Figure)
        layout: Any = figure.layout
        assert layout.uirevision  # so that a new epoch leaves zoom and legend as they are
        assert layout.height
        assert layout.xaxis.fixedrange
        assert layout.yaxis.fixedrange
        assert figure.to_json()  # a type that Plotly cannot write would fail only on the screen
