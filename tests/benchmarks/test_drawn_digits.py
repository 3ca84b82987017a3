"""The benchmark of drawn digits: its file of strokes, its canvas, its command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drawn_digits import PEN_WIDTHS_PX, draw_on_canvas, draw_scribbles, read_pen_digits
from tests.support.processes import Python

SEVEN_AND_ONE = """.INCLUDE dene.doc
.LEXICON "0" "1"
.HIERARCHY DIGIT

.SEGMENT DIGIT 0 ? "7"
.COMMENT 7 1 2
.PEN_DOWN
 10 100
 90 100
 40 0
.PEN_UP
.DT 100
.PEN_DOWN
 30 50
 80 50
.PEN_UP
.SEGMENT DIGIT 1 ? "1"
.PEN_DOWN
 -5 90
 -5 10
.PEN_UP
"""


@pytest.fixture
def strokes_path(tmp_path: Path) -> Path:
    path = tmp_path / "strokes.tra"
    path.write_text(SEVEN_AND_ONE)
    return path


def test_strokes_are_read_with_y_downwards(strokes_path: Path) -> None:
    seven, one = read_pen_digits(strokes_path)
    assert (seven.digit, one.digit) == (7, 1)
    assert (seven.writer, one.writer) == (1, None)  # the one has no comment
    assert [stroke.tolist() for stroke in seven.strokes] == [
        [[10, -100], [90, -100], [40, 0]],
        [[30, -50], [80, -50]],
    ]
    assert [stroke.tolist() for stroke in one.strokes] == [[[-5, -90], [-5, -10]]]


def test_a_file_without_digits_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none.tra"
    path.write_text("hello")
    with pytest.raises(ValueError, match="holds no digits"):
        read_pen_digits(path)


@pytest.mark.parametrize("pen_width_px", PEN_WIDTHS_PX)
@pytest.mark.parametrize("size_px", [120, 200])
def test_canvas_has_the_size_the_pen_and_the_place_asked_for(
    pen_width_px: int, size_px: int, strokes_path: Path
) -> None:
    one = read_pen_digits(strokes_path)[1]
    canvas = draw_on_canvas(one.strokes, pen_width_px, size_px, np.array([25.0, -10.0]))
    assert canvas.shape == (280, 280, 4)
    assert (canvas[..., 3] == 255).all()
    rows, columns = np.nonzero(canvas[..., 0] > 127)
    assert np.ptp(rows) + 1 == pytest.approx(size_px + pen_width_px, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(pen_width_px, abs=2)
    assert rows.mean() == pytest.approx(140 - 10, abs=1)
    assert columns.mean() == pytest.approx(140 + 25, abs=1)


def test_scribbles_are_the_same_every_time_and_never_empty() -> None:
    once, again = draw_scribbles(3), draw_scribbles(3)
    assert set(once) == {"curves", "zigzags", "lines", "hatched", "dashes", "dots"}
    for kind, images in once.items():
        np.testing.assert_array_equal(images, again[kind])
        assert (images.max(axis=(1, 2)) > 200).all()


def test_command_measures_every_width_and_size(strokes_path: Path, python: Python) -> None:
    code, stdout, stderr = python.run(
        "-m", "benchmarks.drawn_digits", str(strokes_path), "--run", "pretrained-paper", "--json"
    )
    assert code == 0, stderr
    result = json.loads(stdout)
    assert result["digits"] == 2
    assert len(result["cells"]) == 8
    matrix = np.array(result["confusion_matrix"])
    assert matrix.sum() == 16
    assert matrix.sum(axis=1).tolist() == [0, 8, 0, 0, 0, 0, 0, 8, 0, 0]
    assert result["accuracy"] == pytest.approx(np.trace(matrix) / 16)
    assert np.mean([cell["accuracy"] for cell in result["cells"]]) == pytest.approx(result["accuracy"])


def test_command_measures_some_writers_alone(strokes_path: Path, python: Python) -> None:
    code, stdout, stderr = python.run(
        "-m", "benchmarks.drawn_digits", str(strokes_path), "--run", "pretrained-paper", "--writers", "1", "1", "--json"
    )
    assert code == 0, stderr
    assert json.loads(stdout)["digits"] == 1


def test_command_says_in_a_line_what_is_wrong(tmp_path: Path, strokes_path: Path, python: Python) -> None:
    missing = str(tmp_path / "missing.tra")
    for arguments in ([missing], [missing, "--run", "nobody"], [str(strokes_path), "--writers", "2", "3"]):
        code, _, stderr = python.run("-m", "benchmarks.drawn_digits", *arguments)
        assert code == 2
        assert "Traceback" not in stderr
