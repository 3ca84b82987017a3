"""A training as it happens, or as it was: progress, curves and Table II."""

from __future__ import annotations

import streamlit as st

from mnist_lib.figures import learning_curve_figure
from mnist_lib.paper import TABLE_II, duration_text
from mnist_lib.progress import measure_progress
from mnist_lib.runs import Run, RunSnapshot, RunStoreError
from mnist_lib.ui.digit_view import PLAIN
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.sidebar import sentence, state_badge

REFRESH_EVERY_S = 1.0


def draw_training(run: Run, live: bool) -> None:
    """Draw a run, and draw it anew every second while it is trained."""
    st.fragment(_draw_training, run_every=REFRESH_EVERY_S if live else None)(run, live)


def _draw_training(run: Run, live: bool) -> None:
    snapshot = run.read()
    if live and not snapshot.is_active:
        st.rerun()  # the whole screen: its form is free again, and the clock stops
    st.subheader(run.run_id)
    if live:
        _draw_progress(run, snapshot)
    else:
        _draw_outcome(snapshot)
    if snapshot.batches or snapshot.epochs:
        _draw_curves(snapshot)
        _draw_table_ii(snapshot)


def _draw_progress(run: Run, snapshot: RunSnapshot) -> None:
    progress = measure_progress(snapshot)
    status = snapshot.status
    parts = [f"Epoch {max(status.epoch, 1)} of {snapshot.config.epochs}"] if status and snapshot.config else []
    parts.append(f"{progress.fraction:.0%}")
    if progress.images_per_s is not None:
        parts.append(f"{progress.images_per_s:,.0f} images/s")
    if progress.seconds_left is not None:
        parts.append(f"{duration_text(progress.seconds_left)} left")
    st.progress(progress.fraction, text=" · ".join(parts))
    line = st.container(horizontal=True, vertical_alignment="center")
    line.button(
        "Stop and keep the model",
        icon=":material/stop_circle:",
        on_click=_stop,
        args=(run,),
        disabled=snapshot.state == "stopping",
    )
    message = snapshot.message or ("ending between two batches" if snapshot.state == "stopping" else "")
    if message:
        line.caption(sentence(message))
    if not snapshot.batches:
        st.info("The curves begin with the first batches, a few seconds from now.", icon=":material/hourglass_top:")


def _stop(run: Run) -> None:
    try:
        run.request_stop()
    except RunStoreError as error:
        st.toast(str(error), icon=":material/error:")


def _draw_outcome(snapshot: RunSnapshot) -> None:
    line = st.container(horizontal=True, vertical_alignment="center")
    line.markdown(state_badge(snapshot))
    if snapshot.state in ("damaged", "failed", "interrupted"):
        st.warning(f"This run is {snapshot.state}: {snapshot.message}.", icon=":material/warning:")
    if snapshot.last_epoch:
        with line:
            screen_link("mistakes", f"Its {snapshot.last_epoch['misclassified']:,} mistakes")
            screen_link("draw", "Draw a digit for it")


def _draw_curves(snapshot: RunSnapshot) -> None:
    by = st.segmented_control(
        "Curves by", ["batch", "epoch"], default="batch", required=True, key="curves_by", persist_state="session"
    )
    left, right = st.columns(2)
    for column, quantity in ((left, "loss"), (right, "accuracy")):
        figure = learning_curve_figure(quantity, snapshot.batches, snapshot.epochs, by)
        column.plotly_chart(figure, config=PLAIN, key=f"curve_{quantity}")


def _draw_table_ii(snapshot: RunSnapshot) -> None:
    st.markdown("**Table II**, row by row, the paper's figures beside it" if _is_paper(snapshot) else "**Table II**")
    table = {
        "Epoch": [_epoch_name(row) for row in snapshot.epochs],
        "Time": [f"{row['seconds']:.1f} s" for row in snapshot.epochs],
        "Loss": [_figure(row["train_loss"]) for row in snapshot.epochs],
        "Accuracy": [_figure(row["train_accuracy"]) for row in snapshot.epochs],
        "Test loss": [_figure(row["test_loss"]) for row in snapshot.epochs],
        "Test accuracy": [_figure(row["test_accuracy"]) for row in snapshot.epochs],
    }
    if _is_paper(snapshot):
        of_paper = TABLE_II[: len(snapshot.epochs)]
        table["Paper: loss"] = [_figure(row.loss) for row in of_paper]
        table["Paper: accuracy"] = [_figure(row.accuracy) for row in of_paper]
    if snapshot.epochs:
        st.dataframe(table, hide_index=True)
    else:
        st.caption("The first row comes with the end of the first epoch.")


def _is_paper(snapshot: RunSnapshot) -> bool:
    return snapshot.config is not None and snapshot.config.preset == "paper"


def _epoch_name(row: dict) -> str:
    return str(row["epoch"]) if row.get("complete", True) else f"{row['epoch']} (stopped)"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
