"""Shows how some test images are read, and the first layer's filters: within an epoch, or after one."""

from __future__ import annotations

from html import escape
from itertools import islice

import numpy as np
import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.inspection import first_layer_filters
from mnist_lib.figures.filters import filters_picture
from mnist_lib.figures.learning_curves import sample_errors_figure
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import LiveNetwork
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.runs.sample_errors import sample_of
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import live_network, run_dataset, sample_errors
from mnist_lib.ui.components.gallery import sprite_sheet
from mnist_lib.ui.components.live_figure import DrawnFigure, draw_figure, live_figure
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.shared.watched_digits import watched_images, watched_rows
from mnist_lib.wording import count_text, percent_text


@errors_as_messages()
def render_live_digits(run: Run, snapshot: RunSnapshot) -> None:
    """Show how the newest network of a training reads the watched images, its filters, and its errors on a sample.

    Args:
        run: A run that is being trained.
        snapshot: The same run as it is now.
    """
    config, live = snapshot.config, live_network(run)
    if config is None:
        return
    dataset = run_dataset(run)
    errors = sample_errors(run).update(run, snapshot, live, dataset)
    if live is None:
        line, tiles = f"The untrained network will read these test {dataset.description.noun}s first.", _unread(dataset)
        filters = _filters_html(np.zeros((config.filters_1,) + 2 * (config.kernel_size,), dtype=np.float32))
    else:
        line, tiles, filters = _read_live_digits(run, live, live.step, config)
    st.markdown(line)
    st.html(tiles)
    left, right = st.columns(2, gap="medium")
    with left:
        st.html(filters)
        st.caption(f"{count_text(config.filters_1, 'filter')} of the first layer: orange looks for ink, blue for none.")
    with right:
        live_figure(_draw_sample_errors(run, errors, config), key="sample_errors")
        newest = f": {list(errors.values())[-1]:,} now" if errors else ""
        size = len(dataset.test_labels[sample_of(len(dataset.test_labels))])
        st.caption(f"Misread of a sample of {size:,} test images{newest}.")


# All who watch a training see the same: these are made once for each of its networks.
@st.cache_data(max_entries=4, show_spinner=False)
def _read_live_digits(run: Run, _live: LiveNetwork, step: int, _config: TrainingConfig) -> tuple[str, str, str]:
    """Return how many images are read correctly, and the images and the filters as HTML."""
    dataset = run_dataset(run)
    probabilities = predict_probabilities(_live.network, dataset.test_images[watched_images(dataset)])
    line, tiles = _read(dataset, probabilities, _moment_text(_live, _config))
    return line, tiles, _filters_html(_live.network.convolution_1.kernel[:, :, 0, :].transpose(2, 0, 1))


@st.cache_resource(max_entries=4, show_spinner=False)
def _draw_sample_errors(run: Run, errors: dict[int, int], _config: TrainingConfig) -> DrawnFigure:
    return draw_figure(sample_errors_figure(errors, _config))


def render_watched_digits(run: Run, snapshot: RunSnapshot) -> None:
    """Show how the network read the watched images, and its filters, after an epoch that the person chooses.

    Args:
        run: A run that is not being trained, and that finished an epoch.
        snapshot: The same run as it is now.
    """
    assert snapshot.last_epoch
    st.markdown("**Watch it learn**")
    epoch = snapshot.last_epoch.epoch
    if epoch > 1:
        epoch = st.slider("Network after epoch", 1, epoch, epoch, key=f"watched_epoch_{run.run_id}", width=300)
    with errors_as_messages():
        dataset = run_dataset(run)
        line, tiles = _read(dataset, run.probabilities(epoch)[watched_images(dataset)], f"after epoch {epoch}")
        st.markdown(line)
        st.html(tiles)
    with errors_as_messages():
        filters = first_layer_filters(run, epoch)
        picture, text = st.columns(2, vertical_alignment="center")
        with picture:
            st.html(_filters_html(filters))
        count, side, _ = filters.shape
        largest = float(np.abs(filters).max())
        text.caption(
            f"{count_text(count, 'filter')} of the first layer, each {side} × {side} weights that slide over the "
            f"image. Where a filter is orange (up to +{largest:.2f}) it looks for ink, where it is blue (down to "
            f"−{largest:.2f}) for none; grey has no effect. Orange beside blue finds an edge."
        )


def _moment_text(live: LiveNetwork, config: TrainingConfig) -> str:
    if not live.step:
        return "without any training"
    epoch, step = divmod(live.step, config.steps_per_epoch)
    return f"in epoch {epoch + 1}, step {step:,} of {config.steps_per_epoch:,}" if step else f"after epoch {epoch}"


def _read(dataset: Dataset, probabilities: np.ndarray, moment: str) -> tuple[str, str]:
    """Return how many of the watched images are read correctly, and as HTML how each of them is read.

    Args:
        dataset: The data set of the run.
        probabilities: floating, (n, classes), 0 to 1.
        moment: When the network reads them so.
    """
    watched = watched_images(dataset)
    right = int((probabilities.argmax(axis=1) == dataset.test_labels[watched]).sum())
    tiles = [_answered_tile(dataset, *each) for each in zip(range(len(watched)), watched, probabilities, strict=True)]
    line = f"**{right} of {len(watched)}** test {dataset.description.noun}s read correctly {moment}."
    return line, _tiles_html(dataset, tiles)


def _unread(dataset: Dataset) -> str:
    names, arrow = dataset.description.class_names, dataset.description.arrow
    labels = dataset.test_labels[watched_images(dataset)]
    tiles = [_tile(position, f"{escape(names[label])}{arrow}?", "", "", "") for position, label in enumerate(labels)]
    return _tiles_html(dataset, tiles)


def _tiles_html(dataset: Dataset, tiles: list[str]) -> str:
    sheet = sprite_sheet(dataset.test_images[watched_images(dataset)])
    parts, rest = [], iter(tiles)
    for title, row in watched_rows(dataset).items():
        parts.append(
            f'<div class="kind">{title}</div><div class="digits" role="list">{"".join(islice(rest, len(row)))}</div>'
        )
    return (
        style("train/watch_it_learn.css") + f'<div class="watched" style="--sheet: url({sheet})">{"".join(parts)}</div>'
    )


def _answered_tile(dataset: Dataset, position: int, index: int, probabilities: np.ndarray) -> str:
    classes, label, answer = dataset.description, int(dataset.test_labels[index]), int(probabilities.argmax())
    right, sure = answer == label, percent_text(probabilities[answer])
    read = "correctly" if right else f"as {classes.class_names[answer]}"
    description = f"Test image {index}, {classes.a_class(label)}, read {read}, {sure} sure"
    sign = f'<span class="sign">{"✓" if right else "✗"}</span>'
    # Where names take a line each, a right answer need not repeat its own.
    read_as = (
        f"{classes.class_names[label]}\n" if right and classes.has_long_names else f"{classes.read_as(label, answer)} "
    )
    text = f"{escape(read_as)}{sign}"
    return _tile(position, text, sure, "right" if right else "wrong", description)


def _tile(position: int, answer: str, sure: str, verdict: str, description: str) -> str:
    """Return one image as HTML: its picture from the sprite sheet and the text below it."""
    said = escape(description)
    return (
        f'<div class="digit {verdict}" role="listitem" aria-label="{said}" title="{said}">'
        f'<span class="picture" style="background-position: -{42 * position}px 0"></span>'
        f'<span class="answer">{answer}</span><span class="sure">{escape(sure) or "&nbsp;"}</span></div>'
    )


def _filters_html(filters: np.ndarray) -> str:
    """Return the filters of the first layer, float32, (n, side, side), as one picture."""
    image = f'<img class="filters" alt="The filters of the first layer" src="{filters_picture(filters)}">'
    return style("train/watch_it_learn.css") + image
