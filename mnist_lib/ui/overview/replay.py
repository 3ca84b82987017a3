"""The training of a run once more, in twelve seconds."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.runs.replay import Replay, make_replay
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import file_stamp
from mnist_lib.ui.cache import probabilities_over_epochs, run_dataset
from mnist_lib.ui.components.replay import play_training
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.session import title_of
from mnist_lib.ui.shared.watched_digits import watched_images
from mnist_lib.wording import duration_text


@errors_as_messages()
def render_replay(run: Run) -> None:
    """Show the run's training as a replay, if it stored an epoch."""
    kept = run.epochs_with_probabilities()
    if not kept:
        return
    try:
        dataset = run_dataset(run)
    except DatasetError:  # said above, where the network reads an image
        return
    replay = _replay(run, kept, file_stamp(run.path / "metrics.jsonl"))
    if replay is None:
        return
    classes = dataset.description
    st.header("Watch it learn, without waiting")
    st.caption(
        f"The training of **{plain_text(title_of(run.run_id))}** took {duration_text(replay.seconds[-1])}; here it "
        f"takes 12 seconds. Below each {classes.noun}: the true {classes.kind} → what the network reads, and how sure "
        "it is."
    )
    watched = watched_images(dataset)
    images, labels = dataset.test_images[watched], dataset.test_labels[watched].tolist()
    play_training(run.run_id, replay, images, labels, classes, key="overview_replay")


@st.cache_data(max_entries=8, show_spinner=False)
def _replay(run: Run, kept: list[int], stamp: int) -> Replay | None:
    epochs, outputs = probabilities_over_epochs(run)
    watched = watched_images(run_dataset(run))
    return make_replay(run.read(), epochs, outputs[:, watched].astype(np.float32))
