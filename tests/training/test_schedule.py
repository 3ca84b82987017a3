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


def test_one_cycle_climbs_for_a_quarter_and_falls_to_nearly_nothing() -> None:
    rates = learning_rates(TrainingConfig(schedule="one-cycle", **HUNDRED))
    assert rates[0] == pytest.approx(0.05)
    assert rates.argmax() == 25
    assert (np.diff(rates[:26]) > 0).all()
    assert (np.diff(rates[25:]) < 0).all()
    assert rates[99] < 0.002
    # 10 of 25 steps up: a tenth, plus nine tenths of (1 - cos 72 degrees) / 2 = 0.345492.
    assert rates[10] == pytest.approx(0.5 * (0.1 + 0.9 * 0.345492), rel=1e-5)


def test_cosine_is_halfway_down_at_half_time() -> None:
    rates = learning_rates(TrainingConfig(schedule="cosine", **HUNDRED))
    assert rates[0] == pytest.approx(0.5)
    assert rates[50] == pytest.approx(0.5 * (0.002 + 0.998 * 0.5))
    assert (np.diff(rates) < 0).all()
