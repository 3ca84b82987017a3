"""Figures in words: the numbers that a person sees are the numbers that a person hears."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import confusion_matrix
from mnist_lib.figures.digits import probabilities_figure
from mnist_lib.figures.evaluation import confusion_figure
from mnist_lib.figures.learning_curves import learning_curve_figure
from mnist_lib.figures.words import figure_in_words
from tests.support.runs import PAPER_RUN


def test_bars_are_told_as_they_are_labelled() -> None:
    probabilities = np.array([0.01, 0.0, 0.02, 0.9, 0.0, 0.0, 0.07, 0.0, 0.0, 0.0])
    words = figure_in_words(probabilities_figure(probabilities))
    assert words.startswith("Probability of each digit: 0: 1.0%, 1: <0.1%, 2: 2.0%, 3: 90.0%, ")


def test_few_points_are_told_one_by_one_and_many_by_their_course() -> None:
    run = PAPER_RUN.read()
    words = figure_in_words(learning_curve_figure("accuracy", run))
    told = ", ".join(f"{epoch.step:,}: {epoch.test_accuracy:.2%}" for epoch in run.epochs)
    assert words.startswith("Accuracy. train: from 12.50% at 1 to ")
    assert words.endswith(f". test: {told}")


def test_largest_cells_are_told_by_row_and_column(dataset: Dataset) -> None:
    matrix = confusion_matrix(PAPER_RUN.probabilities(), dataset.test_labels)
    np.fill_diagonal(matrix, 0)
    true_digit, answer = np.unravel_index(matrix.argmax(), matrix.shape)
    words = figure_in_words(confusion_figure(matrix))
    assert f"the largest true digit {true_digit}, predicted digit {answer}: {matrix.max()};" in words


def test_missing_values_and_figures_without_any_are_told() -> None:
    line = {"type": "scatter", "name": "a", "x": [1, 2, 3], "y": [np.nan, -2.5, None]}
    assert figure_in_words(go.Figure([line, {"type": "scatter", "name": "b"}])) == "a: 2: −2.5. b: nothing yet"
