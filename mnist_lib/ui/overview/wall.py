"""The wall of all test images that a run misreads."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.predictions import find_mistakes
from mnist_lib.runs.run import Run
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import probabilities, run_dataset
from mnist_lib.ui.components.gallery import SPRITE_COLUMNS, sprite_sheet
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import plain_link
from mnist_lib.ui.session import RUN_KEY
from mnist_lib.wording import percent_text

# The wall of a run that misreads thousands would be no wall.
MOST_ON_THE_WALL = 100


@errors_as_messages()
def render_wall(run: Run) -> None:
    """Show every test image that the run misreads, each a link to it on the Mistakes screen."""
    kept = run.epochs_with_probabilities()
    if not kept:
        return
    try:
        dataset = run_dataset(run)
    except DatasetError:  # said above, where the network reads an image
        return
    classes = dataset.description
    mistakes = find_mistakes(probabilities(run, kept[-1]), dataset.test_labels)
    if not len(mistakes.indices):
        return
    st.header("What it still misreads")
    shown = mistakes.select(np.argsort(-mistakes.confidences, kind="stable")[:MOST_ON_THE_WALL])
    count = len(mistakes.indices)
    part = f", the {len(shown.indices)} surest of them here" if count > len(shown.indices) else ""
    st.caption(
        f"{count:,} of {classes.test_images:,} test {classes.noun}s{part}: the true {classes.kind} → what it reads. "
        "Choose one to see why."
    )
    with st.container(horizontal=True, gap="xsmall", key="overview_wall"):
        st.html(style("overview/wall.css") + _pictures_of_links(shown.indices, dataset.test_images))
        for index, label, answer, confidence in zip(*shown, strict=True):
            plain_link(
                "mistakes",
                plain_text(f"{classes.class_names[label]} → {classes.class_names[answer]}"),
                {RUN_KEY: run.run_id, "image": f"{index}"},
                help=f"Image {index}: {classes.a_class(label)}, read as {classes.class_names[answer]}, "
                f"{percent_text(confidence, 0)} sure",
            )


def _pictures_of_links(indices: np.ndarray, images: np.ndarray) -> str:
    """Return a style sheet that gives the link to each test image its picture."""
    wall = ".st-key-overview_wall"
    rules = [f"{wall} {{ --sheet: url({sprite_sheet(images[indices])}); }}"]
    for place, index in enumerate(indices):
        row, column = divmod(place, SPRITE_COLUMNS)
        rules.append(
            f'{wall} a[href$="image={index}"]::before {{ background-position: -{56 * column}px -{56 * row}px; }}'
        )
    return f"<style>{' '.join(rules)}</style>"
