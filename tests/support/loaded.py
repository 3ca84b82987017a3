"""What multiprocessing's fork server has loaded before it forks, once for each worker of pytest.

TensorFlow is imported and no more: threads, which it starts when it looks for its devices, are not copied.
"""

import os

from mnist_lib.network.backend import choose_onednn

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
if choose_onednn("auto"):
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
import tensorflow  # noqa: F401

import mnist_lib.training.train  # noqa: F401
