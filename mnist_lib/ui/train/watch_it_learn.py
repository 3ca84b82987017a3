"""Shows how twenty test digits are read, and the first layer's filters: within an epoch, or after one."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.explain.inspection import first_layer_filters
from mnist_lib.figures.filters import filters_picture
from mnist_lib.figures.learning_curves import sample_errors_figure
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import LiveNetwork
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.runs.sample_errors import SAMPLE_SIZE
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import live_network, mnist, sample_errors
from mnist_lib.ui.components.gallery import sprite_sheet
from mnist_lib.ui.components.live_figure import DrawnFigure, draw_figure, live_figure
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.shared.watched_digits import WATCHED_DIGITS
from mnist_lib.wording import a_digit, percent_text


def render_live_digits(run: Run, snapshot: RunSnapshot) -> None:
    """Show how the newest network of a training reads the twenty digits, its filters, and its errors on a sample.

    Args:
        run: A run that is being trained.
        snapshot: The same run as it is now.
    """
    config, live = snapshot.config, live_network(run)
    if config is None:
        return
    errors = sample_errors(run).update(run, snapshot, live, mnist())
    if live is None:
        line, tiles = "The untrained network will read these twenty test digits first.", _unread_tiles()
        filters = _filters_html(np.zeros((config.filters_1,) + 2 * (config.kernel_size,), dtype=np.float32))
    else:
        line, tiles, filters = _read_live_digits(run, live, live.step, config)
    st.markdown(line)
    st.html(tiles)
    left, right = st.columns(2, gap="medium")
    with left:
        st.html(filters)
        st.caption(f"The {config.filters_1} filters of the first layer: orange looks for ink, blue for none.")
    with right:
        live_figure(_draw_sample_errors(run, errors, config), key="sample_errors")
        newest = f": {list(errors.values())[-1]:,} now" if errors else ""
        st.caption(f"Misread of a sample of {SAMPLE_SIZE:,} test images{newest}.")


# All who watch a training see the same: these are made once for each of its networks.
@st.cache_data(max_entries=4, show_spinner=False)
def _read_live_digits(run: Run, _live: LiveNetwork, step: int, _config: TrainingConfig) -> tuple[str, str, str]:
    """Return how many digits are right, and the digits and the filters as HTML."""
    probabilities = predict_probabilities(_live.network, mnist().test_images[list(WATCHED_DIGITS)])
    line, tiles = _read_tiles(probabilities, _moment_text(_live, _config))
    return line, tiles, _filters_html(_live.network.convolution_1.kernel[:, :, 0, :].transpose(2, 0, 1))


@st.cache_resource(max_entries=4, show_spinner=False)
def _draw_sample_errors(run: Run, errors: dict[int, int], _config: TrainingConfig) -> DrawnFigure:
    return draw_figure(sample_errors_figure(errors, _config))


def render_watched_digits(run: Run, snapshot: RunSnapshot) -> None:
    """Show how the network read the twenty digits, and its filters, after an epoch that the person chooses.

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
        line, tiles = _read_tiles(run.probabilities(epoch)[list(WATCHED_DIGITS)], f"after epoch {epoch}")
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
            f"The {count} filters of the first layer, each {side} × {side} weights that slide over the image. "
            f"Where a filter is orange (up to +{largest:.2f}) it looks for ink, where it is blue (down to "
            f"−{largest:.2f}) for none; grey has no effect. Orange beside blue finds an edge."
        )


def _moment_text(live: LiveNetwork, config: TrainingConfig) -> str:
    if not live.step:
        return "without any training"
    epoch, step = divmod(live.step, config.steps_per_epoch)
    return f"in epoch {epoch + 1}, step {step:,} of {config.steps_per_epoch:,}" if step else f"after epoch {epoch}"


def _read_tiles(probabilities: np.ndarray, moment: str) -> tuple[str, str]:
    """Return how many of the twenty digits are read correctly, and as HTML how each of them is read.

    Args:
        probabilities: floating, (20, 10), 0 to 1.
        moment: When the network reads them so.
    """
    labels = mnist().test_labels[list(WATCHED_DIGITS)]
    right = int((probabilities.argmax(axis=1) == labels).sum())
    tiles = [
        _answered_tile(position, index, int(label), row)
        for position, (index, label, row) in enumerate(zip(WATCHED_DIGITS, labels, probabilities, strict=True))
    ]
    return f"**{right} of 20** test digits read correctly {moment}.", _tiles_html(tiles)


def _unread_tiles() -> str:
    labels = mnist().test_labels[list(WATCHED_DIGITS)]
    return _tiles_html([_tile(position, f"{label} → ?", "", "", "") for position, label in enumerate(labels)])


def _tiles_html(tiles: list[str]) -> str:
    sheet = sprite_sheet(mnist().test_images[list(WATCHED_DIGITS)])
    return (
        style("train/watch_it_learn.css") + f'<div class="watched" style="--sheet: url({sheet})">'
        f'<div class="kind">The first of each digit</div><div class="digits" role="list">{"".join(tiles[:10])}</div>'
        f'<div class="kind">A hard one of each</div><div class="digits" role="list">{"".join(tiles[10:])}</div></div>'
    )


def _answered_tile(position: int, index: int, label: int, probabilities: np.ndarray) -> str:
    answer = int(probabilities.argmax())
    right = answer == label
    sure = percent_text(probabilities[answer])
    description = f"Test image {index}, {a_digit(label)}, read {'correctly' if right else f'as {answer}'}, {sure} sure"
    sign = f' <span class="sign">{"✓" if right else "✗"}</span>'
    return _tile(position, f"{label} → {answer}{sign}", sure, "right" if right else "wrong", description)


def _tile(position: int, answer: str, sure: str, verdict: str, description: str) -> str:
    """Return one digit as HTML: its picture from the sprite sheet and the text below it."""
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
