"""What a screen says instead of what a run's network reads, as long as there is none."""

from __future__ import annotations

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.runs.run import Run
from mnist_lib.ui.navigation import screen_link


def render_no_model(run: Run | None) -> None:
    """Say why there is nothing to show, and where to go.

    Args:
        run: A run without a model or without a whole epoch, or None if there is no run.
    """
    snapshot = run.read() if run else None
    if snapshot is None:
        text, icon, way = "There is no run yet: train one.", "info", "Go to Train"
    elif snapshot.state == "queued":
        text, icon, way = "This run waits in the queue.", "hourglass", "See the queue"
    elif snapshot.is_active:
        text, icon, way = (
            "This run learns. What it reads is here after its first epoch.",
            "model_training",
            "Watch it learn",
        )
    else:
        reason = f": {plain_text(snapshot.message)}" if snapshot.message else ""
        text = f"This run has nothing to show here{reason}. Choose another run in the sidebar, or train one."
        icon, way = "info", "Go to Train"
    st.info(text, icon=f":material/{icon}:")
    screen_link("train", way)
