"""What a network has learned, read from its stored weights without loading TensorFlow."""

from __future__ import annotations

import numpy as np

from mnist_lib.records import DamagedRunError
from mnist_lib.runs import Run

# Keras numbers the layers in such a file itself, by type, whatever their names are.
_FIRST_KERNELS = "layers/conv2d/vars/0"


def first_layer_filters(run: Run, epoch: int) -> np.ndarray:
    """Return the filters of the first convolution as they were after an epoch.

    Args:
        run: The run.
        epoch: One of ``run.epochs_with_weights()``.

    Returns:
        float32, (filters, side, side): one weight a pixel of the digit below it.

    Raises:
        DamagedRunError: The file of the weights is missing or unreadable.
    """
    import h5py  # a tenth of a second, for a screen that may never ask

    path = run.weights_path(epoch)
    try:
        with h5py.File(path, "r") as file:
            kernels = np.asarray(file[_FIRST_KERNELS], dtype=np.float32)
    except Exception as error:  # h5py raises many types for a bad file
        raise DamagedRunError(f"epochs/{path.name} is missing or unreadable") from error
    if kernels.ndim != 4 or kernels.shape[2] != 1 or not kernels.size or not np.isfinite(kernels).all():
        raise DamagedRunError(f"epochs/{path.name} does not hold the filters of a first layer")
    return kernels[:, :, 0, :].transpose(2, 0, 1)
