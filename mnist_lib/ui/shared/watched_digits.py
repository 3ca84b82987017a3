"""The test images that are watched while a network learns, twenty at most."""

from __future__ import annotations

import numpy as np

from mnist_lib.data.dataset import Dataset

# The first test image of each digit of MNIST, from 0 to 9.
FIRST_DIGITS = (3, 2, 1, 18, 4, 8, 11, 0, 61, 7)
# And a hard one, chosen by the epochs of the paper's run that ships with the project: of the images
# that it misread after some epochs and read after others, so that there is something to watch,
# the one whose true digit had the lowest probability on average.
HARD_DIGITS = (8325, 4507, 5634, 2953, 2771, 2597, 2135, 1039, 1955, 1232)

_MOST_CLASSES = 10


def watched_rows(dataset: Dataset) -> dict[str, list[int]]:
    """Return the positions of the watched images in the test set, in one or two rows with their titles.

    Of more than ten classes, ten are chosen evenly; a class may have no test image, or only one.
    """
    if dataset.description.is_mnist:
        return {"The first of each digit": list(FIRST_DIGITS), "A hard one of each": list(HARD_DIGITS)}
    classes = np.unique(dataset.test_labels)
    chosen = classes[np.unique(np.linspace(0, len(classes) - 1, _MOST_CLASSES).round().astype(int))]
    pairs = [np.flatnonzero(dataset.test_labels == label)[:2].tolist() for label in chosen]
    rows = {
        "The first of each class": [pair[0] for pair in pairs],
        "The second of each": [pair[1] for pair in pairs if len(pair) > 1],
    }
    return {title: row for title, row in rows.items() if row}


def watched_images(dataset: Dataset) -> list[int]:
    """Return the positions of the watched images in the test set, row by row."""
    return [index for row in watched_rows(dataset).values() for index in row]
