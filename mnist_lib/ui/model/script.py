"""The run as one Keras script, to read, copy and download."""

from __future__ import annotations

import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.export.script import keras_script
from mnist_lib.runs.run import Run

_HEIGHT_PX = 560


def render_script(run: Run, config: TrainingConfig) -> None:
    """Show the script of a run.

    Args:
        run: Any run that can be read.
        config: Its settings.
    """
    script = keras_script(config, run.read())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download",
            script,
            f"{run.run_id}.py",
            mime="text/x-python",
            icon=":material/download:",
            key="download_script",
            on_click="ignore",
        )
        st.caption("Network and training in plain Keras, in one file.")
    st.code(script, language="python", height=_HEIGHT_PX)
