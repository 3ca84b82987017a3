"""Measure how well a run reads what people draw: real pen strokes on the Draw screen's canvas.

    python -m benchmarks.drawn_digits STROKES [--run RUN] [--writers FIRST LAST] [--limit N] [--json]

STROKES is a UNIPEN file of single digits, such as those of the UCI data set "Pen-Based
Recognition of Handwritten Digits" (E. Alpaydin, F. Alimoglu, CC BY 4.0), which is not
part of this project and which nothing is trained on. Each digit is drawn as the canvas
would draw it, 280 x 280 pixels, a round white pen on black, with pens of four widths and
in two sizes, up to 25 pixels off the centre, and read as the Draw screen reads it. The
places come from a fixed seed. Scribbles, dashes and dots are drawn as well: they are not
digits, and the network should not be sure about them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from mnist_lib.drawing.normalization import canvas_to_ink, normalize_drawing
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD, is_answered
from mnist_lib.evaluation.predictions import accuracy, confusion_matrix
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore

CANVAS_SIZE_PX = 280
PEN_WIDTHS_PX = (10, 16, 20, 26)
SIZES_PX = (120, 200)
LARGEST_OFFSET_PX = 25
SCRIBBLES_PER_KIND = 200
DASH_SIZES_PX = (5, 10, 25, 40)
BUNDLED_RUN = "pretrained-accurate"
SEED = 0

# Drawn this many times larger, then shrunk, because the canvas of a browser antialiases.
_SUPERSAMPLING = 2


class PenDigit(NamedTuple):
    """One digit as it was written.

    Attributes:
        digit: What the writer was asked to write, 0 to 9.
        strokes: float64, (n, 2) each, x and y of the pen, y downwards.
        writer: Their number, if the file says it.
    """

    digit: int
    strokes: list[np.ndarray]
    writer: int | None = None


def read_pen_digits(path: Path) -> list[PenDigit]:
    """Read the digits of a UNIPEN file. In a comment of each, the second number is taken for the writer.

    Raises:
        ValueError: It holds none.
    """
    digits: list[PenDigit] = []
    points: list[list[tuple[float, float]]] = []
    pen_is_down = False
    for line in path.read_text(encoding="latin-1").splitlines():
        if segment := re.match(r'\.SEGMENT\s+DIGIT\s.*"(\d)"', line):
            points = []
            digits.append(PenDigit(int(segment[1]), []))
            pen_is_down = False
        elif digits and (comment := re.match(r"\.COMMENT\s+\d+\s+(\d+)", line)):
            digits[-1] = digits[-1]._replace(writer=int(comment[1]))
        elif line.startswith(".PEN_DOWN"):
            pen_is_down = True
            points.append([])
        elif line.startswith("."):
            if pen_is_down and points[-1] and digits:
                digits[-1].strokes.append(np.array(points[-1], dtype=float))
            pen_is_down = False
        elif pen_is_down and (numbers := re.findall(r"-?\d+", line)):
            points[-1].append((float(numbers[0]), -float(numbers[1])))
    digits = [digit for digit in digits if digit.strokes]
    if not digits:
        raise ValueError(f"{path} holds no digits in UNIPEN's form.")
    return digits


def draw_on_canvas(strokes: list[np.ndarray], pen_width_px: int, size_px: int, offset_px: np.ndarray) -> np.ndarray:
    """Draw a digit as the canvas of the Draw screen does.

    Args:
        strokes: As in ``PenDigit``.
        pen_width_px: Of the round pen.
        size_px: Of the longer side of what the pen's middle covers.
        offset_px: (2,), x and y from the canvas's middle to the digit's.

    Returns:
        uint8, (280, 280, 4), red, green, blue and opacity.
    """
    corners = np.concatenate(strokes)
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = size_px / max((high - low).max(), 1.0)
    middle = CANVAS_SIZE_PX / 2 + offset_px
    side = CANVAS_SIZE_PX * _SUPERSAMPLING
    width = pen_width_px * _SUPERSAMPLING
    canvas = Image.new("L", (side, side))
    brush = ImageDraw.Draw(canvas)
    for stroke in strokes:
        points = ((stroke - (low + high) / 2) * scale + middle) * _SUPERSAMPLING
        brush.line([tuple(point) for point in points], fill=255, width=width, joint="curve")
        for x, y in points:
            brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    ink = np.asarray(canvas.reduce(_SUPERSAMPLING))
    return np.dstack([ink, ink, ink, np.full_like(ink, 255)])


def make_scribbles(count: int, random: np.random.Generator) -> dict[str, list[list[np.ndarray]]]:
    """Return strokes that are not digits, by kind: to be drawn like digits, the last kinds very small."""
    return {
        "curves": [[_curve(random) for _ in range(random.integers(1, 4))] for _ in range(count)],
        "zigzags": [[_zigzag(random)] for _ in range(count)],
        "lines": [[random.uniform(0, 1, (2, 2)) for _ in range(random.integers(3, 8))] for _ in range(count)],
        "hatched": [[_hatching(random)] for _ in range(count)],
        "dashes": [[random.uniform(0, 1, (2, 2))] for _ in range(count)],
        "dots": [[np.zeros((2, 2))] for _ in range(count)],
    }


def _curve(random: np.random.Generator) -> np.ndarray:
    corners = np.cumsum(random.normal(size=(random.integers(4, 12), 2)), axis=0)
    ways = np.linspace(0, len(corners) - 1, 12 * len(corners))
    begins = np.minimum(ways.astype(int), len(corners) - 2)
    shares = (ways - begins)[:, np.newaxis]
    shares = shares**2 * (3 - 2 * shares)  # rounds the corners
    return corners[begins] * (1 - shares) + corners[begins + 1] * shares


def _zigzag(random: np.random.Generator) -> np.ndarray:
    turns = np.arange(random.integers(6, 25))
    heights = turns % 2 * random.uniform(0.3, 1) + random.normal(0, 0.1, len(turns))
    angle = random.uniform(0, np.pi)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turns / turns[-1], heights]) @ turned


def _hatching(random: np.random.Generator) -> np.ndarray:
    angles, radii = random.uniform(0, 2 * np.pi, 60), np.sqrt(random.uniform(0, 1, 60))
    return np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])


def draw_scribbles(count: int) -> dict[str, np.ndarray]:
    """Draw scribbles of each kind and bring them to 28 x 28, uint8, (count, 28, 28)."""
    random = np.random.default_rng(SEED)
    images = {}
    for kind, scribbles in make_scribbles(count, random).items():
        sizes_px = DASH_SIZES_PX if kind == "dashes" else SIZES_PX
        images[kind] = np.stack(
            [
                read_canvas(
                    draw_on_canvas(
                        strokes,
                        int(random.choice(PEN_WIDTHS_PX)),
                        int(random.choice(sizes_px)),
                        random.uniform(-LARGEST_OFFSET_PX, LARGEST_OFFSET_PX, 2),
                    )
                )
                for strokes in scribbles
            ]
        )
    return images


def read_canvas(rgba: np.ndarray) -> np.ndarray:
    """Bring a canvas to what the network sees, as the Draw screen does, uint8, (28, 28)."""
    return normalize_drawing(canvas_to_ink(rgba)).image


class Cell(NamedTuple):
    """All digits with one pen in one size."""

    digits: list[PenDigit]
    pen_width_px: int
    size_px: int


def draw_cell(cell: Cell) -> np.ndarray:
    """Draw the digits of a cell and bring them to 28 x 28, uint8, (n, 28, 28)."""
    random = np.random.default_rng([SEED, cell.pen_width_px, cell.size_px])
    offsets_px = random.uniform(-LARGEST_OFFSET_PX, LARGEST_OFFSET_PX, (len(cell.digits), 2))
    return np.stack(
        [
            read_canvas(draw_on_canvas(digit.strokes, cell.pen_width_px, cell.size_px, offset_px))
            for digit, offset_px in zip(cell.digits, offsets_px, strict=True)
        ]
    )


def measure(digits: list[PenDigit], run: Run) -> dict[str, Any]:
    """Return the accuracy of a run on drawn digits, and how often it withholds its answer."""
    labels = np.array([digit.digit for digit in digits])
    cells = [Cell(digits, pen_width_px, size_px) for pen_width_px in PEN_WIDTHS_PX for size_px in SIZES_PX]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        images = list(pool.map(draw_cell, cells))
    scribbles = draw_scribbles(SCRIBBLES_PER_KIND)

    network = load_network(run)
    outputs = [predict_probabilities(network, part) for part in images]
    hits = [float((part.argmax(axis=1) == labels).mean()) for part in outputs]
    by_width = {
        width: float(np.mean([hit for hit, cell in zip(hits, cells, strict=True) if cell.pen_width_px == width]))
        for width in PEN_WIDTHS_PX
    }
    all_outputs, all_labels = np.concatenate(outputs), np.tile(labels, len(cells))
    answered = is_answered(all_outputs, np.concatenate(images))
    return {
        "run": run.run_id,
        "digits": len(digits),
        "accuracy": float(np.mean(hits)),
        "cells": [
            {"pen_width_px": cell.pen_width_px, "size_px": cell.size_px, "accuracy": hit}
            for cell, hit in zip(cells, hits, strict=True)
        ],
        "accuracy_by_width": by_width,
        "confusion_matrix": confusion_matrix(all_outputs, all_labels).tolist(),
        "answered": float(answered.mean()),
        "accuracy_of_answered": accuracy(all_outputs[answered], all_labels[answered]),
        "answered_scribbles": {
            kind: float(is_answered(predict_probabilities(network, part), part).mean())
            for kind, part in scribbles.items()
        },
    }


def print_table(result: dict[str, Any]) -> None:
    """Print the result for a person."""
    print(f"{result['run']}, {result['digits']:,} digits in {len(result['cells'])} ways each")
    print("pen width   " + "".join(f"{size:>8} px" for size in SIZES_PX) + "     both")
    for width in PEN_WIDTHS_PX:
        row = [cell["accuracy"] for cell in result["cells"] if cell["pen_width_px"] == width]
        print(f"{width:>6} px   " + "".join(f"{value:>11.2%}" for value in [*row, result["accuracy_by_width"][width]]))
    print(f"all         {result['accuracy']:.2%}\n")
    print("written (down) and read as (across)")
    print("    " + "".join(f"{digit:>7}" for digit in range(10)))
    for digit, row in enumerate(result["confusion_matrix"]):
        print(f"{digit:>4}" + "".join(f"{count or '.':>7}" for count in row))
    print(
        f"\nanswered from {USUAL_THRESHOLD:.0%} on: {result['answered']:.1%} of the digits, "
        f"{result['accuracy_of_answered']:.2%} of those correctly; of scribbles: "
        + ", ".join(f"{kind} {share:.0%}" for kind, share in result["answered_scribbles"].items())
    )


def find_run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Run:
    """Return the run that ``--run`` names in ``--runs-dir``, or end with one line."""
    store = RunStore(options.runs_dir.absolute()) if options.runs_dir else RunStore.default()
    run = store.find(options.run)
    if run is None:
        parser.error(f"there is no run {options.run!r}")
    return run


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, metavar="STROKES", help="a UNIPEN file of digits")
    parser.add_argument("--run", default=BUNDLED_RUN, help=f"a run's name (default: {BUNDLED_RUN})")
    parser.add_argument("--runs-dir", type=Path, help="folder of the runs; default MNIST_RUNS_DIR, else ./runs")
    parser.add_argument("--writers", type=int, nargs=2, metavar=("FIRST", "LAST"), help="only these writers' digits")
    parser.add_argument("--limit", type=int, help="use only this many digits, spread over the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    run = find_run(parser, options)
    if options.limit is not None and options.limit < 1:
        parser.error("--limit must be at least 1")
    try:
        digits = read_pen_digits(options.strokes)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.writers:
        first, last = options.writers
        digits = [digit for digit in digits if digit.writer is not None and first <= digit.writer <= last]
        if not digits:
            parser.error(f"none of the digits is by a writer from {first} to {last}")
    if options.limit and options.limit < len(digits):
        chosen = np.random.default_rng(SEED).choice(len(digits), options.limit, replace=False)
        digits = [digits[place] for place in sorted(chosen)]
    result = measure(digits, run)
    print(json.dumps(result)) if options.json else print_table(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
