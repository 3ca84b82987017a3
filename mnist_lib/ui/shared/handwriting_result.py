"""What a run that learned drawings gained by it, and what it forgot: computed once, from its folder alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.handwriting import read_handwriting, read_start
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import file_stamp
from mnist_lib.ui.cache import mnist, network_stamp, probabilities, run_network
from mnist_lib.ui.session import title_of
from mnist_lib.wording import count_text


class Readings(NamedTuple):
    """How a network reads images before and after it learned the drawings.

    Attributes:
        images: uint8, (n, 28, 28), 0 to 255.
        labels: uint8, (n,), 0 to 9.
        before: float32, (n, 10), the probabilities at the beginning of the run.
        now: float32, (n, 10), at its end.
    """

    images: np.ndarray
    labels: np.ndarray
    before: np.ndarray
    now: np.ndarray

    @property
    def right(self) -> tuple[int, int]:
        """How many were read correctly before, and are now."""
        before, now = (int((each.argmax(axis=1) == self.labels).sum()) for each in (self.before, self.now))
        return before, now


class HandwritingResult(NamedTuple):
    """The result of learning drawings.

    Attributes:
        drawings: The drawings that were set aside.
        mnist: MNIST's test digits.
    """

    drawings: Readings
    mnist: Readings


def handwriting_result(run: Run) -> HandwritingResult | None:
    """Return the result of a run that learned drawings; None for other runs, and until it has ended.

    Raises:
        DamagedRunError: A file of it is missing or damaged.
    """
    if run.read_config()[1].handwriting is None or not run.model_path.is_file():
        return None
    stamps = file_stamp(run.drawings_path), file_stamp(run.start_path), network_stamp(run)
    return _measure(run, stamps)


def render_sentence(run: Run) -> HandwritingResult | None:
    """Say how many drawings and digits a run read before it learned the drawings, and reads now.

    Args:
        run: The run.

    Returns:
        As ``handwriting_result``; without a result, nothing is said.

    Raises:
        DamagedRunError: A file of it is missing or damaged.
    """
    result, record = handwriting_result(run), run.read_config()[1].handwriting
    if result is None or record is None:
        return None
    (before, now), (mnist_before, mnist_now) = result.drawings.right, result.mnist.right
    st.markdown(
        f"It began from **{plain_text(title_of(record.begun_from))}** and learned "
        f"{count_text(record.learned, 'drawing')}. Of {record.set_aside:,} that it had not seen, it read "
        f"**{before:,}**, now **{now:,}**; of MNIST's {len(result.mnist.labels):,} test digits "
        f"**{mnist_before:,}**, now **{mnist_now:,}**."
    )
    return result


# 1 MB each. The first one takes a second.
@st.cache_resource(max_entries=8, show_spinner="The network reads the 10,000 test digits as it was before…")
def _measure(run: Run, stamps: tuple[int, ...]) -> HandwritingResult:
    handwriting, start = read_handwriting(run), read_start(run)
    images, labels = (values[~handwriting.learned] for values in (handwriting.images, handwriting.labels))
    tested, true_labels = mnist().split("test")
    return HandwritingResult(
        Readings(images, labels, predict_probabilities(start, images), predict_probabilities(run_network(run), images)),
        Readings(tested, true_labels, predict_probabilities(start, tested), probabilities(run)),
    )
