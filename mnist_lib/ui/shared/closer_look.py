"""Views that explain why a network reads an image as it does, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.escaping import plain_text
from mnist_lib.explain.inspection import feature_maps, read_over_epochs, settled_since, spread_epochs
from mnist_lib.explain.neighbours import embed_images, find_neighbours
from mnist_lib.explain.occlusion import INK, PAPER, occlude
from mnist_lib.explain.perturbations import REACH_PX, alter_image, shifted_images
from mnist_lib.figures.digits import epochs_figure, probabilities_figure, saliency_figure, shift_map_figure
from mnist_lib.figures.picture_sheet import columns_of, maps_sheet, picture_sheet
from mnist_lib.network.forward import Network, predict_probabilities
from mnist_lib.runs.run import Run
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import MAX_EPOCHS_SHOWN, run_dataset, run_network, training_embeddings
from mnist_lib.ui.components.gallery import sprite_sheet
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.components.pixel_grid import pixel_grid
from mnist_lib.ui.messages import errors_as_messages, show_error
from mnist_lib.ui.shared.answer import DIVERGED
from mnist_lib.ui.shared.model_link import model_link
from mnist_lib.wording import count_text, percent_text

# At most one row of a sprite sheet.
NEIGHBOURS = 20

# The smallest loss or gain of evidence that gets the full colour: the odds change by a third.
_FAINT_EVIDENCE = 0.3


class Probe(NamedTuple):
    """One slider of What if."""

    name: str
    label: str
    minimum: float
    maximum: float
    neutral: float
    step: float
    format: str
    help: str | None = None


PROBES = (
    Probe("shift_right_px", "Move right", -8.0, 8.0, 0.0, 0.5, "%.1f px"),
    Probe("shift_down_px", "Move down", -8.0, 8.0, 0.0, 0.5, "%.1f px"),
    Probe("rotation_deg", "Turn clockwise", -90.0, 90.0, 0.0, 1.0, "%d°"),
    Probe("scale", "Size", 0.4, 1.6, 1.0, 0.05, "percent"),
    Probe("thickness_px", "Thicken", -1.0, 2.0, 0.0, 0.1, "%.1f px", "How much is added on each side of a stroke."),
    Probe(
        "noise",
        "Noise",
        0.0,
        1.0,
        0.0,
        0.05,
        "percent",
        "How much each pixel changes at random; 100% is the difference between paper and ink.",
    ),
)


class _Look(NamedTuple):
    """What the views show: an image, and the network that reads it."""

    run: Run
    epoch: int | None
    network: Network
    image: np.ndarray  # uint8, (28, 28)
    probabilities: np.ndarray  # float32, (classes,)
    classes: DatasetDescription
    true_label: int | None
    key: str
    address: Mapping[str, str]

    @property
    def answer(self) -> int:
        return int(self.probabilities.argmax())

    def name(self, label: int) -> str:
        return plain_text(self.classes.a_class(label))

    def predict(self, images: np.ndarray) -> np.ndarray:
        return predict_probabilities(self.network, images)


@st.fragment
def render_closer_look(
    run: Run,
    image: np.ndarray,
    key: str,
    address: Mapping[str, str],
    true_label: int | None = None,
    epoch: int | None = None,
) -> None:
    """Show one tab per view; only the open one is computed.

    Args:
        run: A run that has a model.
        image: uint8, (28, 28), 0 to 255, any image.
        key: The prefix of the widgets' keys.
        address: What names this image in the address of the Model screen, as ``model_link`` takes it.
        true_label: The label, if known.
        epoch: An epoch whose weights the run kept, to use its network. None for the model.
    """
    with errors_as_messages():
        network = run_network(run, epoch)
        probabilities = predict_probabilities(network, image[np.newaxis])[0]
        if not np.isfinite(probabilities).all():
            show_error(DIVERGED)
            return
        look = _Look(run, epoch, network, image, probabilities, run.dataset(), true_label, key, address)
        st.html(style("shared/closer_look.css"))
        with st.container(key=f"{key}_closer_look"):
            tabs = st.tabs(list(_VIEWS), key=f"{key}_view", on_change="rerun")
            for tab, render_view in zip(tabs, _VIEWS.values(), strict=True):
                if tab.open:
                    with tab, errors_as_messages():
                        render_view(look)


def _render_saliency(look: _Look) -> None:
    occlusions = {cover: occlude(look.predict, look.image, look.answer, cover) for cover in (PAPER, INK)}
    # One scale for both, so that they can be compared.
    strongest = max(_FAINT_EVIDENCE, *(float(np.abs(each.evidence_loss).max()) for each in occlusions.values()))
    sign = "A number is the digit" if look.classes.is_mnist else "Letters begin the name of the class"
    st.markdown(
        f"What makes it **{look.name(look.answer)}**? One square of the picture after another is changed, and the "
        f"network reads it again. :orange[**Orange**]: the change removes evidence for the answer, so the "
        f"network relied on what is there. :blue[**Blue**]: the change adds evidence. {sign} that it "
        "would read then."
    )
    texts = {
        PAPER: ("Ink wiped away", "Which strokes are evidence for the answer, and which against it."),
        INK: ("Ink added", "Which empty places matter: what is not drawn is evidence, too."),
    }
    for column, (cover, (title, line)) in zip(st.columns(2), texts.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            figure = saliency_figure(look.image, occlusions[cover], look.answer, strongest, look.classes)
            live_figure(figure, key=f"{look.key}_saliency_{cover}")
            st.caption(line)


def _render_feature_maps(look: _Look) -> None:
    first, second = feature_maps(look.network, look.image)
    st.markdown(
        "A filter slides over the picture and draws a map: bright where it finds what it looks for, dark where it "
        "does not. All maps of a layer share one scale."
    )
    picture_column, first_column, second_column = st.columns([2, 5, 5], gap="medium")
    with picture_column:
        _show(_picture(look.image, "The picture"))
    with first_column:
        _show(_maps(first, "First convolution"))
        st.caption("Edges and strokes, straight from the picture.")
    with second_column:
        _show(_maps(second, "Second convolution"))
        st.caption("Corners, curves and ends of strokes, made from the maps of the first.")
    model_link(look.address)


def _render_epochs(look: _Look) -> None:
    kept = look.run.epochs_with_weights()
    if not kept:
        st.info("This run kept no weights of its epochs, so there are none to compare.", icon=":material/info:")
        return
    epochs = spread_epochs(kept, MAX_EPOCHS_SHOWN)
    probabilities = read_over_epochs([run_network(look.run, epoch) for epoch in epochs], look.image)
    st.markdown(learning_text(epochs, probabilities.argmax(axis=1), look.true_label, look.classes))
    picture_column, figure_column = st.columns([1, 5], gap="medium")
    with picture_column:
        _show(_picture(look.image, "The picture"))
    with figure_column:
        figure = epochs_figure(epochs, probabilities, look.true_label, look.epoch, look.classes)
        live_figure(figure, key=f"{look.key}_epochs")
    kinds = "digits" if look.classes.is_mnist else "classes"
    line = f"The same picture, read by the network after each epoch. The thin lines are the other {kinds}."
    if len(epochs) < len(kept):
        line += f" {len(epochs)} of the {len(kept)} epochs are shown."
    if len(kept) == 1:
        line += " This run kept only one epoch."
    st.caption(line)


def learning_text(
    epochs: Sequence[int], answers: np.ndarray, true_label: int | None, classes: DatasetDescription = MNIST_DESCRIPTION
) -> str:
    """Say since when a network has read an image as it does, as Markdown.

    Args:
        epochs: Numbers of the epochs, in order, at least one.
        answers: integer, (n,), the predicted class after each of them.
        true_label: The label, if known.
        classes: Whose classes they are.
    """
    answer, since = answers[-1], settled_since(epochs, answers)
    name = plain_text(classes.a_class(answer))
    if true_label is None:
        return f"It has read **{name}** since epoch {since}."
    if answer == true_label:
        return f"It has been **right** since epoch {since}."
    right = [epoch for epoch, label in zip(epochs, answers, strict=True) if label == true_label]
    before = f" It was last right after epoch {right[-1]}." if right else " It was never right."
    return f"It has **misread** it as {name} since epoch {since}.{before}"


def _render_what_if(look: _Look) -> None:
    # The answer comes first, so that on a phone it stays visible above the sliders.
    pictures, sliders, shifts = st.columns(3, gap="large")
    with sliders:
        values: dict[str, Any] = {probe.name: _render_slider(probe, look.key) for probe in PROBES}
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            key=f"{look.key}_reset",
            on_click=_reset_sliders,
            args=(look.key,),
        )
    altered = alter_image(look.image, **values)
    # One batch; the one in the middle is the changed picture itself, not moved.
    around = look.predict(shifted_images(altered))
    probabilities = around[len(around) // 2]
    answer = int(probabilities.argmax())
    with pictures:
        still = "now " if answer != look.answer else "" if np.array_equal(altered, look.image) else "still "
        st.markdown(f"It {still}reads **{look.name(answer)}**, {percent_text(probabilities[answer], 0)} sure.")
        _show(f'<div class="pair">{_picture(look.image, "Before")}{_picture(altered, "Changed")}</div>')
        live_figure(probabilities_figure(probabilities, look.true_label, look.classes), key=f"{look.key}_altered")
        if look.true_label is not None:
            st.caption(f"Green: the true {look.classes.kind}. Red: a wrong answer.")
    with shifts:
        st.markdown(f"Is it still **{look.name(look.answer)}** when it moves?")
        side = 2 * REACH_PX + 1
        figure = shift_map_figure(around[:, look.answer].reshape(side, side), look.answer, look.classes)
        live_figure(figure, key=f"{look.key}_shifts")
        st.caption(
            f"Each cell is the probability of {look.name(look.answer)} with the picture moved by that many pixels, up "
            f"to {REACH_PX} to each side. In the marked middle it is not moved."
        )


def _render_slider(probe: Probe, key: str) -> float:
    slider_key = f"{key}_{probe.name}"
    st.session_state.setdefault(slider_key, probe.neutral)
    return st.slider(
        probe.label,
        probe.minimum,
        probe.maximum,
        step=probe.step,
        format=probe.format,
        key=slider_key,
        help=probe.help,
        persist_state="session",
    )


def _reset_sliders(key: str) -> None:
    for probe in PROBES:
        st.session_state[f"{key}_{probe.name}"] = probe.neutral


def _render_neighbours(look: _Look) -> None:
    embeddings = training_embeddings(look.run, look.epoch)
    images, labels = run_dataset(look.run).split("train")
    # A training image is most similar to itself, so ask for one more and leave it out.
    found = find_neighbours(embed_images(look.network, look.image[np.newaxis])[0], embeddings, NEIGHBOURS + 1)
    others = np.flatnonzero((images[found.indices] != look.image).any(axis=(1, 2)))[:NEIGHBOURS]
    indices, similarities = found.indices[others], found.similarities[others]
    found_labels, counts = np.unique(labels[indices], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kinds = [
        f"{count} {'is' if count == 1 else 'are'} **{_several(look, label) if count > 1 else look.name(label)}**"
        for label, count in zip(found_labels[order].tolist(), counts[order].tolist(), strict=True)
    ]
    noun = look.classes.noun
    st.markdown(
        f"It reads **{look.name(look.answer)}**. Of the {NEIGHBOURS} training {noun}s that it finds most alike, "
        f"{', '.join(kinds)}."
    )
    tiles = [
        _neighbour(look, place, int(index), int(labels[index]), similarity)
        for place, (index, similarity) in enumerate(zip(indices, similarities, strict=True))
    ]
    picture_column, tiles_column = st.columns([1, 5], gap="medium")
    with picture_column:
        _show(_picture(look.image, "The picture"))
    with tiles_column:
        _show(
            f'<div class="digits" role="list" style="--sheet: url({sprite_sheet(images[indices])})">'
            f"{''.join(tiles)}</div>"
        )
    st.caption(
        "Compared are not the pixels but the values before the network's last layer, from which it decides; 100% is "
        "exactly the same pattern. Below each: its label, and how much alike it is."
    )


def _several(look: _Look, label: int) -> str:
    return f"{label}s" if look.classes.is_mnist else look.name(label)


def _neighbour(look: _Look, place: int, index: int, label: int, similarity: float) -> str:
    said = escape(f"Training image {index}, {look.classes.a_class(label)}, {similarity:.1%} alike")
    return (
        f'<div class="digit {"same" if label == look.answer else "other"}" role="listitem" aria-label="{said}" '
        f'title="{said}"><span class="picture" style="background-position: -{56 * place}px 0"></span>'
        f'<span class="label">{escape(look.classes.class_names[label])}</span>'
        f'<span class="alike">{similarity:.1%}</span></div>'
    )


def _show(html: str) -> None:
    st.html(f'<div class="closer">{html}</div>')


def _picture(image: np.ndarray, caption: str) -> str:
    return (
        f"<figure><figcaption>{caption}</figcaption>"
        f'<img alt="{caption}" src="{picture_sheet(image[np.newaxis], 1)}"></figure>'
    )


def _maps(maps: np.ndarray, name: str) -> str:
    """Return all maps of a layer as one picture, in grey, with their number and size above."""
    count, height, width = maps.shape
    caption = f"{name}: {count_text(count, 'map')} of {height} × {width}"
    return (
        f'<figure class="maps"><figcaption>{caption}</figcaption>'
        f'<img alt="{caption}" src="{maps_sheet(maps, columns_of(count), float(maps.max()))}"></figure>'
    )


def _render_pixels(look: _Look) -> None:
    pixel_grid(look.image, f"{look.key}_pixels")
    st.caption("0 is the paper, left empty here; 255 is the darkest ink. The network gets the values divided by 255.")


_VIEWS: dict[str, Callable[[_Look], None]] = {
    "Where it looked": _render_saliency,
    "Feature maps": _render_feature_maps,
    "Through the epochs": _render_epochs,
    "What if": _render_what_if,
    "Neighbours": _render_neighbours,
    "Pixel values": _render_pixels,
}
