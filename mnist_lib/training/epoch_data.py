"""What the network learns from in one epoch: shuffled, augmented and smoothed, always the same for one seed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.augmentation import augment
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.network.layers import MIDDLE_MARGIN_PX


class EpochData(NamedTuple):
    """The training images of one epoch, in the order of its batches, and what else is random in it.

    Attributes:
        images: float32, (n, 28, 28, 1) or, of the middle alone, (n, 20, 20, 1), 0 to 1.
        labels: uint8, (n,), the class, from 0; or with label smoothing float32, (n, classes), rows sum to 1.
        dropout_seed: uint32, (2,).
    """

    images: np.ndarray
    labels: np.ndarray
    dropout_seed: np.ndarray


class EpochPreparation:
    """Prepares each epoch in a thread while the one before it is trained, and the first one at once.

    Args:
        config: The settings of the run.
        dataset: The data set. The training images set aside are left out.
        first_epoch: From 0.
    """

    def __init__(self, config: TrainingConfig, dataset: Dataset, first_epoch: int) -> None:
        self._config, self._dataset = config, dataset
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._prepare(first_epoch)

    def __enter__(self) -> EpochPreparation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def take(self, epoch: int) -> EpochData:
        """Return the next epoch as soon as it is ready, and begin with the one after it.

        Args:
            epoch: From 0; the one that follows the last one taken.
        """
        data = self._upcoming.result()
        self._prepare(epoch + 1)
        return data

    def _prepare(self, epoch: int) -> None:
        if epoch < self._config.epochs:
            self._upcoming = self._thread.submit(prepare_epoch, self._config, self._dataset, epoch)


def prepare_epoch(config: TrainingConfig, dataset: Dataset, epoch: int) -> EpochData:
    """Return what the network learns from in an epoch.

    All of it follows from the seed and the epoch's number alone.

    Args:
        config: The settings of the run.
        dataset: The data set. The training images set aside are left out.
        epoch: From 0.
    """
    random = np.random.default_rng([config.seed, epoch])
    order = random.permutation(config.fitted_images)
    dropout_seed = random.integers(2**31, size=2, dtype=np.uint32)
    labels = dataset.train_labels[order]
    margin_px = MIDDLE_MARGIN_PX if epoch < config.middle_epochs else 0
    images = augment(dataset.train_images[order], labels, config, random, margin_px)
    if config.label_smoothing:
        labels = smooth_labels(labels, config, epoch)
    return EpochData(scale_pixels(images), labels, dropout_seed)


def smooth_labels(labels: np.ndarray, config: TrainingConfig, epoch: int) -> np.ndarray:
    """Spread a share of each label over all classes, less from batch to batch, so that nothing is left at the end.

    Args:
        labels: integer, (n,), from 0, of all images of an epoch in the order of its batches.
        config: Its ``label_smoothing`` is the share in the first batch of the run.
        epoch: From 0.

    Returns:
        float32, (n, classes), rows sum to 1.

    Source: Szegedy and others, "Rethinking the Inception Architecture for Computer Vision" (2015), section 7.
    With a share that stays, the network ends less certain than it is right.
    """
    steps = epoch * config.steps_per_epoch + np.arange(len(labels)) // config.batch_size
    share = (config.label_smoothing * (1 - steps / config.total_steps))[:, np.newaxis]
    return ((1 - share) * np.eye(config.classes)[labels] + share / config.classes).astype(np.float32)
