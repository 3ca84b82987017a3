"""Untrusted files: read like others, and refused if they take too much time or memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.limited_process import LimitError, call_in_limited_process
from mnist_lib.drawing.normalization import DrawingError
from mnist_lib.drawing.picture_files import read_picture
from tests.support.screens import forget_screens

# A small picture takes hundredths of this, and what takes too much takes more than the two seconds of the screen.
LONGEST_S = 0.5


@pytest.fixture
def picture(dataset: Dataset) -> Image.Image:
    """A seven, 28 x 28 pixels, light on dark."""
    return Image.fromarray(dataset.test_images[0])


def read_strange_picture(content: bytes) -> np.ndarray:
    return call_in_limited_process(read_picture, content, LONGEST_S)


def saved(picture: Image.Image, kind: str, **options: bool) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_kind_of_picture_has_the_ink_that_it_has_anywhere(kind: str, picture: Image.Image) -> None:
    content = saved(picture.resize((280, 280)), kind)
    np.testing.assert_array_equal(read_strange_picture(content), read_picture(io.BytesIO(content)))


def test_what_is_wrong_with_a_picture_is_said_as_anywhere() -> None:
    with pytest.raises(DrawingError, match=r"^It cannot be read as a picture\.$"):
        read_strange_picture(b"not a picture")
    with pytest.raises(DrawingError, match=r"^It is empty: no ink stands out from the paper\.$"):
        read_strange_picture(saved(Image.new("L", (28, 28)), "PNG"))


def jpeg_of_many_scans(picture: Image.Image) -> bytes:
    """Return 0.5 MB: a progressive JPEG of 20 megapixels whose last scan comes 8,000 times more."""
    content = saved(Image.new("L", (5_000, 4_000)), "JPEG", progressive=True)
    last_scan = content.rindex(b"\xff\xda")
    table = content.rindex(b"\xff\xc4", 0, last_scan)
    return content[:-2] + content[table:-2] * 8_000 + content[-2:]


def png_of_many_profiles(picture: Image.Image) -> bytes:
    """Return 39 MB: a PNG with 40,000 colour profiles, each of which unpacks to a megabyte."""
    content = b"iCCP" + b"profile\0\0" + zlib.compress(bytes(1_000_000))
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    png = saved(picture, "PNG")
    return png[:33] + chunk * 39_000 + png[33:]


def gif_of_many_comments(picture: Image.Image) -> bytes:
    """Return 39 MB: a GIF with 7.8 million comments of one letter."""
    gif = saved(picture, "GIF")
    pixels = 13 + 3 * (2 << (gif[10] & 7))  # after the palette
    return gif[:pixels] + b"!\xfe\x01a\0" * 7_800_000 + gif[pixels:]


def tiff_of_many_strips(picture: Image.Image) -> bytes:
    """Return 38 MB: a TIFF with 19 million strips, all of them the same byte."""
    strips = 19_000_000
    fields = [
        (256, 4, 1, 1),  # width
        (257, 4, 1, 20_000),  # height
        (258, 3, 1, 8),  # bits a pixel
        (259, 3, 1, 1),  # no compression
        (262, 3, 1, 1),  # black is 0
        (273, 3, strips, 8),  # where the strips are: listed from byte 8 on
        (277, 3, 1, 1),  # channels
        (278, 4, 1, 1),  # rows a strip
        (279, 4, 1, 1),  # bytes a strip
    ]
    listed = struct.pack("<H", 8) * strips
    directory = struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", *field) for field in fields) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(listed)) + listed + directory


@pytest.mark.parametrize("make", [jpeg_of_many_scans, png_of_many_profiles, gif_of_many_comments, tiff_of_many_strips])
def test_picture_that_takes_too_much_is_given_up(make: Callable[[Image.Image], bytes], picture: Image.Image) -> None:
    with pytest.raises((LimitError, DrawingError), match=r"^It takes too long or too much memory to read"):
        read_strange_picture(make(picture))


def picture_room() -> None:
    """The part of the Draw screen that is tested."""
    import streamlit as st

    from mnist_lib.ui.draw.drawing_input import ask_for_digit

    given = ask_for_digit("picture")
    st.text("nothing" if given is None else str(given.ink.shape))


def test_uploaded_picture_that_takes_too_much_leaves_the_one_before(
    picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_screens()
    app = AppTest.from_function(picture_room, default_timeout=60)
    app.session_state["drawing_way"] = "picture"
    app.run()
    monkeypatch.setattr("mnist_lib.ui.draw.drawing_input.LONGEST_READING_S", LONGEST_S)
    app.file_uploader[0].set_value(("seven.png", saved(picture, "PNG"), "image/png")).run()
    assert app.text[0].value == "(28, 28)"
    app.file_uploader[0].set_value(("many.jpg", jpeg_of_many_scans(picture), "image/jpeg")).run()
    assert "too long" in app.error[0].value
    assert app.text[0].value == "(28, 28)"
    app.file_uploader[0].set_value(("seven.png", saved(picture.resize((56, 56)), "PNG"), "image/png")).run()
    assert not app.error
    assert app.text[0].value == "(56, 56)"


def test_no_file_of_the_project_or_of_the_folder_is_taken_for_a_picture(tmp_path: Path) -> None:
    # What is read is the content that was given, never a path that it names.
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    with pytest.raises(DrawingError, match=r"^It cannot be read as a picture\.$"):
        read_strange_picture(str(tmp_path / "a.png").encode())
