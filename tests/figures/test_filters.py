"""Filters as pictures."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from mnist_lib.figures.filters import color_weights, filters_picture


def test_filters_picture_is_orange_above_zero_blue_below_and_grey_at_it() -> None:
    url = filters_picture(np.array([[[0.5]], [[-0.5]], [[0.0]]], dtype=np.float32))
    picture = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
    assert picture.size == (60, 20)
    assert [picture.getpixel((x, 5)) for x in (5, 25, 45)] == [
        (234, 88, 12, 255),
        (29, 78, 216, 255),
        (226, 226, 230, 255),
    ]
    assert picture.getpixel((15, 5)) == (0, 0, 0, 0)  # between them


def test_strongest_of_all_weights_has_the_full_colour() -> None:
    colors = color_weights(np.array([[[1.0]], [[-2.0]]], dtype=np.float32))
    assert colors.dtype == np.uint8
    assert colors[1, 0, 0].tolist() == [29, 78, 216, 255]
    assert colors[0, 0, 0].tolist() == [230, 157, 121, 255]  # half of it
    assert color_weights(np.zeros((1, 2, 2), np.float32))[0, 1, 1].tolist() == [226, 226, 230, 255]
