"""One test image: its probabilities, how they changed over the epochs, and the votes on its label."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.label_votes import load_label_votes, votes_text
from mnist_lib.evaluation.biography import biography_text, find_turns
from mnist_lib.figures.digits import epochs_figure, image_figure, probabilities_figure
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import mnist, probabilities_over_epochs
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.shared.closer_look import render_closer_look
from mnist_lib.ui.shared.model_link import digit_address, model_link
from mnist_lib.wording import a_digit


def render_image(probabilities: np.ndarray, index: int, epoch: int) -> None:
    """Show an enlarged image, its ten probabilities, and the votes on its label.

    Args:
        probabilities: floating, (10,), 0 to 1, of this image.
        index: Its position in the test set.
        epoch: The selected epoch.
    """
    image, label = mnist().test_images[index], int(mnist().test_labels[index])
    st.header(f"Image {index:,}: {a_digit(label)}, read as {probabilities.argmax()}")
    picture, bars = st.columns(2)
    with picture:
        live_figure(image_figure(image), key="mistake_image")
    with bars:
        live_figure(probabilities_figure(probabilities, label), key="mistake_probabilities")
    st.caption("Green: the true digit. Red: what the network read instead.")
    model_link(digit_address("test", index, epoch))
    votes = load_label_votes()
    position = votes.find(index)
    if position is not None:
        verdict = "Most people agreed with its label" if votes.upheld[position] else "No majority agreed with its label"
        st.info(f"{verdict}. {votes_text(votes, position)}", icon=":material/how_to_vote:")


def render_biography(run: Run, index: int, epoch: int) -> None:
    """Show the probability of each digit after every epoch, and say when the image was learned or forgotten.

    Args:
        run: The run.
        index: The image's position in the test set.
        epoch: The selected epoch.
    """
    st.header("Its biography")
    label = int(mnist().test_labels[index])
    epochs, outputs = probabilities_over_epochs(run)
    readings = outputs[:, index].astype(np.float32)
    st.markdown(biography_text(find_turns(epochs, readings.argmax(axis=1) == label)))
    live_figure(epochs_figure(epochs, readings, label, marked=epoch), key="mistake_biography")
    if len(epochs) < len(run.epochs_with_probabilities()):
        st.caption(f"{len(epochs)} of the {len(run.epochs_with_probabilities())} epochs are shown.")


def render_image_closely(run: Run, index: int, epoch: int) -> None:
    """Offer the closer look at an image, by the network as it was after an epoch.

    Args:
        run: The run.
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
            image, label = mnist().test_images[index], int(mnist().test_labels[index])
            shown_epoch = None if at_end else epoch
            render_closer_look(run, image, "mistake", digit_address("test", index, epoch), label, shown_epoch)
