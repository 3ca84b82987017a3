"""From strokes and pictures to 28 x 28 pixels, as MNIST's own digits were made."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_lib.dataset import Dataset
from mnist_lib.drawing import (
    DrawingError,
    canvas_to_ink,
    find_pictures,
    normalize_drawing,
    read_picture,
)

# Strokes as a person draws them: corners of lines on a field of 100 x 100.
STROKES = {
    "seven": [(20, 15), (80, 15), (45, 85)],
    "four": [(65, 90), (65, 10), (20, 60), (85, 60)],
    "two": [(22, 30), (35, 14), (60, 12), (75, 30), (65, 50), (22, 85), (80, 85)],
    "one": [(50, 10), (50, 90)],
}


def draw(corners: list[tuple[int, int]], scale: float, left: int, top: int, size: int = 280) -> np.ndarray:
    """Return a canvas, uint8 (size, size, 4), white strokes on black."""
    canvas = Image.new("RGBA", (size, size), "black")
    points = [(left + x * scale, top + y * scale) for x, y in corners]
    pen = max(1, round(8 * scale))
    brush = ImageDraw.Draw(canvas)
    brush.line(points, fill="white", width=pen, joint="curve")
    for x, y in points:
        brush.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill="white")
    return np.asarray(canvas)


def normalize(canvas: np.ndarray) -> np.ndarray:
    return normalize_drawing(canvas_to_ink(canvas)).image


def slow_centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    """Return the centre of mass (y, x), where pixel i covers i to i + 1."""
    mass = y = x = 0.0
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            ink = float(image[row, column])
            mass += ink
            y += ink * (row + 0.5)
            x += ink * (column + 0.5)
    return y / mass, x / mass


def test_canvas_to_ink_is_the_mean_of_the_colours() -> None:
    canvas = np.zeros((1, 4, 4), np.uint8)
    canvas[0, :, 3] = 255
    canvas[0, 1, :3] = 255
    canvas[0, 2, :3] = [255, 0, 0]
    canvas[0, 3, :3] = 51
    ink = canvas_to_ink(canvas)
    assert ink.dtype == np.float32
    np.testing.assert_allclose(ink, [[0, 1, 1 / 3, 0.2]], rtol=1e-6)


def test_ink_is_cropped_to_its_bounding_box() -> None:
    ink = np.zeros((50, 60), np.float32)
    ink[10, 20] = 1
    ink[30, 25] = 0.5
    ink[0, 0] = 0.05  # fainter than a tenth: paper
    cropped = normalize_drawing(ink).cropped
    assert cropped.shape == (21, 6)
    assert cropped[0, 0] == 1
    assert cropped[20, 5] == 0.5
    assert cropped.sum() == 1.5


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (80, 40, (20, 10)),
        (40, 80, (10, 20)),
        (200, 200, (20, 20)),
        (5, 5, (20, 20)),
        (200, 1, (20, 1)),
        (1, 200, (1, 20)),
        (30, 20, (20, 13)),
    ],
)
def test_proportions_are_kept_and_the_longer_side_becomes_20(
    height: int, width: int, expected: tuple[int, int]
) -> None:
    ink = np.zeros((250, 260), np.float32)
    ink[7 : 7 + height, 9 : 9 + width] = 1
    drawing = normalize_drawing(ink)
    assert drawing.scaled.shape == expected
    np.testing.assert_allclose(drawing.scaled, 1.0, atol=1e-6)
    rows, columns = np.nonzero(drawing.image)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == expected
    assert set(drawing.image[rows, columns].tolist()) == {255}


def test_stages_stay_between_paper_and_ink() -> None:
    # Bicubic scaling overshoots at sharp edges.
    drawing = normalize_drawing(canvas_to_ink(draw(STROKES["four"], 2.3, 20, 20)))
    assert drawing.cropped.dtype == drawing.scaled.dtype == np.float32
    assert drawing.image.dtype == np.uint8
    assert drawing.image.shape == (28, 28)
    assert 0 <= drawing.scaled.min() <= drawing.scaled.max() <= 1


@pytest.mark.parametrize("name", STROKES)
def test_centre_of_mass_lies_in_the_same_pixel_as_that_of_mnist(name: str) -> None:
    y, x = slow_centre_of_mass(normalize(draw(STROKES[name], 2.1, 30, 12)))
    assert 14 <= y <= 15
    assert 14 <= x <= 15


def test_centre_of_mass_of_mnist_itself_lies_in_pixel_14(dataset: Dataset) -> None:
    # The reference of the test above: MNIST was made so, whatever its description says.
    centres = [slow_centre_of_mass(image) for image in dataset.train_images[:50]]
    assert all(13.9 < centre < 15.1 for pair in centres for centre in pair)
    np.testing.assert_allclose(np.mean(centres, axis=0), [14.5, 14.5], atol=0.15)


def test_uneven_drawing_stays_whole() -> None:
    # A heavy end and a long thin tail: perfectly centred, the tail would not fit.
    ink = np.zeros((100, 100), np.float32)
    ink[80:100, 0:100] = 1
    ink[0:100, 0:3] = 1
    drawing = normalize_drawing(ink)
    assert drawing.image.sum() == np.round(drawing.scaled * 255).sum()
    rows, columns = np.nonzero(drawing.image)
    assert rows.min() == 0  # as far up as it goes
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == 20


@pytest.mark.parametrize("name", STROKES)
def test_place_on_the_canvas_does_not_matter(name: str) -> None:
    here = normalize(draw(STROKES[name], 1.5, 0, 0))
    there = normalize(draw(STROKES[name], 1.5, 123, 77))
    np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("name", STROKES)
def test_size_on_the_canvas_hardly_matters(name: str) -> None:
    large = normalize(draw(STROKES[name], 2.6, 5, 5)).astype(int)
    for scale in (1.0, 1.7):
        small = normalize(draw(STROKES[name], scale, 40, 60)).astype(int)
        # A centre of mass on the border of two pixels may be rounded to either.
        shifted = [np.roll(small, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        # Measured: at most 2.6; two different digits differ by about 30 or more.
        assert min(np.abs(large - image).mean() for image in shifted) < 5


@pytest.mark.parametrize(("resampling", "bound"), [("NEAREST", 4.0), ("BICUBIC", 9.0)])
def test_test_digits_enlarged_on_a_canvas_come_back(dataset: Dataset, resampling: str, bound: float) -> None:
    rng = np.random.default_rng(1)
    differences = []
    for image in dataset.test_images[:200]:
        side = 28 * int(rng.integers(4, 11))
        enlarged = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling[resampling]))
        rows, columns = np.nonzero(enlarged)
        enlarged = enlarged[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        canvas = np.zeros((280, 280, 4), np.uint8)
        top = int(rng.integers(0, 281 - enlarged.shape[0]))
        left = int(rng.integers(0, 281 - enlarged.shape[1]))
        canvas[top : top + enlarged.shape[0], left : left + enlarged.shape[1], :3] = enlarged[..., np.newaxis]
        canvas[..., 3] = 255
        differences.append(np.abs(normalize(canvas).astype(int) - image).mean())
    # Measured: 2.6 and 6.8. Placed half a pixel off, 15; another digit of the same kind, about 35.
    assert np.mean(differences) < bound


@pytest.mark.parametrize("ink", [np.zeros((280, 280), np.float32), np.full((280, 280), 0.1, np.float32)])
def test_no_ink_is_said(ink: np.ndarray) -> None:
    with pytest.raises(DrawingError, match=r"^There is no ink in it\.$"):
        normalize_drawing(ink)


# Pictures.


@pytest.fixture
def digit(dataset: Dataset) -> np.ndarray:
    """A seven, enlarged: uint8, (140, 140), dark (0) on light (255)."""
    picture = Image.fromarray(dataset.test_images[0]).resize((140, 140), Image.Resampling.BICUBIC)
    return 255 - np.asarray(picture)


def read_saved(picture: Image.Image, path: Path, **options: Any) -> np.ndarray:
    picture.save(path, **options)
    return read_picture(path)


def test_ink_is_the_difference_from_the_paper_at_the_border(tmp_path: Path) -> None:
    grey = np.full((5, 5), 255, np.uint8)
    grey[2, 1:4] = [0, 204, 102]
    ink = read_saved(Image.fromarray(grey), tmp_path / "a.png")
    assert ink.dtype == np.float32
    expected = np.zeros((5, 5))
    expected[2, 1:4] = [1.0, 0.2, 0.6]
    np.testing.assert_allclose(ink, expected, atol=1e-6)


def test_faint_ink_is_stretched_to_full(tmp_path: Path) -> None:
    grey = np.full((5, 5), 200, np.uint8)
    grey[2, 2:4] = [120, 160]
    ink = read_saved(Image.fromarray(grey), tmp_path / "a.png")
    np.testing.assert_allclose(ink[2, 1:4], [0, 1, 0.5], atol=1e-5)


def test_dark_on_light_reads_as_light_on_dark(digit: np.ndarray, tmp_path: Path) -> None:
    dark_on_light = read_saved(Image.fromarray(digit), tmp_path / "a.png")
    light_on_dark = read_saved(Image.fromarray(255 - digit), tmp_path / "b.png")
    np.testing.assert_allclose(dark_on_light, light_on_dark, atol=1e-6)
    np.testing.assert_allclose(dark_on_light, (255 - digit) / 255 / ((255 - digit).max() / 255), atol=1e-5)


def test_picture_of_a_test_digit_comes_back(dataset: Dataset, tmp_path: Path) -> None:
    image = dataset.test_images[4]
    ink = read_saved(Image.fromarray(image).resize((280, 280), Image.Resampling.NEAREST), tmp_path / "a.png")
    assert np.abs(normalize_drawing(ink).image.astype(int) - image).mean() < 4


def as_transparent(grey: np.ndarray) -> Image.Image:
    """Black ink whose opacity is the darkness, on nothing."""
    rgba = np.zeros((*grey.shape, 4), np.uint8)
    rgba[..., 3] = 255 - grey
    return Image.fromarray(rgba)


def as_palette(grey: np.ndarray) -> Image.Image:
    """Palette entry i is the grey 255 - i, so that the raw numbers read the wrong way round."""
    picture = Image.fromarray(255 - grey).convert("P")
    picture.putdata((255 - grey).ravel().tolist())
    picture.putpalette([255 - entry for entry in range(256) for _ in range(3)])
    return picture


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (as_transparent, "a.png"),
        (as_palette, "a.png"),
        (as_palette, "a.gif"),
        (lambda grey: Image.fromarray(grey.astype(np.uint16) * 257), "a.png"),  # 16 bits
        (lambda grey: Image.fromarray(grey.astype(np.uint16) * 257), "a.tiff"),
        (lambda grey: Image.fromarray(grey.astype(np.float32)), "a.tiff"),
        (lambda grey: Image.fromarray(grey).convert("LA"), "a.png"),
        (lambda grey: Image.fromarray(grey).convert("RGB"), "a.bmp"),
        (lambda grey: Image.fromarray(grey).convert("CMYK"), "a.tiff"),
    ],
)
def test_every_kind_of_picture_has_the_same_ink(
    make: Callable[[np.ndarray], Image.Image], name: str, digit: np.ndarray, tmp_path: Path
) -> None:
    plain = read_saved(Image.fromarray(digit), tmp_path / "plain.png")
    other = read_saved(make(digit), tmp_path / name)
    np.testing.assert_allclose(other, plain, atol=0.01)


def test_picture_of_one_bit_keeps_its_ink(digit: np.ndarray, tmp_path: Path) -> None:
    ink = read_saved(Image.fromarray(digit < 128).convert("1"), tmp_path / "a.png")
    np.testing.assert_array_equal(ink, (digit < 128).astype(np.float32))


@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.jpg", {"quality": 100, "subsampling": 0})])
def test_picture_turned_by_its_exif_is_turned_back(
    name: str, options: dict[str, object], digit: np.ndarray, tmp_path: Path
) -> None:
    orientation = 0x0112
    exif = Image.Exif()
    exif[orientation] = 6  # to be turned by 90 degrees clockwise
    lying = Image.fromarray(np.rot90(digit))  # by 90 degrees counterclockwise
    ink = read_saved(lying, tmp_path / name, exif=exif, **options)
    upright = read_saved(Image.fromarray(digit), tmp_path / "upright.png")
    np.testing.assert_allclose(ink, upright, atol=0.05)
    assert np.abs(read_saved(lying, tmp_path / "lying.png") - upright).max() > 0.5


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG of one bit a pixel, made by hand."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_png_made_by_hand_is_a_picture(tmp_path: Path) -> None:
    # 8 x 3 pixels, a filter byte before each row, one black pixel.
    rows = b"\0\xff" + b"\0\xef" + b"\0\xff"
    path = tmp_path / "a.png"
    path.write_bytes(png(8, 3, zlib.compress(rows)))
    expected = np.zeros((3, 8))
    expected[1, 3] = 1
    np.testing.assert_array_equal(read_picture(path), expected)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (5_000, 4_001), (20_000_001, 1)])
def test_huge_picture_is_refused_before_it_is_decoded(width: int, height: int, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    # Its pixels cannot be decoded: whoever tries says that it is no picture.
    path.write_bytes(png(width, height, b"broken"))
    with pytest.raises(DrawingError, match=r"pixels; at most 20 million are read\.$"):
        read_picture(path)


def test_sound_picture_of_20000_by_20000_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png(20_000, 20_000, zlib.compress(bytes(2_501 * 20_000), 1)))
    with pytest.raises(DrawingError, match="at most 20 million"):
        read_picture(path)


def test_picture_of_just_20_million_pixels_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png(5_000, 4_000, b"broken"))
    with pytest.raises(DrawingError, match="cannot be read as a picture"):
        read_picture(path)


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match=r"^There is no such file\.$"):
        read_picture(tmp_path / "missing.png")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"GIF89a", bytes(1000), b"\xff\xd8\xff\xe0" + bytes(100)],
)
def test_file_that_is_no_picture_is_said(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DrawingError, match=r"^It cannot be read as a picture\.$"):
        read_picture(path)


def test_folder_in_place_of_a_picture_is_said(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="cannot be read"):
        read_picture(tmp_path)


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.bmp", "a.tiff", "a.jpg", "a.dds"])
def test_damaged_picture_is_read_or_said_and_never_crashes(
    name: str, digit: np.ndarray, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / name
    Image.fromarray(digit[::5, ::5]).convert("RGB").save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for position in [*range(0, min(len(content), 150)), *rng.integers(0, len(content), 50).tolist()]:
        changed = bytearray(content)
        changed[position] ^= 0xFF
        path.write_bytes(changed)
        try:
            read_picture(path)
        except DrawingError:
            refused += 1
    assert refused
    assert [str(warning.message) for warning in recwarn] == []  # each would be two more lines on stderr


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_blank_picture_is_said(grey: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (100, 80), grey).save(path)
    with pytest.raises(DrawingError, match="It is empty: no ink stands out from the paper"):
        read_picture(path)


def test_noise_of_paper_is_no_ink(tmp_path: Path) -> None:
    noisy = np.random.default_rng(0).integers(240, 256, (100, 100)).astype(np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(noisy).save(path)
    with pytest.raises(DrawingError, match="It is empty"):
        read_picture(path)


# Which pictures.


def test_folder_stands_for_its_pictures_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt", "c.gif", "no_ending"):
        (tmp_path / name).touch()
    assert list(find_pictures([tmp_path])) == [tmp_path / "a.JPG", tmp_path / "b.png", tmp_path / "c.gif"]


def test_file_named_by_hand_is_taken_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    paths = [tmp_path / "notes.txt", tmp_path / "missing.png", tmp_path / ("a" * 300)]
    assert list(find_pictures(paths)) == paths


def test_folder_without_a_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DrawingError, match=f"^{tmp_path}: there is no picture in this folder"):
        list(find_pictures([tmp_path]))


@pytest.mark.parametrize("color", ["black", "white"])
def test_strokes_on_a_transparent_picture_are_seen_in_either_color(color: str, tmp_path: Path) -> None:
    strokes = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    strokes.paste(color, (20, 10, 30, 50))
    strokes.save(tmp_path / "strokes.png")
    ink = read_picture(tmp_path / "strokes.png")
    assert ink.sum() == ink[10:50, 20:30].sum() == 400
