"""Many pictures in one, each where it belongs."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from mnist_lib.data.dataset import Dataset
from mnist_lib.figures.picture_sheet import columns_of, maps_sheet, picture_sheet


def read_sheet(url: str) -> np.ndarray:
    kind, _, data = url.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_grey_pictures_stand_row_by_row_with_black_between_and_after_them(dataset: Dataset) -> None:
    images = dataset.test_images[:5]
    sheet = read_sheet(picture_sheet(images, 3, gap_px=2))
    assert sheet.shape == (60, 90)
    rest = sheet.copy()
    for number, image in enumerate(images):
        top, left = 30 * (number // 3), 30 * (number % 3)
        np.testing.assert_array_equal(sheet[top : top + 28, left : left + 28], image)
        rest[top : top + 28, left : left + 28] = 0
    assert not rest.any()


def test_fewer_pictures_than_columns_leave_the_row_unfilled(dataset: Dataset) -> None:
    sheet = read_sheet(picture_sheet(dataset.test_images[:1], 20))
    assert sheet.shape == (28, 560)


def test_colours_and_opacity_are_kept() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4), np.uint8)
    sheet = read_sheet(picture_sheet(pictures, 2, gap_px=1))
    assert sheet.shape == (4, 10, 4)
    np.testing.assert_array_equal(sheet[:3, 5:9], pictures[1])
    assert not sheet[:, 4].any()  # see-through


def test_maps_are_grey_from_dark_to_white_and_each_value_is_a_square() -> None:
    maps = np.array([[[0.0, 1.0]], [[4.0, 0.0]]], dtype=np.float32)
    sheet = read_sheet(maps_sheet(maps, 2, strongest=4.0, scale=2))
    assert sheet.shape == (3, 10, 4)
    # 45 is nothing, 255 the strongest, and a quarter of it, by its root, in the middle.
    assert sheet[0, :, 0].tolist() == [45, 45, 150, 150, 0, 255, 255, 45, 45, 0]
    assert sheet[0, :, 3].tolist() == [255, 255, 255, 255, 0, 255, 255, 255, 255, 0]
    assert not read_sheet(maps_sheet(np.zeros((1, 2, 2), np.float32), 1, strongest=0.0))[:2, :2, 0].max() > 45


@pytest.mark.parametrize(("count", "columns"), [(5, 5), (32, 8), (64, 8), (65, 16), (256, 16)])
def test_few_stand_large_and_many_stand_close(count: int, columns: int) -> None:
    assert columns_of(count) == columns
