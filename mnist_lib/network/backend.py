"""Loads Keras with the backend that computes, without the messages that TensorFlow prints while it starts."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec
from typing import IO

from mnist_lib.machine import cpu_name, device_name, has_avx2

# Keras's names, which are also those of the packages.
BACKENDS = ("tensorflow", "jax")

_loading = threading.Lock()

# Read by TensorFlow when it is imported.
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


class BackendError(Exception):
    """The backend asked for cannot be used. The message is one line."""


def choose_backend(recorded: Collection[str] = ()) -> str:
    """Return the backend of Keras to train on: that of the run to continue, or ``KERAS_BACKEND``, or TensorFlow.

    Args:
        recorded: The packages that the run to continue was trained with; none for a new run.

    Raises:
        BackendError: ``KERAS_BACKEND`` names another backend than that of the run, or one on which nothing trains
            here, or it is not installed.
    """
    asked = os.environ.get("KERAS_BACKEND")
    trained_on = next((name for name in BACKENDS if name in recorded), None)
    if asked and trained_on and asked != trained_on:
        raise BackendError(
            f"The run was trained on {trained_on} and cannot be continued on {asked}, which KERAS_BACKEND names."
        )
    backend = trained_on or asked or BACKENDS[0]
    if backend not in BACKENDS:
        raise BackendError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}, not {backend!r}.")
    if find_spec(backend) is None:
        raise BackendError(f"{backend} is not installed. For a processor: pip install {backend}")
    return backend


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


def load_keras(
    log: IO[str] | None = None, use_gpu: bool = True, backend: str = BACKENDS[0], onednn: bool | None = None
) -> None:
    """Import Keras with its backend, which takes three to eight seconds the first time.

    Afterwards ``import keras`` is free. May be called from several threads.

    Args:
        log: Where TensorFlow's messages go; nowhere by default.
        use_gpu: Whether this process may take a GPU and its memory. An export does
            without one and leaves it to the trainer.
        backend: One of ``BACKENDS``.
        onednn: Whether TensorFlow uses oneDNN; None leaves that to TensorFlow, whatever the environment says.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    _set_environment({_ONEDNN: None if onednn is None else str(int(onednn))})
    # A trainer that this process starts later must see the GPU, and its own backend.
    passing = {"KERAS_BACKEND": backend} | ({} if use_gpu else {"CUDA_VISIBLE_DEVICES": "-1"})
    with _loading, _environment(passing), _stderr_to(log):
        import keras

        # Keras imports it for its random numbers, whatever the backend, and then it prints its messages.
        with contextlib.suppress(ImportError):
            import tensorflow  # noqa: F401
        keras.distribution.list_devices()  # finds and takes the GPU


def has_gpu() -> bool:
    """Return whether Keras computes on a GPU in this process."""
    import keras

    return any(device.startswith("gpu") for device in keras.distribution.list_devices())


def device_in_use() -> str:
    """Return what Keras computes on in this process, in words."""
    if not has_gpu():
        return cpu_name()
    name = device_name()
    return "GPU" if name == cpu_name() else name  # only NVIDIA's tool is asked for names


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
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


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
