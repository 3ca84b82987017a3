"""Tables of a run: every number reads back exactly, and every cell is a number."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import asdict

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy, cross_entropy, find_mistakes
from mnist_lib.export.tables import METRICS, metrics_csv, mistakes_csv, predictions_csv
from tests.support.runs import Trained, batch_row


def read_table(text: str) -> list[dict[str, str]]:
    assert text.endswith("\n")
    assert "\r" not in text
    return list(csv.DictReader(io.StringIO(text)))


def test_predictions_read_back_to_the_bit(trained: Trained, dataset: Dataset) -> None:
    probabilities = trained.run.probabilities()
    rows = read_table(predictions_csv(probabilities, dataset.test_labels))
    assert [int(row["test_index"]) for row in rows] == list(range(10_000))
    read_back = np.array([[row[f"p{digit}"] for digit in range(10)] for row in rows]).astype(np.float32)
    np.testing.assert_array_equal(read_back, probabilities)
    np.testing.assert_array_equal([int(row["true_digit"]) for row in rows], dataset.test_labels)
    np.testing.assert_array_equal([int(row["predicted_digit"]) for row in rows], probabilities.argmax(axis=1))
    np.testing.assert_array_equal([float(row["confidence"]) for row in rows], probabilities.max(axis=1))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_any_probability_reads_back(kind: type) -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), 50).astype(kind)
    rows = read_table(predictions_csv(probabilities, np.zeros(50, np.uint8)))
    read_back = np.array([[row[f"p{digit}"] for digit in range(10)] for row in rows]).astype(kind)
    np.testing.assert_array_equal(read_back, probabilities)


def test_mistakes_are_those_of_the_evaluation_and_their_losses_add_up(trained: Trained, dataset: Dataset) -> None:
    probabilities, labels = trained.run.probabilities(), dataset.test_labels
    rows = read_table(mistakes_csv(probabilities, labels))
    mistakes = find_mistakes(probabilities, labels)
    assert len(rows) == round(10_000 * (1 - accuracy(probabilities, labels)))
    for name, column in zip(("test_index", "true_digit", "predicted_digit"), mistakes[:3], strict=True):
        np.testing.assert_array_equal([int(row[name]) for row in rows], column)
    np.testing.assert_array_equal(
        np.array([row["confidence"] for row in rows]).astype(np.float32), mistakes.confidences
    )
    mean = np.mean([float(row["loss"]) for row in rows])
    assert mean == pytest.approx(cross_entropy(probabilities[mistakes.indices], labels[mistakes.indices]))


def test_network_without_a_mistake_has_a_table_without_rows() -> None:
    table = mistakes_csv(np.eye(10, dtype=np.float32), np.arange(10))
    assert table == "test_index,true_digit,predicted_digit,confidence,loss\n"


def test_metrics_hold_every_value_of_every_row(trained: Trained) -> None:
    snapshot = trained.run.read()
    rows = read_table(metrics_csv(snapshot))
    for kind, written in (("batch", snapshot.batches), ("epoch", snapshot.epochs)):
        read_back = [row for row in rows if row["kind"] == kind]
        assert len(read_back) == len(written) > 0
        for row, original in zip(read_back, written, strict=True):
            values = {name: value for name, value in asdict(original).items() if value is not None}
            assert row["trained_on"] == values.pop("trained_on", "")
            assert values.keys() <= set(METRICS)
            assert {name: float(row[name]) for name in values} == {name: float(value) for name, value in values.items()}
            assert all(row[name] == "" for name in METRICS if name not in values)
    assert [int(row["step"]) for row in rows] == sorted(int(row["step"]) for row in rows)
    assert rows[-1]["kind"] == "epoch"


def test_metrics_leave_null_empty(trained: Trained) -> None:
    snapshot = trained.run.read()
    row = batch_row(1, loss=None, accuracy=None)
    (read_back,) = read_table(metrics_csv(replace(snapshot, batches=[row], epochs=[])))
    assert (read_back["loss"], read_back["accuracy"]) == ("", "")
    assert list(read_back) == ["kind", *METRICS]
