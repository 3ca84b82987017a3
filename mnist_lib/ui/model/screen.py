"""The Model screen: one digit goes through the network, and what each layer does with it."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.drawing.normalization import DrawingError
from mnist_lib.escaping import plain_text
from mnist_lib.network.forward import Network, forward
from mnist_lib.network.layers import NOT_THE_PAPERS, count_parameters, layer_columns, layer_table
from mnist_lib.runs.paper import PARAMETERS
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import network_stamp, run_dataset, run_network
from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.components.network_view import LAYER_TITLES, network_calculation, network_picture
from mnist_lib.ui.messages import errors_as_messages, show_error
from mnist_lib.ui.model.filters import render_filters
from mnist_lib.ui.model.geometry import render_geometry
from mnist_lib.ui.model.image_choice import ask_for_image
from mnist_lib.ui.model.script import render_script
from mnist_lib.ui.model.words import render_words
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.shared.answer import DIVERGED
from mnist_lib.ui.shared.model_link import EPOCH_KEY
from mnist_lib.ui.shared.no_model import render_no_model

_PICTURE_KEY = "network_picture"

# The chosen layer, and how often it was chosen elsewhere than in the picture.
_STAGE_KEY = "stage"
_STAGE_NUMBER_KEY = "stage_number"
_FIRST_STAGE = "conv2d_1"
# What comes after the last layer: how the network learns. The picture shows the last layer then.
_TRAINING = "training"

# Of the calculation, and of the words beside it.
_LEAST_WIDTHS_PX = (380, 300)


class Shown(NamedTuple):
    """What goes through which network.

    Attributes:
        network: The network.
        epoch: After which epoch it is that, or None for the model.
        image: uint8, (28, 28), 0 to 255.
        title: What the image is, in words.
    """

    network: Network
    epoch: int | None
    image: np.ndarray
    title: str


@errors_as_messages()
def render_model_screen(run: Run, config: TrainingConfig) -> None:
    """Show the whole screen. As a fragment, only this runs after a click."""
    shown = None
    with errors_as_messages():
        shown = _choose(run)
        if shown is not None:
            _render_digit(run, config, shown)
    tabs = st.tabs(
        ["Table I", "Filters", "Geometry", "As code"], key="model_tab", on_change="rerun", bind="query-params"
    )
    for tab, render in zip(
        tabs,
        (
            lambda: _render_layer_table(config),
            lambda: _render_filters(run, shown),
            lambda: render_geometry(config, shown.image if shown else run_dataset(run).test_images[0]),
            lambda: render_script(run, config),
        ),
        strict=True,
    ):
        if tab.open:
            with tab, errors_as_messages():
                render()


def _choose(run: Run) -> Shown | None:
    """Ask for an image and an epoch; None, and the next step, if there is no network or no image."""
    if not run.has_model():
        render_no_model(run)
        return None
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    try:
        with controls:
            image, title = ask_for_image(run)
    except DrawingError as error:
        st.info(plain_text(str(error)), icon=":material/draw:")
        screen_link("draw", "Draw a digit" if run.dataset().is_mnist else "Draw")
        return None
    with controls:
        epoch = _ask_for_epoch(run)
    return Shown(run_network(run, epoch), epoch, image, title)


def _render_digit(run: Run, config: TrainingConfig, shown: Shown) -> None:
    """Show the network with a digit in it, the calculation of a place, and words about the layer."""
    network, epoch, image, title = shown
    activations = forward(network, image[np.newaxis])
    if not np.isfinite(activations.dense_2).all():
        show_error(DIVERGED)
        return
    stages = ["input", *(row.name for row in layer_table(config)), _TRAINING]
    stage = st.session_state.get(_STAGE_KEY)
    if stage not in stages:  # not chosen yet, or in another network
        stage = _FIRST_STAGE
    network_id = sha256(f"{run.path} {epoch} {network_stamp(run, epoch)}".encode()).hexdigest()
    network_picture(
        config,
        network,
        activations,
        image,
        title,
        network_id,
        run.dataset().class_names,
        stages[-2] if stage == _TRAINING else stage,
        st.session_state.get(_STAGE_NUMBER_KEY, 0),
        _PICTURE_KEY,
        on_stage=_take_stage,
    )
    calculation, words = wrapping_columns([3, 2], _LEAST_WIDTHS_PX, key="calculation_and_words", gap="large")
    with calculation:
        network_calculation(network, network_id, "network_calculation")
    with words:
        render_words(stage, config, run.dataset(), network, activations, image)
        _render_way_on(stages, stage)


def _take_stage() -> None:
    st.session_state[_STAGE_KEY] = st.session_state[_PICTURE_KEY]["stage"]


def _open_stage(stage: str) -> None:
    st.session_state[_STAGE_KEY] = stage
    st.session_state[_STAGE_NUMBER_KEY] = st.session_state.get(_STAGE_NUMBER_KEY, 0) + 1


def _render_way_on(stages: list[str], stage: str) -> None:
    """Show buttons to the layers before and after this one."""
    place = stages.index(stage)
    titles = {**LAYER_TITLES, _TRAINING: "How it learns"}
    with st.container(horizontal=True):
        for name, neighbour, icon in (
            ("back", place - 1, ":material/arrow_back:"),
            ("on", place + 1, ":material/arrow_forward:"),
        ):
            if 0 <= neighbour < len(stages):
                other = stages[neighbour]
                st.button(titles[other], icon=icon, key=f"stage_{name}", on_click=_open_stage, args=(other,))
            else:
                st.empty()  # see render_words


def _ask_for_epoch(run: Run) -> int | None:
    """Show the slider over the epochs whose weights the run kept, and return the epoch; None is the model."""
    epochs = run.epochs_with_weights()
    if st.session_state.get(EPOCH_KEY) not in epochs:  # of another run
        st.session_state.pop(EPOCH_KEY, None)
    if len(epochs) < 2:
        return None
    epoch = st.select_slider(
        "Network after epoch",
        epochs,
        value=epochs[-1],
        key=EPOCH_KEY,
        bind="query-params",
        persist_state="session",
        width=320,
    )
    return None if epoch == epochs[-1] else epoch


def _render_filters(run: Run, shown: Shown | None) -> None:
    if shown is None:
        st.info("There is no model to look into yet.", icon=":material/info:")
    else:
        render_filters(run, shown.epoch)


def _render_layer_table(config: TrainingConfig) -> None:
    """Show Table I. A click on a row opens its layer in the picture."""
    verdict = "exactly the paper's network" if config.has_paper_network else f"{NOT_THE_PAPERS} with its {PARAMETERS:,}"
    st.markdown(f"**{count_parameters(config):,} parameters**, {verdict}. A click on a row opens its layer.")
    columns = layer_columns(config)
    names = [row.name for row in layer_table(config)]
    # Another table after each click: one on a row that is still selected would tell nothing.
    key = f"layer_table_{st.session_state.get(_STAGE_NUMBER_KEY, 0)}"
    st.dataframe(
        columns,
        hide_index=True,
        on_select=lambda: _open_row(key, names),
        selection_mode="single-cell",
        key=key,
        height="content",
    )
    st.caption("Every filter and every unit has one bias, the number added at the end.")


def _open_row(key: str, names: list[str]) -> None:
    for row, _ in st.session_state[key]["selection"]["cells"]:
        if row < len(names):  # the last row is the total
            _open_stage(names[row])
