"""The steps from a drawing to the 28 x 28 pixels that the network sees, with its answer at each step."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.drawing.normalization import NormalizedDrawing
from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.ui.assets import style
from mnist_lib.wording import percent_text

_STAGES = (
    ("Your digit", "If it were only made smaller"),
    ("Cut to the ink", "If it filled the picture"),
    ("Scaled to 20 × 20", "If it were put in the middle"),
    ("Centred by its ink", "As in MNIST"),
)


def render_stages(
    ink: np.ndarray, drawing: NormalizedDrawing, readings: np.ndarray, classes: DatasetDescription
) -> None:
    """Show the stages side by side; the last one shows its pixel values on hover.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        drawing: The same, as ``normalize_drawing`` returns it.
        readings: float32, (4, classes), the probabilities after each stage.
        classes: The data set that the network knows.
    """
    answer = int(readings[-1].argmax())
    pictures = [_picture(stage) for stage in (ink, drawing.cropped)]
    # At the size that it has in the last stage.
    pictures.append(_picture(drawing.scaled, f"width: {drawing.scaled.shape[1] / len(drawing.image):.1%}"))
    pictures.append(_pixels(drawing.image))
    figures = [
        _figure(picture, *texts, reading, answer, classes)
        for picture, texts, reading in zip(pictures, _STAGES, readings, strict=True)
    ]
    st.html(style("draw/stages.css") + f'<div class="stages">{"".join(figures)}</div>')


def render_whole(ink: np.ndarray, image: np.ndarray) -> None:
    """Show a drawing and the same made smaller, with its pixel values on hover.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        image: uint8, (28, 28), 0 to 255: what the network sees.
    """
    figures = [
        f'<figure><div class="field">{picture}</div><figcaption><b>{title}</b></figcaption></figure>'
        for title, picture in (("Your drawing", _picture(ink)), ("Made smaller, as a whole", _pixels(image)))
    ]
    st.html(style("draw/stages.css") + f'<div class="stages">{"".join(figures)}</div>')


def _figure(
    picture: str, title: str, condition: str, reading: np.ndarray, answer: int, classes: DatasetDescription
) -> str:
    label = int(reading.argmax())
    said = escape(f"{classes.class_names[label]}, {percent_text(reading[label], 0)} sure")
    # Not by colour alone: the digit itself differs.
    return (
        f'<figure class="{"same" if label == answer else "other"}"><div class="field">{picture}</div><figcaption>'
        f'<b>{title}</b><span class="faint">{condition}:</span> '
        f'<span class="reading">{said}</span></figcaption></figure>'
    )


def _picture(ink: np.ndarray, size: str = "width: 100%; height: 100%; object-fit: contain") -> str:
    url = picture_sheet(np.round(ink * 255).astype(np.uint8)[np.newaxis], columns=1)
    return f'<img alt="" src="{url}" style="{size}">'


def _pixels(image: np.ndarray) -> str:
    cells = "".join(f'<i style="--v:{value}"></i>' if value else "<i></i>" for value in image.ravel().tolist())
    side = len(image)
    return f'<div class="pixels" style="--side:{side}" role="img" aria-label="{side} by {side} pixels">{cells}</div>'
