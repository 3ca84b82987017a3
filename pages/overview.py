"""Overview: what this is, its results, and links to the screens."""

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.network.layers import NOT_THE_PAPERS
from mnist_lib.runs.paper import CLAIM_LABELS, PAPER_CLAIMS, run_claims
from mnist_lib.ui.navigation import SCREENS, require_router, screen_link
from mnist_lib.ui.session import run_store

require_router()

st.title("A network that reads handwritten digits")
st.markdown(
    "Charlie Wilkin's paper shows how little it takes: a convolutional network of **515,146 parameters**, "
    "trained for five epochs on 60,000 handwritten digits, reads more than **99%** of 10,000 others. "
    "Here you can watch it learn, look at every digit it misreads, and draw your own."
)

store = run_store()
columns = {"": CLAIM_LABELS, "The paper": PAPER_CLAIMS}
own_runs = store.own_runs()
shown = [("Pre-trained", run) for run in store.bundled_runs()] + [("Newest here", run) for run in own_runs[:1]]
for title, run in shown:
    snapshot = run.read()
    mark = f", {NOT_THE_PAPERS}" if snapshot.config and not snapshot.config.has_paper_network else ""
    claims = run_claims(snapshot)
    columns[f"{title} ({plain_text(run.run_id)}){mark}"] = claims._replace(device=plain_text(claims.device))

st.subheader("The paper's claims, and the results here")
st.table({name: list(claims) for name, claims in columns.items()}, hide_index=True)
if not own_runs:
    st.info("You have not trained a network on this machine yet. It takes a minute or two.", icon=":material/info:")
    screen_link("train", "Train one now")

st.subheader("What you can do")
cards = [*st.columns(3), *st.columns(3)]
for card, screen in zip(cards, SCREENS[1:], strict=True):
    with card.container(border=True, height="stretch"):
        screen_link(screen.name)
        st.caption(screen.purpose)
