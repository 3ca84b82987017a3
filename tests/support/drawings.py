"""Drawings of a person."""

from __future__ import annotations

import msgspec
import numpy as np
from PIL import Image

from mnist_lib.data.dataset import Dataset
from mnist_lib.data.handwriting import set_aside
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.runs.handwriting import begin_from, write_beginning
from mnist_lib.runs.run import Run
from tests.support.runs import PAPER_RUN


def keep_digits(own: OwnDigits, dataset: Dataset, count: int) -> None:
    """Keep the first test digits as if a person had drawn them; of twenty, three or four are a 0, 1, 4 or 9."""
    for image, label in zip(dataset.test_images[:count], dataset.test_labels[:count], strict=True):
        picture = Image.fromarray(image).resize((140, 140), Image.Resampling.BICUBIC)
        own.add(np.asarray(picture, dtype=np.float32) / 255, int(label), "canvas")


def add_drawings(run: Run, dataset: Dataset) -> None:
    """Let a run of the paper's network look as if it had learned the first twenty test digits."""
    beginning = begin_from(PAPER_RUN, set_aside(dataset.test_images[:20], dataset.test_labels[:20], seed=0))
    write_beginning(run, beginning)
    config, record = run.read_config()
    run.write_config(config, msgspec.structs.replace(record, handwriting=beginning.record))
