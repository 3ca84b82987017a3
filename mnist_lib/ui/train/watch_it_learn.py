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
from mnist_lib.ui.components.live_figure import live_figure
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
    if live is None:
        _render_digits(None, "The untrained network will read these twenty test digits first.")
        filters = np.zeros((config.filters_1,) + 2 * (config.kernel_size,), dtype=np.float32)
    else:
        _render_digits(_read_live_digits(run, live, live.step), _moment_text(live, config))
        filters = live.network.convolution_1.kernel[:, :, 0, :].transpose(2, 0, 1)
    left, right = st.columns(2, gap="medium")
    with left:
        _render_filters(filters)
        st.caption(f"The {len(filters)} filters of the first layer: orange looks for ink, blue for none.")
    with right:
        errors = sample_errors(run).update(run, snapshot, live, mnist())
        live_figure(sample_errors_figure(errors, config), key="sample_errors")
        newest = f": {list(errors.values())[-1]:,} now" if errors else ""
        st.caption(f"Misread of a sample of {SAMPLE_SIZE:,} test images{newest}.")


@st.cache_data(max_entries=2, show_spinner=False)
def _read_live_digits(run: Run, _live: LiveNetwork, step: int) -> np.ndarray:
    return predict_probabilities(_live.network, mnist().test_images[list(WATCHED_DIGITS)])


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
        _render_digits(run.probabilities(epoch)[list(WATCHED_DIGITS)], f"after epoch {epoch}")
    with errors_as_messages():
        filters = first_layer_filters(run, epoch)
        picture, text = st.columns(2, vertical_alignment="center")
        with picture:
            _render_filters(filters)
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


def _render_digits(probabilities: np.ndarray | None, moment: str) -> None:
    """Show the twenty digits, and below each how it is read.

    Args:
        probabilities: floating, (20, 10), 0 to 1, or None as long as nothing is known.
        moment: When the network reads them so, or what is awaited.
    """
    indices = np.array(WATCHED_DIGITS)
    images, labels = mnist().test_images[indices], mnist().test_labels[indices]
    if probabilities is None:
        tiles = [_tile(position, f"{label} → ?", "", "", "") for position, label in enumerate(labels)]
        line = moment
    else:
        right = int((probabilities.argmax(axis=1) == labels).sum())
        tiles = [
            _answered_tile(position, int(indices[position]), int(labels[position]), row)
            for position, row in enumerate(probabilities)
        ]
        line = f"**{right} of 20** test digits read correctly {moment}."
    st.markdown(line)
    st.html(
        style("train/watch_it_learn.css") + f'<div class="watched" style="--sheet: url({sprite_sheet(images)})">'
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


def _render_filters(filters: np.ndarray) -> None:
    """Show the filters of the first layer, float32, (n, side, side), as one picture."""
    image = f'<img class="filters" alt="The filters of the first layer" src="{filters_picture(filters)}">'
    st.html(style("train/watch_it_learn.css") + image)
