"""The learning rate of every step, known before the training begins."""

from __future__ import annotations

import numpy as np

from mnist_lib.config import TrainingConfig

# One-cycle climbs for this share of the steps, from this share of the highest rate.
WARMUP = 0.1
START = 0.1

# Both falling schedules end at this share of the highest rate.
END = 0.002


def learning_rates(config: TrainingConfig) -> np.ndarray:
    """Return the learning rate of each step of a run.

    Returns:
        float64, (total_steps,), above 0 and at most ``config.learning_rate``.

    Source: one-cycle after Smith and Topin, "Super-Convergence: Very Fast Training of
    Neural Networks Using Large Learning Rates" (2017);
    cosine after Loshchilov and Hutter, "SGDR" (2016), without restarts.
    """
    done = np.arange(config.total_steps) / config.total_steps
    if config.schedule == "constant":
        share = np.ones(config.total_steps)
    elif config.schedule == "cosine":
        share = END + (1 - END) * 0.5 * (1 + np.cos(np.pi * done))
    else:
        share = np.interp(done, [0, WARMUP, 1], [START, 1, END])
    return config.learning_rate * share
