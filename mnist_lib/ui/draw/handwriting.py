"""Learn from my drawings: the form that starts it, and what came of it, before and after."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetError
from mnist_lib.data.handwriting import require_enough, set_aside
from mnist_lib.drawing.own_test_set import OwnDigits, OwnDigitsSnapshot
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.mcnemar import chance_text, find_differences
from mnist_lib.evaluation.metrics import wilson_interval
from mnist_lib.figures.digits import image_figure, probabilities_figure
from mnist_lib.runs.handwriting import beginning_problem
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.training.launch import start_handwriting
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.session import choose_run, run_store, title_of
from mnist_lib.ui.shared.handwriting_result import Readings, render_sentence
from mnist_lib.wording import a_digit

# If there are more differences, only the first are shown.
MAX_TILES = 200

_STARTED_KEY = "handwriting_was_started"


def render_learning(run: Run, own: OwnDigits, snapshot: OwnDigitsSnapshot, problem_key: str) -> None:
    """Show the form that lets a run's network learn the drawings, if the visitor may train.

    Args:
        run: The run to begin from.
        own: The visitor's own test set.
        snapshot: The same as it is now.
        problem_key: Where the session's state keeps what went wrong.
    """
    if st.session_state.pop(_STARTED_KEY, False):
        st.rerun()  # the whole screen must show the new run
    if not run_store().access.may_add:
        return
    with st.popover("Learn from my drawings", icon=":material/school:"):
        problem = _problem(run, snapshot)
        learned = int(set_aside(snapshot.images, snapshot.labels, seed=0).learned.sum())
        st.markdown(
            plain_text(problem)
            or f"**{plain_text(title_of(run.run_id))}** learns **{learned:,}** of your drawings, mixed with MNIST's "
            f"digits. **{len(snapshot.labels) - learned:,}** are set aside, to test what it "
            "learned. The more you draw of each digit, the more it learns, and the more the test can tell."
        )
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="learn_drawings",
            on_click=_start,
            args=(run, own, problem_key),
            disabled=bool(problem),
        )


def _problem(run: Run, snapshot: OwnDigitsSnapshot) -> str:
    """Return why the drawings cannot be learned now, in one line; empty if they can."""
    try:
        require_enough(snapshot.labels)
    except DatasetError as error:
        return str(error)
    return beginning_problem(run)


def _start(run: Run, own: OwnDigits, problem_key: str) -> None:
    """Start the trainer and select its run, or keep the error for the screen."""
    try:
        started = start_handwriting(run_store(), run, own.path)
    except (DamagedRunError, RunStoreError) as error:
        st.session_state[problem_key] = str(error)
    else:
        choose_run(started.run_id)
        st.session_state[_STARTED_KEY] = True


def render_result(run: Run) -> None:
    """Show what a run that learned drawings reads now and did not before, and the other way round.

    Args:
        run: The run; of one that learned none, nothing is shown.
    """
    place = st.container()
    result = render_sentence(run)
    if result is None:
        return
    place.header("What it learned from drawings")
    rows = {"Drawings set aside": result.drawings, "MNIST's test digits": result.mnist}
    columns = {
        heading: [_accuracy(readings.right[place], len(readings.labels)) for readings in rows.values()]
        for place, heading in enumerate(("Before", "Now"))
    }
    st.table({"Accuracy (95% interval)": list(rows)} | columns, hide_index=True, width="content")
    drawings, mnist = (
        find_differences(readings.before.argmax(axis=1), readings.now.argmax(axis=1), readings.labels)
        for readings in rows.values()
    )
    st.markdown(f"Drawings: {chance_text(len(drawings.fixed), len(drawings.broken))}")
    both = result.drawings, result.mnist
    learned, forgotten = st.columns(2, gap="large")
    with learned:
        _render_gallery("Learned", both, (drawings.fixed, mnist.fixed), "right")
    with forgotten:
        _render_gallery("Forgotten", both, (drawings.broken, mnist.broken), "wrong")


def _accuracy(right: int, count: int) -> str:
    low, high = wilson_interval(right, count)
    decimals = 2 if count >= 1_000 else 0
    return f"{right / count:.{decimals}%} ({low:.{decimals}%} to {high:.{decimals}%})"


def _render_gallery(title: str, both: tuple[Readings, Readings], places: tuple[np.ndarray, ...], tone: str) -> None:
    """Show the images of one kind of difference, the drawings before MNIST's, and the chosen one closely."""
    images, labels, before, now = (
        np.concatenate([values[at] for values, at in zip(parts, places, strict=True)])[:MAX_TILES]
        for parts in zip(*both, strict=True)
    )
    st.markdown(f"**{title}: {len(places[0]):,} of the drawings, {len(places[1]):,} of MNIST**")
    if not len(labels):
        return
    tiles = []
    for place, label in enumerate(labels.tolist()):
        source = "drawing" if place < len(places[0]) else "MNIST"
        answers = int(before[place].argmax()), int(now[place].argmax())
        description = f"{source}, {a_digit(label)}, read as {answers[0]} before and as {answers[1]} now"
        tiles.append(Tile(place, f"{answers[0]} → {answers[1]}", f"{source}, {label}", description, tone))
    chosen = digit_gallery(title, images, tiles, key=f"handwriting_{tone}")
    picture, *bars = st.columns(3)
    with picture:
        st.caption("The image")
        live_figure(image_figure(images[chosen]), key=f"handwriting_{tone}_image")
    for column, name, output in zip(bars, ("Before", "Now"), (before, now), strict=True):
        with column:
            st.caption(name)
            live_figure(probabilities_figure(output[chosen], int(labels[chosen])), key=f"handwriting_{tone}_{name}")
