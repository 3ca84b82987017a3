"""Occlusion against single images, and against a network with simple arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.occlusion import INK, PAPER, log_odds, occlude
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_network
from tests.support.runs import BUNDLED_RUN


def predict_from_two_places(images: np.ndarray) -> np.ndarray:
    """A network of two pixels: the one is evidence for a 3, the other against it, each as much as its ink."""
    logit = images[:, 10, 5] / 255.0 - 2 * (images[:, 20, 23] / 255.0)
    probabilities = np.zeros((len(images), 10))
    probabilities[:, 3] = 1 / (1 + np.exp(-logit))
    probabilities[:, 8] = 1 - probabilities[:, 3]
    return probabilities


def test_ink_that_speaks_for_and_against_a_digit_is_found_where_it_is() -> None:
    image = np.full((28, 28), 255, np.uint8)
    occlusion = occlude(predict_from_two_places, image, 3, PAPER)
    loss = np.zeros((28, 28))
    loss[8:12, 4:8] = 1  # the squares that reach row 10 and column 5
    loss[18:22, 22:26] = -2
    expected = np.zeros((28, 28))
    for row in range(0, 28, 2):
        for column in range(0, 28, 2):
            rows, columns = range(row - 1, row + 3), range(column - 1, column + 3)
            expected[row : row + 2, column : column + 2] = (10 in rows and 5 in columns) - 2 * (
                20 in rows and 23 in columns
            )
    assert occlusion.evidence_loss.dtype == np.float32
    np.testing.assert_allclose(occlusion.evidence_loss, expected, atol=1e-6)
    assert set(np.unique(expected)) == {-2, 0, 1}
    # With both it is an 8; without the ink against it, a 3.
    np.testing.assert_array_equal(occlusion.answers, np.where(expected == -2, 3, 8))


def test_ink_added_counts_where_there_was_none() -> None:
    occlusion = occlude(predict_from_two_places, np.zeros((28, 28), np.uint8), 3, INK)
    assert occlusion.evidence_loss[10, 5] == pytest.approx(-1)
    assert occlusion.evidence_loss[20, 23] == pytest.approx(2)
    assert occlusion.answers[20, 23] == 8
    nothing = occlude(predict_from_two_places, np.zeros((28, 28), np.uint8), 3, PAPER)
    assert not nothing.evidence_loss.any()


@pytest.mark.parametrize("cover", [PAPER, INK])
def test_occlusion_is_that_of_single_images(cover: int, dataset: Dataset) -> None:
    network = load_network(BUNDLED_RUN)
    image = dataset.test_images[0]  # a 7

    def evidence(image: np.ndarray) -> tuple[float, int]:
        (row,) = predict_probabilities(network, image[np.newaxis]).astype(float)
        return float(np.log(row[7]) - np.log(row[[0, 1, 2, 3, 4, 5, 6, 8, 9]].sum())), int(row.argmax())

    before, _ = evidence(image)
    occlusion = occlude(lambda images: predict_probabilities(network, images), image, 7, cover)
    for row, column in [(0, 0), (6, 6), (8, 8), (8, 20), (14, 16), (20, 12), (26, 26)]:
        covered = image.copy()
        for y in range(max(row - 1, 0), min(row + 3, 28)):
            for x in range(max(column - 1, 0), min(column + 3, 28)):
                covered[y, x] = cover
        after, answer = evidence(covered)
        place = slice(row, row + 2), slice(column, column + 2)
        np.testing.assert_allclose(occlusion.evidence_loss[place], before - after, atol=2e-3)
        assert (occlusion.answers[place] == answer).all()
    assert np.abs(occlusion.evidence_loss).max() > 1


def test_log_odds_go_on_where_a_probability_is_one() -> None:
    rows = np.zeros((3, 10), np.float32)
    rows[0, [2, 5]] = 0.9, 0.1
    rows[1, [2, 5, 6]] = 1, 1e-20, 1e-20
    rows[2, 2] = 1
    np.testing.assert_allclose(log_odds(rows, 2)[:2], [np.log(9), -np.log(2e-20)], rtol=1e-6)
    assert np.isfinite(log_odds(rows, 2)).all()
    assert np.isfinite(log_odds(rows, 3)).all()
    assert log_odds(rows, 5)[0] == pytest.approx(-np.log(9))
