"""The learning rate of every step, known before the training begins."""

from __future__ import annotations

import numpy as np

from mnist_lib.config import TrainingConfig

# One-cycle climbs for this share of the steps, from this share of the highest rate.
WARMUP = 0.25
START = 0.1

# Both falling schedules end at this share of the highest rate.
END = 0.002


def learning_rates(config: TrainingConfig) -> np.ndarray:
    """Return the learning rate of each step of a run.

    Returns:
        float64, (total_steps,), above 0 and at most ``config.learning_rate``.

    Source: one-cycle after Smith and Topin, "Super-Convergence: Very Fast Training of
    Neural Networks Using Large Learning Rates" (2017), with cosines for straight lines;
    cosine after Loshchilov and Hutter, "SGDR" (2016), without restarts.
    """
    done = np.arange(config.total_steps) / config.total_steps
    if config.schedule == "constant":
        share = np.ones(config.total_steps)
    elif config.schedule == "cosine":
        share = _fall(done)
    else:
        climbing = START + (1 - START) * 0.5 * (1 - np.cos(np.pi * done / WARMUP))
        share = np.where(done < WARMUP, climbing, _fall((done - WARMUP) / (1 - WARMUP)))
    return config.learning_rate * share


def _fall(done: np.ndarray) -> np.ndarray:
    """Return a cosine that falls from 1 to END as ``done`` goes from 0 to 1."""
    return END + (1 - END) * 0.5 * (1 + np.cos(np.pi * done))
