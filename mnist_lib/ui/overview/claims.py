"""The paper's claims beside the results of the runs here."""

from __future__ import annotations

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.network.layers import NOT_THE_PAPERS
from mnist_lib.runs.paper import CLAIM_LABELS, PAPER_CLAIMS, run_claims
from mnist_lib.ui.session import recorded_dataset, run_store, title_of


def render_claims() -> None:
    """Show the paper's claims, and the results of the runs that ship and of the newest one on MNIST."""
    store = run_store()
    columns = {"Claim": CLAIM_LABELS, "The paper": PAPER_CLAIMS}
    newest = next((run for run in store.own_runs() if recorded_dataset(run).is_mnist), None)
    shown = [("", run) for run in store.bundled_runs()] + ([("Newest here: ", newest)] if newest else [])
    for which, run in shown:
        snapshot = run.read()
        mark = f", {NOT_THE_PAPERS}" if snapshot.config and not snapshot.config.has_paper_network else ""
        claims = run_claims(snapshot)
        columns[f"{which}{plain_text(title_of(run.run_id))}{mark}"] = claims._replace(device=plain_text(claims.device))
    st.header("The paper's claims, and the results here")
    st.caption(
        "Charlie Wilkin's paper shows how little it takes: a convolutional network, trained for five epochs on 60,000 "
        "handwritten digits."
    )
    st.table({name: list(claims) for name, claims in columns.items()}, hide_index=True)
