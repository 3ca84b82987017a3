"""Pen strokes in digits: measured in many images at once, and drawn.

Images are float32, (n, 28, 28), 0 (paper) to 1 (ink). Points are x to the right and y downwards,
in pixels counted from the centre of the first.
"""

from __future__ import annotations

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX

# Corners of a curved line: enough that it looks round in 28 pixels.
CURVE_CORNERS = 7

# MNIST's digits were fitted into this many pixels.
DIGIT_SIZE_PX = 20

_PLACES = np.arange(IMAGE_SIZE_PX, dtype=np.float32)
# Coordinates of the pixels: float32, (784, 2), x and y, row by row.
_PIXELS = np.stack(np.meshgrid(_PLACES, _PLACES), axis=-1).reshape(-1, 2)

_INK = 0.5


def curve(begins: np.ndarray, bends: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the corners of a quadratic Bézier curve per image, float32, (n, CURVE_CORNERS, 2).

    Args:
        begins: (n, 2).
        bends: (n, 2), the control points: the curves leave towards them, and arrive from them.
        ends: (n, 2).
    """
    t = np.linspace(0, 1, CURVE_CORNERS, dtype=np.float32)[:, np.newaxis]
    begins, bends, ends = begins[:, np.newaxis], bends[:, np.newaxis], ends[:, np.newaxis]
    return ((1 - t) ** 2 * begins + 2 * t * (1 - t) * bends + t**2 * ends).astype(np.float32)


def draw_lines(corners: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """Draw one line with several corners per image with a round pen.

    Args:
        corners: (n, corners, 2).
        half_widths: Of the pens in pixels, (n,).

    Returns:
        float32, (n, 28, 28), 0 to 1.
    """
    ink = np.zeros((len(corners), len(_PIXELS)), dtype=np.float32)
    for begin, end in zip(corners.swapaxes(0, 1)[:-1], corners.swapaxes(0, 1)[1:], strict=True):
        way = (end - begin)[:, np.newaxis]
        from_begin = _PIXELS - begin[:, np.newaxis]
        # The nearest point of the line, as a share of the way along it.
        share = np.clip((from_begin * way).sum(-1) / np.maximum((way * way).sum(-1), 1e-6), 0, 1)
        distance = np.linalg.norm(from_begin - share[..., np.newaxis] * way, axis=-1)
        # A pixel that the edge runs through is grey.
        ink = np.maximum(ink, np.clip(half_widths[:, np.newaxis] + 0.5 - distance, 0, 1))
    return ink.reshape(-1, IMAGE_SIZE_PX, IMAGE_SIZE_PX).astype(np.float32)


def half_stroke_widths(images: np.ndarray) -> np.ndarray:
    """Return half the width of each digit's stroke in pixels, float64, (n,): its area over its outline."""
    ink = np.pad(images > _INK, ((0, 0), (1, 1), (1, 1)))
    middle = ink[:, 1:-1, 1:-1]
    inside = middle & ink[:, :-2, 1:-1] & ink[:, 2:, 1:-1] & ink[:, 1:-1, :-2] & ink[:, 1:-1, 2:]
    area, inner_area = (np.count_nonzero(pixels, axis=(1, 2)) for pixels in (middle, inside))
    outline = area - inner_area
    return np.clip(area / np.maximum(outline, 1), 0.6, 2.2)


def stroke_ends(images: np.ndarray, top: bool) -> np.ndarray:
    """Return the highest or the lowest point with ink, float32, (n, 2), x and y."""
    has_ink = np.any(images > _INK, axis=2)
    rows = has_ink.argmax(axis=1) if top else IMAGE_SIZE_PX - 1 - has_ink[:, ::-1].argmax(axis=1)
    return points(ink_columns(images, rows), rows)


def ink_columns(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean column of the ink in one row of each image, float32, (n,)."""
    ink = images[np.arange(len(images)), rows]
    return (ink @ _PLACES) / np.maximum(ink.sum(axis=1), 1e-6)


def centres_of_mass(images: np.ndarray) -> np.ndarray:
    """Return the mean place of each image's ink, float32, (n, 2), x and y."""
    pixels = images.reshape(len(images), -1)
    return (pixels @ _PIXELS) / np.maximum(pixels.sum(axis=1, keepdims=True), 1e-6)


def points(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return points as an array, float32, (n, 2), from their coordinates, (n,) each."""
    return np.stack([x, y], axis=1).astype(np.float32)


def fit_into_the_middle(corners: np.ndarray, leans: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """Lean each drawing, and fit it into the middle 20 x 20 pixels, as MNIST's digits were.

    Args:
        corners: (n, corners, 2), of any size; y is 0 at the top of the drawing and 1 at its foot.
        leans: How far the top leans to the right, as a share of the height, (n,).
        half_widths: Of the pens in pixels, (n,).

    Returns:
        float32, (n, corners, 2).
    """
    leaning = corners.copy()
    leaning[..., 0] += leans[:, np.newaxis] * (1 - corners[..., 1])
    low, high = leaning.min(axis=1, keepdims=True), leaning.max(axis=1, keepdims=True)
    scale = (DIGIT_SIZE_PX - 2 * half_widths[:, np.newaxis, np.newaxis]) / (high - low).max(axis=2, keepdims=True)
    return ((leaning - (low + high) / 2) * scale + (IMAGE_SIZE_PX - 1) / 2).astype(np.float32)
