"""Gives images to Keras batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

# Batches that TensorFlow holds ready while one is computed.
BATCHES_AHEAD = 2


def batch_arguments(batch_size: int, images: np.ndarray, labels: np.ndarray | None = None) -> dict[str, Any]:
    """Return the arguments with which Keras's ``fit`` or ``predict`` takes images batch by batch, in their order.

    TensorFlow gets a data set that does not tune itself. One that does, as Keras makes of arrays, was
    seen to wait at the end of an epoch, for up to the time that the epoch had taken.

    Args:
        batch_size: Images per batch; the last one may be smaller.
        images: (n, ...), n at least 1.
        labels: (n, ...), for ``fit``.
    """
    import keras

    arrays = (images,) if labels is None else (images, labels)
    if keras.backend.backend() != "tensorflow":
        return dict(zip("xy", arrays, strict=False)) | {"batch_size": batch_size}
    import tensorflow as tf

    with tf.device("cpu"):
        tensors = [tf.constant(array) for array in arrays]
        batches = tf.data.Dataset.range(0, len(images), batch_size)
        batches = batches.map(lambda start: tuple(tensor[start : start + batch_size] for tensor in tensors))
        options = tf.data.Options()
        options.autotune.enabled = False
        return {"x": batches.prefetch(BATCHES_AHEAD).with_options(options)}
