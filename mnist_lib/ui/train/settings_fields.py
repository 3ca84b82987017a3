"""The fields of the settings form, and where what is typed into them is kept.

Every setting has one place in the session. It keeps its value on other screens, and
what is out of its range, too: only Start judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from mnist_lib.config import PRESETS, SETTINGS, ConfigError, TrainingConfig, config_from_choices
from mnist_lib.ui.components.live_fields import field_value

FORM_KEY = "settings_form"

# How a person calls the values that a setting chooses from.
VALUE_NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD with momentum",
    "muon": "Muon",
    "float32": "float32, all bits",
    "auto": "auto, what is faster here",
    "bfloat16": "bfloat16, half the bits",
    "float16": "float16, half the bits",
}

# What a click on plus or minus adds, where one would be too little.
_STEPS = {
    "batch_size": 16,
    "learning_rate": 0.0005,
    "training_images": 1_000,
    "filters_1": 8,
    "filters_2": 8,
    "dense_units": 16,
}


def setting_key(name: str) -> str:
    """Return where the session keeps a setting."""
    return f"setting_{name}"


def prepare_fields() -> None:
    """Give every field the paper's value, unless it has one already."""
    for name, value in _field_values(PRESETS["paper"]).items():
        st.session_state.setdefault(setting_key(name), value)


def fill_fields(config: TrainingConfig, names: Iterable[str] = SETTINGS) -> None:
    """Put settings into their fields, all of them or those that are named."""
    values = _field_values(config)
    for name in names:
        st.session_state[setting_key(name)] = values[name]


def chosen_settings() -> dict[str, Any]:
    """Return what the fields hold, by name, within its range or not."""
    return {name: st.session_state[setting_key(name)] for name in SETTINGS}


def draft_config(names: Iterable[str]) -> TrainingConfig | None:
    """Return the paper's settings with the named ones from their fields, or None if one of those is out of range.

    So each part of the form follows its own fields, whatever is being typed elsewhere.
    """
    try:
        return config_from_choices("paper", **{name: field_value(FORM_KEY, setting_key(name)) for name in names})
    except ConfigError:
        return None


def render_number(name: str) -> None:
    """Show the field of a number that is typed."""
    setting = SETTINGS[name]
    # No minimum and maximum here: the field would just not take the number,
    # and a person should read what the range is.
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
        step: The difference between two places of the slider.
        number_format: How to write the number, as Streamlit's sliders take it, for example ``percent``.
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
    """Show the choice between the values of a setting."""
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
    """Return how a person calls a value that a setting chooses from."""
    return VALUE_NAMES.get(value, value)


def _field_values(config: TrainingConfig) -> dict[str, Any]:
    # A field of fractions takes no whole number, which an earlier run may hold.
    return {name: setting.kind(getattr(config, name)) for name, setting in SETTINGS.items()}
