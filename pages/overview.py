"""Overview: draw at once, watch a training again, what is misread, and the paper's claims."""

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.overview.claims import render_claims
from mnist_lib.ui.overview.drawing import render_drawing
from mnist_lib.ui.overview.replay import render_replay
from mnist_lib.ui.overview.training_time import render_training_time
from mnist_lib.ui.overview.wall import render_wall
from mnist_lib.ui.session import selected_dataset, selected_run
from mnist_lib.ui.shared.no_model import render_no_model

require_router()

run, dataset = selected_run(), selected_dataset()
knows = "reads handwritten digits" if dataset.is_mnist else f"knows {plain_text(dataset.name)}"
st.title(f"A network that {knows}")
if run is not None and run.has_model():
    render_drawing(run)
else:
    render_no_model(run)
if run is not None:
    render_replay(run)
    render_wall(run)
render_training_time()
if dataset.is_mnist:
    render_claims()
