"""The learning rate of every step, against points computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.training.schedule import learning_rates

# 100 steps: each is a hundredth of the way.
HUNDRED = {"epochs": 10, "training_images": 10, "batch_size": 1, "learning_rate": 0.5}


@pytest.mark.parametrize("schedule", ["constant", "one-cycle", "cosine"])
def test_every_step_has_a_rate_within_the_settings(schedule: str) -> None:
    rates = learning_rates(TrainingConfig(schedule=schedule, **HUNDRED))
    assert rates.shape == (100,)
    assert (rates > 0).all()
    assert rates.max() == pytest.approx(0.5)


def test_constant_rate_is_the_setting_at_every_step() -> None:
    assert set(learning_rates(TrainingConfig()).tolist()) == {0.001}


def test_one_cycle_climbs_for_a_tenth_and_falls_to_nearly_nothing_in_straight_lines() -> None:
    rates = learning_rates(TrainingConfig(schedule="one-cycle", **HUNDRED))
    # From a tenth of the highest rate to all of it in 10 steps: 0.045 each.
    assert rates[:11] == pytest.approx([0.05, 0.095, 0.14, 0.185, 0.23, 0.275, 0.32, 0.365, 0.41, 0.455, 0.5])
    # From there to 0.002 of it in 90 steps, of which the last one would be step 100.
    assert rates[[10, 40, 55, 70]] == pytest.approx(
        [0.5, 0.5 * (1 - 0.998 / 3), 0.5 * 0.501, 0.5 * (1 - 0.998 * 2 / 3)]
    )
    assert rates[99] == pytest.approx(0.5 * (0.002 + 0.998 / 90))


def test_cosine_is_halfway_down_at_half_time() -> None:
    rates = learning_rates(TrainingConfig(schedule="cosine", **HUNDRED))
    assert rates[0] == pytest.approx(0.5)
    assert rates[50] == pytest.approx(0.5 * (0.002 + 0.998 * 0.5))
    assert (np.diff(rates) < 0).all()
