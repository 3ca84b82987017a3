"""Shows how twenty test digits are read after an epoch, and the first layer's filters."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from mnist_lib.explain.inspection import first_layer_filters
from mnist_lib.figures.filters import filters_picture
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import mnist
from mnist_lib.ui.components.gallery import sprite_sheet
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.shared.watched_digits import WATCHED_DIGITS
from mnist_lib.wording import a_digit, percent_text


def render_watch_it_learn(run: Run, snapshot: RunSnapshot, live: bool) -> None:
    """Show how the network reads the twenty digits, and its filters, after an epoch.

    During a training it is the newest epoch; otherwise the person chooses one.

    Args:
        run: The run.
        snapshot: The same run as it is now.
        live: Whether it is being trained now.
    """
    st.markdown("**Watch it learn**")
    epoch = snapshot.last_epoch.epoch if snapshot.last_epoch else None
    if epoch and epoch > 1 and not live:
        epoch = st.slider("After epoch", 1, epoch, epoch, key=f"watched_epoch_{run.run_id}", width=300)
    with errors_as_messages():
        _render_digits(run, epoch)
    with errors_as_messages():
        _render_filters(run, snapshot, epoch)


def _render_digits(run: Run, epoch: int | None) -> None:
    indices = np.array(WATCHED_DIGITS)
    images, labels = mnist().test_images[indices], mnist().test_labels[indices]
    if epoch is None:
        tiles = [_tile(position, f"{label} → ?", "", "", "") for position, label in enumerate(labels)]
        line = "These twenty test digits are read again after each epoch. The first answers appear after the first "
        line += "epoch."
    else:
        probabilities = run.probabilities(epoch)[indices]
        answers = probabilities.argmax(axis=1)
        tiles = [
            _answered_tile(position, int(indices[position]), int(labels[position]), row)
            for position, row in enumerate(probabilities)
        ]
        line = f"{(answers == labels).sum()} of these 20 test digits are read correctly after epoch {epoch}. Below "
        line += "each: the true digit → what the network reads, and how sure it is."
    st.caption(line)
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


def _render_filters(run: Run, snapshot: RunSnapshot, epoch: int | None) -> None:
    if epoch is not None:
        filters = first_layer_filters(run, epoch)
    elif snapshot.config is not None:  # grey until then, so that nothing moves when they appear
        filters = np.zeros((snapshot.config.filters_1,) + 2 * (snapshot.config.kernel_size,), dtype=np.float32)
    else:
        return
    count, side, _ = filters.shape
    picture, text = st.columns(2, vertical_alignment="center")
    image = f'<img class="filters" alt="The filters of the first layer" src="{filters_picture(filters)}">'
    picture.html(style("train/watch_it_learn.css") + image)
    line = f"The {count} filters of the first layer, each {side} × {side} weights that slide over the image. "
    if epoch is None:
        line += "They appear after the first epoch."
    else:
        largest = float(np.abs(filters).max())
        line += (
            f"Where a filter is orange (up to +{largest:.2f}) it looks for ink, where it is blue (down to "
            f"−{largest:.2f}) for none; grey has no effect. Orange beside blue finds an edge."
        )
    text.caption(line)
