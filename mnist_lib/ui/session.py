"""What the screens share: the data, the runs, the loaded models, and which run is looked at."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import Dataset, load_mnist
from mnist_lib.evaluation.abstention import Coverage, measure_coverage
from mnist_lib.explain.inspection import spread_epochs
from mnist_lib.explain.neighbours import embed_images
from mnist_lib.network.backend import load_keras
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore

if TYPE_CHECKING:
    import keras

# The chosen run's name in the URL, and the key of the sidebar's selector.
RUN_KEY = "run"

# Of a run with more epochs as many are chosen evenly: where the network of each is loaded,
# and where what it said is read.
MAX_EPOCHS_SHOWN = 20
MAX_EPOCHS_TOLD = 60

SECONDS_TO_PAINT = 1.0

_CHOSEN_KEY = "chosen_run"
_SELECTOR_KEY = "run_selector"


@st.cache_resource(show_spinner="Reading the 70,000 digits…")
def mnist() -> Dataset:
    """Return MNIST, loaded once for all visitors."""
    return load_mnist()


def run_store() -> RunStore:
    """Return the store of this machine's runs."""
    return RunStore.default()


def selected_run() -> Run | None:
    """Return the run that the sidebar's selector names, or None if there is no run."""
    run_id = chosen_run_id()
    return run_store().find(run_id) if run_id else None


def chosen_run_id() -> str | None:
    """Return the name of the run that every screen shows, or None before the sidebar was drawn."""
    return st.session_state.get(_CHOSEN_KEY)


def choose_run(run_id: str) -> None:
    """Let every screen show this run. For callbacks: the whole screen has to be drawn after it.

    The selector becomes another widget with that: what the browser still says of the
    old one, in a request already on its way, then changes nothing.
    """
    st.session_state[_CHOSEN_KEY] = run_id
    st.session_state[_SELECTOR_KEY] = st.session_state.get(_SELECTOR_KEY, 0) + 1


def forget_run() -> None:
    """Let every screen show the first run of the list: the one before is gone. For callbacks."""
    st.session_state.pop(_CHOSEN_KEY, None)
    st.session_state[_SELECTOR_KEY] = st.session_state.get(_SELECTOR_KEY, 0) + 1
    st.query_params.pop(RUN_KEY, None)


def selector_key() -> str:
    """Return the key of the selector as it is now."""
    number = st.session_state.get(_SELECTOR_KEY, 0)
    return f"{RUN_KEY}_{number}" if number else RUN_KEY


def take_selection() -> None:
    """Show the run that a person chose in the selector."""
    st.session_state[_CHOSEN_KEY] = st.session_state[selector_key()]


def set_selection(run_id: str) -> None:
    """Let the selector, about to be drawn, show this run."""
    st.session_state[_CHOSEN_KEY] = st.session_state[selector_key()] = run_id


def probabilities(run: Run, epoch: int | None = None) -> np.ndarray:
    """Return a run's test probabilities after an epoch, the newest by default: float32, (10000, 10).

    Raises:
        DamagedRunError: There are none, or they are unreadable.
    """
    if epoch is None:
        kept = run.epochs_with_probabilities()
        if not kept:
            return run.probabilities()  # which says what is missing
        epoch = kept[-1]
    return _probabilities(run, epoch, _stamp(run.probabilities_path(epoch)))


# 0.4 MB each.
@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Run: lambda run: run.path})
def _probabilities(run: Run, epoch: int, stamp: int) -> np.ndarray:
    return run.probabilities(epoch)


def probabilities_over_epochs(run: Run) -> tuple[list[int], np.ndarray]:
    """Return epochs of a run, at most ``MAX_EPOCHS_TOLD``, and its test probabilities after each.

    Returns:
        The epochs in order, and float16, (epochs, 10000, 10), to read only.

    Raises:
        DamagedRunError: One of them is unreadable.
    """
    epochs = spread_epochs(run.epochs_with_probabilities(), MAX_EPOCHS_TOLD)
    stamps = [_stamp(run.probabilities_path(epoch)) for epoch in epochs]
    return epochs, _probabilities_over_epochs(run, epochs, stamps)


# 0.2 MB an epoch.
@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: run.path})
def _probabilities_over_epochs(run: Run, epochs: list[int], stamps: list[int]) -> np.ndarray:
    return np.stack([run.probabilities(epoch).astype(np.float16) for epoch in epochs])


def coverage(run: Run, threshold: float) -> Coverage | None:
    """Return what a threshold means on the test set, or None for a run without test probabilities.

    Args:
        run: The run.
        threshold: 0 to 1.
    """
    kept = run.epochs_with_probabilities()
    return _coverage(run, kept[-1], _stamp(run.probabilities_path(kept[-1])), threshold) if kept else None


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs={Run: lambda run: run.path})
def _coverage(run: Run, epoch: int, stamp: int, threshold: float) -> Coverage:
    images, labels = mnist().split("test")
    return measure_coverage(run.probabilities(epoch), images, labels, threshold)


@st.cache_resource(show_spinner=False)
def start_loading_keras() -> threading.Thread:
    """Begin to load TensorFlow in the background, once for all visitors.

    The person draws meanwhile. The thread touches nothing of Streamlit, and waits until the
    screen has been sent: for seconds the import lets no other thread of Python run.
    """
    thread = threading.Timer(SECONDS_TO_PAINT, _load_keras)
    thread.daemon = True
    thread.start()
    return thread


def _load_keras() -> None:
    load_keras(use_gpu=False)
    gc.freeze()  # as below; of TensorFlow's objects it is a third of a second


@st.cache_resource(show_spinner=False)
def spare_garbage_collection() -> None:
    """Let the garbage collector pass over what is imported by now, once for all visitors.

    Streamlit collects after every rerun, before the last of the screen is sent. To look
    through all objects of all libraries takes nearly a tenth of a second each time.
    """
    gc.freeze()


def run_model(run: Run) -> keras.Model:
    """Return the model that a run kept, waiting for TensorFlow if need be.

    Raises:
        DamagedRunError: It cannot be read.
    """
    _wait_for_keras()
    return _run_model(run, _model_stamp(run))


def _wait_for_keras() -> None:
    thread = start_loading_keras()
    if thread.is_alive():
        with st.spinner("Loading TensorFlow, a few seconds and only once…"):
            thread.join()


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Run: lambda run: run.path})
def _run_model(run: Run, stamp: int) -> keras.Model:
    from mnist_lib.runs.models import load_run_model

    return load_run_model(run)


def epoch_model(run: Run, epoch: int) -> keras.Model:
    """Return a run's network as it was after an epoch, waiting for TensorFlow if need be.

    Raises:
        DamagedRunError: It cannot be read.
    """
    _wait_for_keras()
    return _epoch_model(run, epoch, _stamp(run.weights_path(epoch)))


# Two runs of as many epochs as one figure shows, 2 MB each.
@st.cache_resource(max_entries=2 * MAX_EPOCHS_SHOWN, show_spinner=False, hash_funcs={Run: lambda run: run.path})
def _epoch_model(run: Run, epoch: int, stamp: int) -> keras.Model:
    from mnist_lib.runs.models import load_run_model

    return load_run_model(run, epoch)


def training_embeddings(run: Run, epoch: int | None = None) -> np.ndarray:
    """Return how a run's network sees each of the 60,000 training images, as ``embed_images`` does.

    Args:
        run: A run that kept a model.
        epoch: One whose weights it kept, or none for the model.

    Raises:
        DamagedRunError: The network cannot be read.
    """
    _wait_for_keras()
    return _training_embeddings(run, epoch, _model_stamp(run) if epoch is None else _stamp(run.weights_path(epoch)))


# 15 MB each.
@st.cache_resource(
    max_entries=2,
    show_spinner="The network reads all 60,000 training digits, some ten seconds and only once…",
    hash_funcs={Run: lambda run: run.path},
)
def _training_embeddings(run: Run, epoch: int | None, stamp: int) -> np.ndarray:
    model = _run_model(run, stamp) if epoch is None else _epoch_model(run, epoch, stamp)
    return embed_images(model, mnist().train_images)


def read_digits(run: Run, images: np.ndarray) -> np.ndarray:
    """Return what a run's model reads in a few images.

    Args:
        run: A run that kept a model.
        images: uint8, (n, 28, 28), 0 to 255.

    Returns:
        float32, (n, 10), probabilities.

    Raises:
        DamagedRunError: The model cannot be read.
    """
    model = run_model(run)
    from mnist_lib.network.model import predict_probabilities

    return predict_probabilities(model, images)


def _model_stamp(run: Run) -> int:
    """Return what changes when a run's model does: a run in training has only that of its last epoch."""
    if run.model_path.is_file() or not (epochs := run.epochs_with_weights()):
        return _stamp(run.model_path)
    return _stamp(run.weights_path(epochs[-1]))


def _stamp(path: Path) -> int:
    """Return what changes when the file does, so that a cache knows."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
