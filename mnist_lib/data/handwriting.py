"""A person's drawings, some to learn from and some set aside, and MNIST with the first mixed in."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import DIGIT_NAMES, Dataset, DatasetError, count_classes

# With fewer drawings there is nothing to learn, and nothing to tell afterwards.
MIN_DRAWINGS, MIN_DIGITS = 3, 2

# How often an epoch shows each drawing, moved, turned and resized differently every time; MNIST is at least half of it.
REPEATS = 40


class Handwriting(NamedTuple):
    """Drawings of one person, as the network sees them.

    Attributes:
        images: uint8, (n, 28, 28), 0 (paper) to 255 (ink).
        labels: uint8, (n,), the digits they show.
        learned: bool, (n,), whether the network learns from it; the others are set aside.
    """

    images: np.ndarray
    labels: np.ndarray
    learned: np.ndarray


def require_enough(labels: np.ndarray) -> None:
    """Raise DatasetError unless there are 3 drawings of each of 2 digits.

    Args:
        labels: integer, (n,), 0 to 9.
    """
    if (count_classes(labels) >= MIN_DRAWINGS).sum() < MIN_DIGITS:
        raise DatasetError(f"At least {MIN_DRAWINGS} drawings of at least {MIN_DIGITS} digits are needed.")


def set_aside(images: np.ndarray, labels: np.ndarray, seed: int) -> Handwriting:
    """Set half of the drawings of each digit aside; of an odd number, the larger part is learned from.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
        labels: integer, (n,), 0 to 9.
        seed: The start of the random choice.
    """
    random = np.random.default_rng(seed)
    learned = np.ones(len(labels), dtype=bool)
    for label in range(len(DIGIT_NAMES)):
        places = random.permutation(np.flatnonzero(labels == label))
        learned[places[: len(places) // 2]] = False
    return Handwriting(images, labels.astype(np.uint8), learned)


def mix_in(mnist: Dataset, handwriting: Handwriting, config: TrainingConfig) -> Dataset:
    """Return MNIST with other training images: the drawings to learn from, repeated, then some of MNIST's.

    Args:
        mnist: The data set of the run.
        handwriting: The drawings. Those set aside are left out.
        config: Its ``training_images`` is the number of training images, its ``seed`` chooses those of MNIST.
    """
    drawings = np.flatnonzero(handwriting.learned)
    # First, so that a validation split, which takes the last images, takes none of the drawings.
    places = np.resize(drawings, min(REPEATS * len(drawings), config.training_images // 2))
    random = np.random.default_rng(config.seed)
    chosen = random.choice(len(mnist.train_images), config.training_images - len(places), replace=False)
    return replace(
        mnist,
        train_images=np.concatenate([handwriting.images[places], mnist.train_images[chosen]]),
        train_labels=np.concatenate([handwriting.labels[places], mnist.train_labels[chosen]]),
    )
