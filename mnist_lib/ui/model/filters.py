"""The filters of both convolutions, epoch by epoch, and what each of them looks for."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import IMAGE_SIZE_PX, Dataset
from mnist_lib.explain.patches import Patches
from mnist_lib.figures.filters import color_weights, filters_picture
from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.network.forward import Network
from mnist_lib.runs.run import Run
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import run_dataset, run_network, strongest_patches
from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.wording import count_text

_LAYERS = ("First", "Second")

# Smaller than a digit: a filter has few pixels, and there are many.
_PICTURE_PX = 36


@st.fragment
def render_filters(run: Run, epoch: int | None = None) -> None:
    """Show the filters of a convolution, and for the chosen one the patches that it answers to most.

    Args:
        run: A run that has a model.
        epoch: The epoch to begin with, one of ``run.epochs_with_weights()``. None for the model.
    """
    controls = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    layer = controls.segmented_control("Convolution", _LAYERS, default=_LAYERS[0], required=True, key="filters_layer")
    epochs = run.epochs_with_weights()
    if len(epochs) > 1:
        # A new one when the run or the screen's epoch changes, so that it begins there.
        key = f"filters_epoch_{run.run_id}_{epoch}"
        start = epoch if epoch in epochs else epochs[-1]
        epoch = controls.select_slider("Filters after epoch", epochs, start, key=key, width=300)
    with errors_as_messages():
        network = run_network(run, epoch)
        second = layer == _LAYERS[1]
        gallery, details = wrapping_columns([1, 1], [300, 330], key="filters_columns", gap="medium")
        with gallery:
            chosen = _choose_filter(network, second)
        with details:
            st.html(style("model/filters.css"))
            _render_weights(network, second, chosen)
            closer = st.expander(
                "What does this filter look for?", icon=":material/search:", on_change="rerun", key="filters_patches"
            )
            if closer.open:
                with closer:
                    _render_patches(run_dataset(run), strongest_patches(run, epoch)[second], chosen)


def _choose_filter(network: Network, second: bool) -> int:
    """Show all filters of a convolution as buttons, and return the chosen one's number."""
    kernels = (network.convolution_2 if second else network.convolution_1).kernel
    _, _, channels, filters = kernels.shape
    # Of a filter's many kernels, the one with the largest weights stands for all.
    strongest = np.square(kernels).sum(axis=(0, 1)).argmax(axis=0)
    shown = kernels[:, :, strongest, np.arange(filters)].transpose(2, 0, 1)
    tiles = [Tile(number, "", "", f"Filter {number}") for number in range(filters)]
    # One gallery a layer: each keeps what was chosen in it.
    key = f"filters_gallery_{_LAYERS[second].lower()}"
    label = f"Filters of the {_name(second)}"
    chosen = digit_gallery(label, color_weights(shown), tiles, key, picture_px=_PICTURE_PX)
    line = f"{count_text(filters, 'filter')}. Orange weights look for ink, blue ones for empty paper."
    if second:
        line = f"{count_text(filters, 'filter')} of {count_text(channels, 'kernel')} each, of which the strongest is "
        line += "shown. Orange weights look for what a map of the first convolution shows, blue ones for its absence."
    st.caption(line)
    return chosen


def _render_weights(network: Network, second: bool, chosen: int) -> None:
    kernels, bias = network.convolution_2 if second else network.convolution_1
    pictures = kernels[..., chosen].transpose(2, 0, 1)
    largest = np.abs(pictures).max()
    side, count = pictures.shape[1], len(pictures)
    st.markdown(f"**Filter {chosen}** of the {_name(second)}")
    source = filters_picture(pictures) if count > 1 else picture_sheet(color_weights(pictures), 1)
    kind = "kernels" if count > 1 else "kernels single"
    st.html(f'<img class="{kind}" alt="The weights of filter {chosen}" src="{source}">')
    line = f"{side} × {side} weights, the largest ±{largest:.2f}; bias {bias[chosen]:+.2f}."
    if count > 1:
        strongest = int(np.square(pictures).sum(axis=(1, 2)).argmax())
        line = f"A kernel for each map of the first convolution, from 0 to {count - 1}; the one for map {strongest} is "
        line += f"the strongest. The largest weight is ±{largest:.2f}, the bias {bias[chosen]:+.2f}."
    st.caption(line.replace("-", "−"))


def _render_patches(dataset: Dataset, patches: Patches, chosen: int) -> None:
    tested = f"{len(dataset.test_images):,} test {dataset.description.noun}s"
    answered = np.flatnonzero(patches.activations[chosen])
    if not len(answered):
        st.info(f"It answers to none of the {tested}: its map is 0 everywhere.", icon=":material/info:")
        return
    tiles = [
        _patch(dataset, int(image), corner, patches.side_px, activation)
        for image, corner, activation in zip(
            patches.images[chosen, answered],
            patches.corners[chosen, answered].tolist(),
            patches.activations[chosen, answered].tolist(),
            strict=True,
        )
    ]
    st.html(f'<div class="patches" role="list">{"".join(tiles)}</div>')
    st.caption(
        f"The {len(tiles)} of the {tested} to which it answers most, the strongest first: the "
        f"{patches.side_px} × {patches.side_px} pixels that it saw, and where they are. Below is the value in its map."
    )


def _patch(dataset: Dataset, image: int, corner: list[int], side_px: int, activation: float) -> str:
    """Return one patch as HTML, beside the whole image in which it is framed."""
    pixels, name = dataset.test_images[image], dataset.description.a_class(int(dataset.test_labels[image]))
    top, left = corner
    patch = pixels[top : top + side_px, left : left + side_px]
    place = {"left": left, "top": top, "width": side_px, "height": side_px}
    frame = ";".join(f"{name}:{value / IMAGE_SIZE_PX:.3%}" for name, value in place.items())
    said = f"{escape(name[0].upper() + name[1:])}, test image {image}: {activation:.2f} at row {top}, column {left}"
    return (
        f'<div class="patch" role="listitem" aria-label="{said}" title="{said}">'
        f'<img alt="" src="{picture_sheet(patch[np.newaxis], 1)}">'
        f'<span class="whole"><img alt="" src="{picture_sheet(pixels[np.newaxis], 1)}">'
        f'<span class="frame" style="{frame}"></span></span>'
        f'<b>{activation:.2f}</b><span class="faint">{escape(name)}</span></div>'
    )


def _name(second: bool) -> str:
    return f"{_LAYERS[second].lower()} convolution"
