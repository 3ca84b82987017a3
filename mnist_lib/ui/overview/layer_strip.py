"""A digit on its way through the layers, in small."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.figures.picture_sheet import maps_sheet, picture_sheet
from mnist_lib.network.forward import Activations
from mnist_lib.ui.assets import style
from mnist_lib.wording import count_text, percent_text

MAPS_SHOWN, MAPS_PER_ROW = 8, 4
UNITS_SHOWN, UNITS_PER_ROW = 64, 8
_UNIT_PX = 6


def render_layer_strip(image: np.ndarray, activations: Activations, classes: DatasetDescription) -> None:
    """Show the image, the first maps of each layer, the dense units and the answer, from left to right.

    Args:
        image: uint8, (28, 28), 0 to 255.
        activations: What ``forward`` returned for this one image.
        classes: The data set that the network knows.
    """
    probabilities = activations.dense_2[0]
    answer = classes.class_names[int(probabilities.argmax())]
    steps = [
        _figure(f"{image.shape[0]} × {image.shape[1]} pixels", picture_sheet(image[np.newaxis], 1)),
        _maps("Convolution", activations.conv2d_1[0]),
        _maps("Pooling", activations.max_pooling2d[0]),
        _maps("Convolution", activations.conv2d_2[0]),
        _units(activations.dense_1[0]),
        f"<figure><figcaption>{escape(percent_text(probabilities.max()))} sure</figcaption>"
        f'<div class="answer{" named" * (len(answer) > 2)}">{escape(answer)}</div></figure>',
    ]
    arrow = '<span class="arrow" aria-hidden="true">→</span>'
    opening = '<div class="strip" role="group" aria-label="From pixels to the answer" tabindex="0">'
    st.html(style("overview/layer_strip.css") + f"{opening}{arrow.join(steps)}</div>")


def _maps(name: str, output: np.ndarray) -> str:
    height, width, count = output.shape
    shown = output.transpose(2, 0, 1)[:MAPS_SHOWN]
    sheet = maps_sheet(shown, MAPS_PER_ROW, float(output.max()))
    return _figure(f"{name}: {count} of {height} × {width}", sheet)


def _units(output: np.ndarray) -> str:
    shown = output[:UNITS_SHOWN, np.newaxis, np.newaxis]
    sheet = maps_sheet(shown, UNITS_PER_ROW, float(output.max()), scale=_UNIT_PX)
    return _figure(count_text(len(output), "unit"), sheet)


def _figure(caption: str, picture: str) -> str:
    return f'<figure><figcaption>{caption}</figcaption><img alt="{caption}" src="{picture}"></figure>'
