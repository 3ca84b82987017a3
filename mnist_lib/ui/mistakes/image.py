"""One test image: its probabilities, how they changed over the epochs, and the votes on its label."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import Dataset
from mnist_lib.data.label_votes import load_label_votes, votes_text
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.biography import biography_text, find_turns
from mnist_lib.figures.digits import epochs_figure, image_figure, probabilities_figure
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import probabilities_over_epochs
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.shared.closer_look import render_closer_look
from mnist_lib.ui.shared.model_link import digit_address, model_link


def render_image(dataset: Dataset, probabilities: np.ndarray, index: int, epoch: int) -> None:
    """Show an enlarged image, its probabilities, and the votes on its label.

    Args:
        dataset: The data set of the run.
        probabilities: floating, (classes,), 0 to 1, of this image.
        index: Its position in the test set.
        epoch: The selected epoch.
    """
    classes, image, label = dataset.description, dataset.test_images[index], int(dataset.test_labels[index])
    answer = classes.class_names[probabilities.argmax()]
    st.header(f"Image {index:,}: {plain_text(classes.a_class(label))}, read as {plain_text(answer)}")
    picture, bars = st.columns(2)
    with picture:
        live_figure(image_figure(image), key="mistake_image")
    with bars:
        live_figure(probabilities_figure(probabilities, label, classes), key="mistake_probabilities")
    st.caption(f"Green: the true {classes.kind}. Red: what the network read instead.")
    model_link(digit_address("test", index, epoch))
    if not classes.is_mnist:
        return
    votes = load_label_votes()
    position = votes.find(index)
    if position is not None:
        verdict = "Most people agreed with its label" if votes.upheld[position] else "No majority agreed with its label"
        st.info(f"{verdict}. {votes_text(votes, position)}", icon=":material/how_to_vote:")


def render_biography(run: Run, dataset: Dataset, index: int, epoch: int) -> None:
    """Show the probability of each class after every epoch, and say when the image was learned or forgotten.

    Args:
        run: The run.
        dataset: Its data set.
        index: The image's position in the test set.
        epoch: The selected epoch.
    """
    st.header("Its biography")
    label = int(dataset.test_labels[index])
    epochs, outputs = probabilities_over_epochs(run)
    readings = outputs[:, index].astype(np.float32)
    st.markdown(biography_text(find_turns(epochs, readings.argmax(axis=1) == label)))
    live_figure(epochs_figure(epochs, readings, label, epoch, dataset.description), key="mistake_biography")
    if len(epochs) < len(run.epochs_with_probabilities()):
        st.caption(f"{len(epochs)} of the {len(run.epochs_with_probabilities())} epochs are shown.")


def render_image_closely(run: Run, dataset: Dataset, index: int, epoch: int) -> None:
    """Offer the closer look at an image, by the network as it was after an epoch.

    Args:
        run: The run.
        dataset: Its data set.
        index: The image's position in the test set.
        epoch: The selected epoch. If its weights are missing, the final model takes its place.
    """
    if not run.has_model():
        return
    at_end = epoch == run.epochs_with_probabilities()[-1] or epoch not in run.epochs_with_weights()
    closer = st.expander(
        "Why? A closer look at this image",  # another text would make another expander, which is closed
        icon=":material/search:",
        on_change="rerun",
        key="mistake_closer",
    )
    if closer.open:
        with closer:
            network = "the network at the end of the run" if at_end else f"the network after epoch {epoch}"
            st.caption(f"Image {index:,}, read by {network}.")
            image, label = dataset.test_images[index], int(dataset.test_labels[index])
            shown_epoch = None if at_end else epoch
            render_closer_look(run, image, "mistake", digit_address("test", index, epoch), label, shown_epoch)
