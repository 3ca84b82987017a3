"""The metrics of a run: accuracy with its interval, each digit, calibration and coverage."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import Dataset, DatasetDescription
from mnist_lib.data.label_votes import load_label_votes, measure_with_votes
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD
from mnist_lib.evaluation.metrics import coverage_curve, digit_metrics, measure_reliability, wilson_interval
from mnist_lib.evaluation.predictions import confusion_matrix
from mnist_lib.figures.evaluation import coverage_figure, reliability_figure
from mnist_lib.ui.components.live_figure import live_figure

# Denser near 1, where nearly all answers are.
_THRESHOLDS = np.unique(np.concatenate([np.linspace(0, 1, 101), 1 - np.geomspace(0.1, 0.0005, 60)]))


def render_metrics(probabilities: np.ndarray, dataset: Dataset) -> None:
    """Show all metrics of a run after one epoch.

    Args:
        probabilities: float32, (n, classes), 0 to 1.
        dataset: The data set of the run.
    """
    labels = dataset.test_labels
    _render_accuracy(probabilities.argmax(axis=1), labels, dataset.description)
    _render_classes(confusion_matrix(probabilities, labels), dataset.description)
    reliability_column, coverage_column = st.columns(2, gap="large")
    with reliability_column:
        _render_reliability(probabilities, labels)
    with coverage_column:
        _render_coverage(probabilities, labels)


def _render_accuracy(answers: np.ndarray, labels: np.ndarray, classes: DatasetDescription) -> None:
    st.header("Accuracy")
    rows = {"As labelled": (int((answers == labels).sum()), len(labels))}
    line = (
        f"{len(labels):,} {classes.noun}s are a sample: repeated on new samples, 19 of 20 such intervals (Wilson's) "
        "contain the true accuracy."
    )
    if classes.is_mnist:
        votes = load_label_votes()
        voted = measure_with_votes(answers, labels, votes)
        rows["Without disputed labels"] = voted.set_aside_right, voted.set_aside_count
        line += (
            f" People were asked about the labels of {len(votes.indices)} test images. For "
            f"{voted.as_labelled_count - voted.set_aside_count} of them no majority agreed with the label; the second "
            "row leaves these out. No label is ever changed."
        )
    intervals = [wilson_interval(right, count) for right, count in rows.values()]
    st.table(
        {
            "Labels": list(rows),
            "Accuracy": [f"{right / count:.2%}" for right, count in rows.values()],
            "95% interval": [f"{low:.2%} to {high:.2%}" for low, high in intervals],
            "Right": [f"{right:,} of {count:,}" for right, count in rows.values()],
        },
        hide_index=True,
    )
    st.caption(line)


def _render_classes(matrix: np.ndarray, classes: DatasetDescription) -> None:
    st.header(f"Each {classes.kind}")
    metrics = digit_metrics(matrix)
    st.dataframe(
        {
            classes.kind.capitalize(): list(classes.class_names),
            "Precision": 100 * metrics.precision,
            "Recall": 100 * metrics.recall,
            "F1": 100 * metrics.f1,
            "Images": metrics.support,
            "Read as this": metrics.predicted,
        },
        hide_index=True,
        column_config={
            "Precision": st.column_config.NumberColumn(
                format="%.2f%%", help=f"Share of the images read as this {classes.kind} that show it."
            ),
            "Recall": st.column_config.NumberColumn(
                format="%.2f%%", help=f"Share of the images of this {classes.kind} that are read as it."
            ),
            "F1": st.column_config.NumberColumn(format="%.2f%%", help="The harmonic mean of both."),
            "Images": st.column_config.NumberColumn(format="localized"),
            "Read as this": st.column_config.NumberColumn(format="localized"),
        },
        key="digit_figures",
    )


def _render_reliability(probabilities: np.ndarray, labels: np.ndarray) -> None:
    st.header("Is its confidence honest?")
    reliability = measure_reliability(probabilities, labels)
    st.markdown(
        f"On average, its confidence and its accuracy differ by **{reliability.error:.2%}**, the expected calibration "
        "error."
    )
    live_figure(reliability_figure(reliability), key="reliability")
    st.caption("On the diagonal its confidence is honest: of the answers with 80% confidence, 80% are right.")


def _render_coverage(probabilities: np.ndarray, labels: np.ndarray) -> None:
    st.header("If it may decline to answer")
    threshold = st.slider(
        "Lowest confidence for an answer",
        0.0,
        0.999,
        USUAL_THRESHOLD,
        0.001,
        format="%.3f",
        key="coverage_threshold",
        bind="query-params",
        persist_state="session",
        help="Below this, the network does not answer.",
    )
    at_threshold = coverage_curve(probabilities, labels, np.array([threshold]))
    answered, accuracy = float(at_threshold.answered[0]), float(at_threshold.accuracies[0])
    if np.isnan(accuracy):
        st.markdown("Then no image is answered.")
    else:
        st.markdown(f"It answers **{answered:.2%}** of the images, and **{accuracy:.2%}** of those answers are right.")
    live_figure(coverage_figure(coverage_curve(probabilities, labels, _THRESHOLDS), threshold), key="coverage")
