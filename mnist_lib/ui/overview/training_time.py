"""How long a training takes on this machine."""

from __future__ import annotations

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.machine import device_name
from mnist_lib.runs.expected_time import ExpectedTime, estimated_times, measured_times, time_reading
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.session import run_store
from mnist_lib.wording import rough_duration_text


@errors_as_messages()
def render_training_time() -> None:
    """Say how long a training takes on this machine, and lead to it, if the visitor may train."""
    if not run_store().access.may_add:
        return
    st.header("Train one yourself")
    times = measured_times(run_store())
    bundled = run_store().bundled_runs()
    if bundled and not device_name().startswith("GPU"):  # where no training was measured to estimate from
        times = _estimated_times(bundled[-1]) | times
    parts = [
        f"**{rough_duration_text(*times[preset])}** with `{preset}`"
        for preset in ("fast", "paper", "accurate")
        if preset in times
    ]
    if parts:
        st.markdown(f"On this machine ({plain_text(device_name())}) training takes about {', '.join(parts)}.")
    screen_link("train", "Go to Train")


@st.cache_data(show_spinner=False)
def _estimated_times(run: Run) -> dict[str, ExpectedTime]:
    return estimated_times(time_reading(load_network(run)))
