"""The form that starts a training."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mnist_lib.config import PRESETS, SETTING_RANGES, ConfigError, config_from_choices
from mnist_lib.runs import Run, RunStoreError
from mnist_lib.trainer import start_training
from mnist_lib.ui.state import RUN_KEY, run_store

_PROBLEM_KEY = "start_problem"


def draw_settings(active: Run | None) -> None:
    """Draw the settings with their Start button.

    Args:
        active: The running training, which must end before another begins.
    """
    recipe = PRESETS["paper"].to_dict()
    with st.container(border=True):
        st.subheader("Settings")
        for name, allowed in SETTING_RANGES.items():
            # No minimum and maximum here: the field would just not take the number,
            # and a person shall read what the range is.
            fine: dict[str, Any] = {"step": 0.0001, "format": "%0.6g"} if name == "learning_rate" else {"step": 1}
            st.number_input(
                allowed.label,
                # Streamlit wants a default or a value in the session, not both.
                value="min" if _key(name) in st.session_state else recipe[name],
                key=_key(name),
                persist_state="session",
                help=f"{allowed.help} Allowed: {allowed.text}.",
                **fine,
            )
        st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            on_click=_start,
            disabled=active is not None,
        )
    if active:
        st.caption(f"{active.run_id} is being trained. One training runs at a time.")
    if problem := st.session_state.pop(_PROBLEM_KEY, None):
        st.error(problem, icon=":material/error:")
    st.button("Back to the paper's settings", icon=":material/undo:", type="tertiary", on_click=_use_paper_settings)


def _start() -> None:
    """Start the trainer and look at its run; keep what went wrong for the screen."""
    choices = {name: st.session_state[_key(name)] for name in SETTING_RANGES}
    try:
        run = start_training(run_store(), config_from_choices("paper", **choices))
    except (ConfigError, RunStoreError) as error:
        st.session_state[_PROBLEM_KEY] = str(error)
    else:
        st.session_state[RUN_KEY] = run.run_id


def _use_paper_settings() -> None:
    for name, value in PRESETS["paper"].to_dict().items():
        if name in SETTING_RANGES:
            st.session_state[_key(name)] = value


def _key(name: str) -> str:
    return f"setting_{name}"
