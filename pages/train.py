"""Train: the settings, and a live view of the training with its controls."""

import streamlit as st

from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.session import run_store, selected_run
from mnist_lib.ui.train.live_training import render_training
from mnist_lib.ui.train.queue import render_queue
from mnist_lib.ui.train.settings_form import render_settings

require_router()

st.title("Train")
active = run_store().active_run()
run = selected_run()
# On a narrow screen, what is being trained comes before the settings of the next training.
settings, view = wrapping_columns([3, 7], [288, 480], key="train_columns", gap="medium", last_on_top=active is not None)
with settings:
    render_settings(active)
    render_queue()
with view:
    if run is None:
        st.info("Nothing has been trained yet. Press Start: the curves appear here.", icon=":material/info:")
    else:
        render_training(run, active)
