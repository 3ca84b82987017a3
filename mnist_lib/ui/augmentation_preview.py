"""Augmentation: its sliders, and what they do to eight digits."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.augmentation import random_transforms, transform_images
from mnist_lib.config import TrainingConfig
from mnist_lib.ui.settings_fields import draft_config, draw_slider
from mnist_lib.ui.state import mnist

AUGMENTATION_SETTINGS = ("shift_px", "rotation_deg", "zoom")

SAMPLES = 8
SAMPLES_PER_ROW = 4

# A digit is drawn this many times as large, pixel by pixel, so that the browser does not blur it.
_SCALE = 4


def draw_augmentation() -> None:
    """Draw the sliders and, below them, the first digits 0 to 7 as training would see them."""
    draw_slider("shift_px", 0.5, "%.1f px")
    draw_slider("rotation_deg", 1.0, "%d°")
    draw_slider("zoom", 0.01, "percent")
    config = draft_config(AUGMENTATION_SETTINGS)
    if config:
        st.image(
            augmented_samples(config), width="stretch", output_format="PNG", alt="Eight digits as training sees them"
        )
        st.caption(
            "Eight digits as training would see them, moved anew in every epoch. The test images stay as they are."
            if config.augments
            else "Eight digits as they are in the file. Move a slider to see what it does to them."
        )


def augmented_samples(config: TrainingConfig) -> np.ndarray:
    """Return the first training image of each digit from 0 to 7, augmented, as one picture.

    The random numbers are the same every time: what changes comes from the settings.

    Returns:
        uint8, (2 * 28 * 4, 4 * 28 * 4), 0 to 255.
    """
    images, labels = mnist().split("train")
    samples = images[[int((labels == digit).argmax()) for digit in range(SAMPLES)]]
    samples = transform_images(samples, random_transforms(config, SAMPLES, np.random.default_rng(0)))
    rows = samples.reshape(-1, SAMPLES_PER_ROW, 28, 28).swapaxes(1, 2)
    return rows.reshape(-1, SAMPLES_PER_ROW * 28).repeat(_SCALE, 0).repeat(_SCALE, 1)
