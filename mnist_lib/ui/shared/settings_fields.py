"""The fields of the settings form, which is on Train, and where their values are kept.

Every setting has one key in the session. It keeps its value while other screens are
open, even a value that is out of range: only Start rejects it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from mnist_lib.config import PRESETS, SETTINGS, ConfigError, TrainingConfig, config_from_choices
from mnist_lib.data.dataset import MNIST, MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.ui.components.live_fields import field_value
from mnist_lib.ui.session import dataset_library
from mnist_lib.wording import OPTIMIZER_NAMES

FORM_KEY = "settings_form"
DATASET_KEY = "settings_dataset"
PRESET_KEY = "settings_preset"

# The displayed names of a setting's values.
VALUE_NAMES = OPTIMIZER_NAMES | {
    "float32": "float32, all bits",
    "auto": "auto, what is faster here",
    "bfloat16": "bfloat16, half the bits",
    "float16": "float16, half the bits",
}

# What a click on plus or minus adds; 1 by default.
_STEPS = {
    "batch_size": 16,
    "learning_rate": 0.0005,
    "training_images": 1_000,
    "filters_1": 8,
    "filters_2": 8,
    "dense_units": 16,
}


def setting_key(name: str) -> str:
    """Return the key of a setting in the session."""
    return f"setting_{name}"


def chosen_dataset() -> DatasetDescription:
    """Return the data set that the next training is to learn from: MNIST until another one is chosen."""
    return dataset_library().find(st.session_state.get(DATASET_KEY) or MNIST) or MNIST_DESCRIPTION


def prepare_fields() -> None:
    """Give every field the paper's value, unless it already has one."""
    st.session_state.setdefault(PRESET_KEY, "paper")
    for name, value in _field_values(PRESETS["paper"]).items():
        st.session_state.setdefault(setting_key(name), value)


def fill_fields(config: TrainingConfig, names: Iterable[str] = SETTINGS) -> None:
    """Fill the fields with settings, all of them or those named."""
    values = _field_values(config)
    for name in names:
        st.session_state[setting_key(name)] = values[name]


def chosen_settings() -> dict[str, Any]:
    """Return the values of the fields, by name, even if they are out of range."""
    return {name: st.session_state[setting_key(name)] for name in SETTINGS}


def chosen_config() -> TrainingConfig:
    """Return what the form says, for a training.

    Raises:
        ConfigError: A value is out of its range.
    """
    prepare_fields()  # Train may not have been looked at yet
    return config_from_choices(st.session_state[PRESET_KEY], chosen_dataset().training_data, **chosen_settings())


def draft_config(names: Iterable[str]) -> TrainingConfig | None:
    """Return the paper's settings with the named ones from their fields, or None if one of those is out of range.

    Each part of the form then depends on its own fields only, whatever is being typed elsewhere.
    """
    try:
        return config_from_choices(
            "paper",
            chosen_dataset().training_data,
            **{name: field_value(FORM_KEY, setting_key(name)) for name in names},
        )
    except ConfigError:
        return None


def render_number(name: str) -> None:
    """Show the field of a number to type."""
    setting = SETTINGS[name]
    if name == "training_images":  # as many as the data set has
        setting = setting._replace(allowed=(1, chosen_dataset().training_images))
    # No minimum and maximum here: the field would silently reject the number,
    # while an error message tells the range.
    st.number_input(
        setting.label,
        step=_STEPS.get(name, 1),
        format="%d" if setting.kind is int else "%0.6g",
        key=setting_key(name),
        persist_state="session",
        help=f"{setting.help} Allowed: {setting.text}.",
    )


def render_slider(name: str, step: float, number_format: str) -> None:
    """Show the slider of a number.

    Args:
        name: The setting.
        step: The step of the slider.
        number_format: Streamlit's format of the number, for example ``percent``.
    """
    setting = SETTINGS[name]
    st.slider(
        setting.label,
        setting.minimum,
        setting.maximum,
        step=step,
        format=number_format,
        key=setting_key(name),
        persist_state="session",
        help=setting.help,
    )


def render_options(name: str) -> None:
    """Show a choice between the values of a setting."""
    setting = SETTINGS[name]
    st.selectbox(
        setting.label,
        setting.allowed,
        format_func=value_name,
        key=setting_key(name),
        persist_state="session",
        help=setting.help,
    )


def render_switch(name: str) -> None:
    """Show a setting that is on or off."""
    setting = SETTINGS[name]
    st.toggle(setting.label, key=setting_key(name), persist_state="session", help=setting.help)


def value_name(value: str) -> str:
    """Return the displayed name of a setting's value."""
    return VALUE_NAMES.get(value, value)


def _field_values(config: TrainingConfig) -> dict[str, Any]:
    # A field for fractions rejects whole numbers, which an earlier run may hold.
    return {name: setting.kind(getattr(config, name)) for name, setting in SETTINGS.items()}
