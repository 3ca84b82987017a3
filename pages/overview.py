"""Overview: draw a digit at once, watch a training again, what is misread, and the paper's claims."""

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.network.layers import NOT_THE_PAPERS
from mnist_lib.runs.paper import CLAIM_LABELS, PAPER_CLAIMS, run_claims
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.overview.drawing import render_drawing
from mnist_lib.ui.overview.replay import render_replay
from mnist_lib.ui.overview.training_time import render_training_time
from mnist_lib.ui.overview.wall import render_wall
from mnist_lib.ui.session import run_store, selected_run, title_of

require_router()

st.title("A network that reads handwritten digits")
run = selected_run()
if run is not None and run.has_model():
    render_drawing(run)
elif run is None:
    st.info("There is no network yet that could read a digit. Train one.", icon=":material/info:")
else:
    st.info("This run has no model yet. Choose another run in the sidebar, or train one.", icon=":material/info:")
if run is not None:
    render_replay(run)
    render_wall(run)
render_training_time()

store = run_store()
columns = {"Claim": CLAIM_LABELS, "The paper": PAPER_CLAIMS}
shown = [("", run) for run in store.bundled_runs()] + [("Newest here: ", run) for run in store.own_runs()[:1]]
for which, shown_run in shown:
    snapshot = shown_run.read()
    mark = f", {NOT_THE_PAPERS}" if snapshot.config and not snapshot.config.has_paper_network else ""
    claims = run_claims(snapshot)
    columns[f"{which}{plain_text(title_of(shown_run.run_id))}{mark}"] = claims._replace(
        device=plain_text(claims.device)
    )

st.header("The paper's claims, and the results here")
st.caption(
    "Charlie Wilkin's paper shows how little it takes: a convolutional network, trained for five epochs on 60,000 "
    "handwritten digits."
)
st.table({name: list(claims) for name, claims in columns.items()}, hide_index=True)
