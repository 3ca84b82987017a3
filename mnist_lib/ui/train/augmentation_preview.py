"""The augmentation sliders, and their effect on eight images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.data.augmentation import augment
from mnist_lib.data.dataset import IMAGE_SIZE_PX, Dataset
from mnist_lib.ui.cache import load_dataset
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.session import dataset_library
from mnist_lib.ui.shared.settings_fields import chosen_dataset, draft_config, render_slider

AUGMENTATION_SETTINGS = ("shift_px", "rotation_deg", "zoom", "continental_forms")

# Includes all digits that have continental forms.
SAMPLE_DIGITS = (0, 1, 2, 3, 4, 5, 7, 9)
SAMPLES_PER_ROW = 4

# Digits are enlarged by this factor, pixel by pixel, so that the browser does not blur them.
_SCALE = 4


def render_augmentation() -> None:
    """Show the sliders and, below them, eight images as a training would see them."""
    render_slider("shift_px", 0.5, "%.1f px")
    render_slider("rotation_deg", 1.0, "%d°")
    render_slider("zoom", 0.01, "percent")
    description = chosen_dataset()
    if description.is_mnist:
        render_slider("continental_forms", 0.01, "percent")
    config = draft_config(AUGMENTATION_SETTINGS)
    if config:
        with errors_as_messages():
            samples = augmented_samples(config, load_dataset(dataset_library(), description))
            alt = f"Eight {description.noun}s as training sees them"
            st.image(samples, width="stretch", output_format="PNG", alt=alt)
            st.caption(_caption(config, description.noun))


def _caption(config: TrainingConfig, noun: str) -> str:
    if not config.augments:
        return f"Eight {noun}s as they are in the file. Move a slider to see what it does to them."
    line = f"Eight {noun}s as training would see them, changed differently in every epoch. Test images are not changed."
    if config.continental_forms:
        line += f" The 1, the 4, the 7 and the 9 have the form that {config.continental_forms:.0%} of them get."
    return line


def augmented_samples(config: TrainingConfig, dataset: Dataset) -> np.ndarray:
    """Return the first training image of each of ``SAMPLE_DIGITS``, or of eight classes, augmented, as one picture.

    The random numbers are the same every time, so only the settings change the picture.
    If a share of the digits gets continental forms, all of these do.

    Returns:
        uint8, (2 * 28 * 4, 4 * 28 * 4), 0 to 255.
    """
    images, labels = dataset.split("train")
    shown = SAMPLE_DIGITS if dataset.description.is_mnist else np.resize(np.unique(labels), len(SAMPLE_DIGITS))
    places = [int((labels == label).argmax()) for label in shown]
    if config.continental_forms:
        config = replace(config, continental_forms=1.0)
    samples = augment(images[places], labels[places], config, np.random.default_rng(0))
    rows = samples.reshape(-1, SAMPLES_PER_ROW, IMAGE_SIZE_PX, IMAGE_SIZE_PX).swapaxes(1, 2)
    return rows.reshape(-1, SAMPLES_PER_ROW * IMAGE_SIZE_PX).repeat(_SCALE, 0).repeat(_SCALE, 1)
