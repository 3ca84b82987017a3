"""What the screens compute once and share between all visitors: the data, predictions and networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import Dataset, DatasetDescription, load_mnist
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.evaluation.abstention import Coverage, measure_coverage
from mnist_lib.explain.inspection import spread_epochs
from mnist_lib.explain.neighbours import embed_images
from mnist_lib.explain.patches import Patches, find_patches
from mnist_lib.network.forward import Network, predict_probabilities
from mnist_lib.network.weights import LiveNetwork
from mnist_lib.runs.networks import load_live_network, load_network, network_path
from mnist_lib.runs.run import Run
from mnist_lib.runs.sample_errors import SampleErrors
from mnist_lib.storage.files import file_stamp

# From a run with more epochs, this many are chosen evenly: for views that load the network of each,
# and for the biography, which reads the test probabilities of each.
MAX_EPOCHS_SHOWN = 20
MAX_EPOCHS_IN_BIOGRAPHY = 60

_Kept = TypeVar("_Kept")


@st.cache_resource(show_spinner="Reading the 70,000 digits…")
def mnist() -> Dataset:
    """Return MNIST, loaded once for all visitors."""
    return load_mnist()


def load_dataset(library: DatasetLibrary, description: DatasetDescription) -> Dataset:
    """Return a data set, loaded once for all visitors.

    Args:
        library: The data sets of this machine.
        description: That of the library, or one that a run has recorded.

    Raises:
        DatasetError: It is not here, cannot be read, or is another one by now.
    """
    if description.is_mnist:
        return mnist()
    known = description.name, description.sha256, description.class_names
    return _load_dataset(library.root, known, library.stamp(description.name), description)


def run_dataset(run: Run) -> Dataset:
    """Return the data set of a run, loaded once for all visitors.

    Raises:
        DatasetError: It is not here, cannot be read, or is another one by now.
        DamagedRunError: The run does not say which it is.
    """
    return load_dataset(DatasetLibrary.beside(run.path.parent), run.dataset())


# 55 MB for one like MNIST.
@st.cache_resource(max_entries=3, show_spinner="Reading the images…")
def _load_dataset(root: Path, known: tuple[Any, ...], stamp: int, _description: DatasetDescription) -> Dataset:
    return DatasetLibrary(root).load(_description)


def probabilities(run: Run, epoch: int | None = None) -> np.ndarray:
    """Return a run's test probabilities after an epoch, the newest by default: float32, (test images, classes).

    Raises:
        DamagedRunError: There are none, or they are unreadable.
    """
    if epoch is None:
        kept = run.epochs_with_probabilities()
        if not kept:
            return run.probabilities()  # raises and says what is missing
        epoch = kept[-1]
    return _probabilities(run, epoch, file_stamp(run.probabilities_path(epoch)))


# 0.4 MB each.
@st.cache_data(max_entries=64, show_spinner=False)
def _probabilities(run: Run, epoch: int, stamp: int) -> np.ndarray:
    return run.probabilities(epoch)


def probabilities_over_epochs(run: Run) -> tuple[list[int], np.ndarray]:
    """Return epochs of a run, at most ``MAX_EPOCHS_IN_BIOGRAPHY``, and its test probabilities after each.

    Returns:
        The epochs in order, and float16, (epochs, test images, classes), read-only.

    Raises:
        DamagedRunError: One of them is unreadable.
    """
    epochs = spread_epochs(run.epochs_with_probabilities(), MAX_EPOCHS_IN_BIOGRAPHY)
    stamps = [file_stamp(run.probabilities_path(epoch)) for epoch in epochs]
    return epochs, _probabilities_over_epochs(run, epochs, stamps)


# 0.2 MB per epoch.
@st.cache_resource(max_entries=4, show_spinner=False)
def _probabilities_over_epochs(run: Run, epochs: list[int], stamps: list[int]) -> np.ndarray:
    return np.stack([run.probabilities(epoch).astype(np.float16) for epoch in epochs])


def coverage(run: Run, threshold: float) -> Coverage | None:
    """Return the effect of a threshold on the test set, or None for a run without test probabilities.

    Args:
        run: The run.
        threshold: 0 to 1.
    """
    kept = run.epochs_with_probabilities()
    return _coverage(run, kept[-1], file_stamp(run.probabilities_path(kept[-1])), threshold) if kept else None


@st.cache_data(max_entries=128, show_spinner=False)
def _coverage(run: Run, epoch: int, stamp: int, threshold: float) -> Coverage:
    dataset = run_dataset(run)
    images = dataset.test_images if dataset.description.has_strokes else None
    return measure_coverage(run.probabilities(epoch), images, dataset.test_labels, threshold)


def run_network(run: Run, epoch: int | None = None) -> Network:
    """Return the network that a run saved, or the one it had after an epoch.

    Raises:
        DamagedRunError: It cannot be read.
    """
    return _run_network(run, epoch, network_stamp(run, epoch))


# 2 MB each: a run of as many epochs as one figure shows, and the models of a few others.
@st.cache_resource(max_entries=MAX_EPOCHS_SHOWN + 4, show_spinner=False)
def _run_network(run: Run, epoch: int | None, stamp: int) -> Network:
    return load_network(run, epoch)


def live_network(run: Run) -> LiveNetwork | None:
    """Return the network of a training as it was about a second ago, or None if there is none."""
    return _live_network(run, file_stamp(run.live_path))


# As a resource: 2 MB that nobody changes.
@st.cache_resource(max_entries=2, show_spinner=False)
def _live_network(run: Run, stamp: int) -> LiveNetwork | None:
    return load_live_network(run)


@st.cache_resource(max_entries=4, show_spinner=False)
def sample_errors(run: Run) -> SampleErrors:
    """Return the errors of a training on a sample of the test images, shared by all who watch it."""
    return SampleErrors()


def read_digits(run: Run, images: np.ndarray) -> np.ndarray:
    """Return what a run's network predicts for a few images.

    Args:
        run: A run that has a model.
        images: uint8, (n, 28, 28), 0 to 255.

    Returns:
        float32, (n, classes), probabilities.

    Raises:
        DamagedRunError: The network cannot be read.
    """
    return predict_probabilities(run_network(run), images)


def training_embeddings(run: Run, epoch: int | None = None) -> np.ndarray:
    """Return the embeddings of the training images by a run's network, as ``embed_images`` does.

    The first time, it shows a progress bar.

    Args:
        run: A run that has a model.
        epoch: An epoch whose weights it kept, or None for the model.

    Raises:
        DamagedRunError: The network cannot be read.
    """
    return _compute_once(
        _embeddings(run, epoch, network_stamp(run, epoch)),
        f"The network reads all {run.dataset().training_images:,} training {run.dataset().noun}s, once…",
        lambda: run_network(run, epoch),
        lambda network, on_part: embed_images(network, run_dataset(run).train_images, on_part),
    )


# Empty until computed: a cached function cannot update a progress bar. 15 MB each.
@st.cache_resource(max_entries=2, show_spinner=False)
def _embeddings(run: Run, epoch: int | None, stamp: int) -> list[np.ndarray]:
    return []


def strongest_patches(run: Run, epoch: int | None = None) -> tuple[Patches, Patches]:
    """Return the patches of the test images that each map of both convolutions answers to most.

    The first time, it shows a progress bar.

    Args:
        run: A run that has a model.
        epoch: An epoch whose weights it kept, or None for the model.

    Raises:
        DamagedRunError: The network cannot be read.
    """
    return _compute_once(
        _patches(run, epoch, network_stamp(run, epoch)),
        f"The network looks at all {run.dataset().test_images:,} test {run.dataset().noun}s, once…",
        lambda: run_network(run, epoch),
        lambda network, on_part: find_patches(network, run_dataset(run).test_images, on_part),
    )


# Empty until computed, as above. 50 kB each.
@st.cache_resource(max_entries=MAX_EPOCHS_SHOWN, show_spinner=False)
def _patches(run: Run, epoch: int | None, stamp: int) -> list[tuple[Patches, Patches]]:
    return []


def _compute_once(
    kept: list[_Kept],
    text: str,
    load: Callable[[], Network],
    compute: Callable[[Network, Callable[[float], object]], _Kept],
) -> _Kept:
    """Return what a list keeps; if it is empty, load the network and compute it under a progress bar first."""
    if not kept:
        network = load()
        bar = st.progress(0.0, text)
        kept.append(compute(network, lambda share: bar.progress(share, text)))
        bar.empty()
    return kept[0]


def network_stamp(run: Run, epoch: int | None = None) -> int:
    """Return a number that changes when the network does; a run in training has only that of its last epoch."""
    return file_stamp(network_path(run, epoch))
