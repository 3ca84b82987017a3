"""Loads Keras without the messages that TensorFlow prints while it starts."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import IO

from mnist_lib.machine import has_avx2

_loading = threading.Lock()

# Read by TensorFlow when it is imported.
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def choose_onednn(setting: str) -> bool | None:
    """Return whether TensorFlow shall use oneDNN; None leaves that to TensorFlow.

    A person's own choice in the environment comes before the setting.

    With ``auto`` it is used where the processor has AVX2. By itself TensorFlow uses it only on
    processors that also have AVX-512 VNNI, AVX-512 BF16 or AMX, although a training is two to
    three times faster with it on all that have AVX2. With AVX alone it is not.

    Args:
        setting: ``auto``, ``on`` or ``off``.
    """
    chosen = _onednn_in_environment()
    if chosen is not None:
        return chosen
    if setting == "auto":
        return True if has_avx2() else None
    return setting == "on"


def onednn_in_use() -> bool | None:
    """Return what Keras was loaded with: as ``choose_onednn``, and None where it computes without TensorFlow."""
    import keras

    return _onednn_in_environment() if keras.backend.backend() == "tensorflow" else None


def _onednn_in_environment() -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get(os.environ.get(_ONEDNN, "").lower())


def load_keras(log: IO[str] | None = None, use_gpu: bool = True, onednn: bool | None = None) -> None:
    """Import Keras with its backend, which takes three to eight seconds the first time.

    Afterwards ``import keras`` is free. May be called from several threads.

    Args:
        log: Where TensorFlow's messages go; nowhere by default.
        use_gpu: Whether this process may take a GPU and its memory. An export does
            without one and leaves it to the trainer.
        onednn: Whether TensorFlow uses oneDNN; None leaves that to TensorFlow, whatever the environment says.
    """
    with _loading, _environment(use_gpu), _stderr_to(log):
        os.environ.pop(_ONEDNN, None)
        if onednn is not None:
            os.environ[_ONEDNN] = str(int(onednn))
        import keras

        keras.distribution.list_devices()  # finds and takes the GPU


def has_gpu() -> bool:
    """Return whether Keras computes on a GPU in this process."""
    import keras

    return any(device.startswith("gpu") for device in keras.distribution.list_devices())


@contextlib.contextmanager
def on_all_devices() -> Iterator[int]:
    """Let a network that is built inside train on all GPUs, each with a share of every batch.

    With one GPU or none nothing changes. Several logical CPUs count as well; a test
    splits one into two. Yields the number of devices.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield 1
        return
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        yield 1
        return
    with tf.distribute.MirroredStrategy([device.name for device in devices]).scope():
        yield len(devices)


@contextlib.contextmanager
def _environment(use_gpu: bool) -> Iterator[None]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not use_gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    try:
        yield
    finally:
        # A trainer that this process starts later must see the GPU.
        if visible is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
        elif not use_gpu:
            del os.environ["CUDA_VISIBLE_DEVICES"]


@contextlib.contextmanager
def _stderr_to(log: IO[str] | None) -> Iterator[None]:
    # TensorFlow writes to file descriptor 2 before it reads its own log level, so
    # only redirecting the descriptor itself keeps it quiet.
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") if log is None else contextlib.nullcontext(log) as target:
            os.dup2(target.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
