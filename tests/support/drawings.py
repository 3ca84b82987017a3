"""Drawings of a person."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.own_test_set import OwnDigits


def keep_digits(own: OwnDigits, dataset: Dataset, count: int) -> None:
    """Keep the first test digits as if a person had drawn them; of twenty, three or four are a 0, 1, 4 or 9."""
    for image, label in zip(dataset.test_images[:count], dataset.test_labels[:count], strict=True):
        picture = Image.fromarray(image).resize((140, 140), Image.Resampling.BICUBIC)
        own.add(np.asarray(picture, dtype=np.float32) / 255, int(label), "canvas")
