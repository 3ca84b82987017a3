"""Writes ones, sevens and nines as much of the world does.

MNIST was written in the United States: most of its ones are bare bars, few of its sevens
are crossed, and its nines end in a straight tail. Elsewhere a one begins with a long
upstroke, a seven has a bar through it and a nine a hook like that of a g. A network that
has seen few of these reads such a one as a seven and such a nine as a three.
"""

from __future__ import annotations

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX

_PLACES = np.arange(IMAGE_SIZE_PX, dtype=np.float32)
# Coordinates of the pixels: float32, (784, 2), x and y, row by row.
_PIXELS = np.stack(np.meshgrid(_PLACES, _PLACES), axis=-1).reshape(-1, 2)

_INK = 0.5


def write_continental_forms(
    images: np.ndarray, labels: np.ndarray, share: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Add an upstroke to a share of the ones, a bar to the sevens and a hooked tail to the nines.

    Args:
        images: float32, (n, 28, 28), 0 to 1.
        labels: integer, (n,), 0 to 9.
        share: Share of each of those digits, 0 to 1.
        random: Random number generator.

    Returns:
        The images, float32, (n, 28, 28), with the strokes added, and float32, (n, 2): how
        far that moved each centre of mass, x and y in pixels.
    """
    written = images.copy()
    offsets = np.zeros((len(images), 2), dtype=np.float32)
    chosen = random.random(len(images)) < share
    for digit, make_stroke in _STROKES.items():
        (places,) = np.nonzero(chosen & (labels == digit))
        if len(places):
            before = images[places]
            half_widths = _half_stroke_widths(before) * random.uniform(0.8, 1.1, len(places))
            after = np.maximum(before, _draw(make_stroke(before, random), half_widths))
            written[places] = after
            offsets[places] = _centres_of_mass(after) - _centres_of_mass(before)
    return written, offsets


def _upstroke(ones: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the corners of a line from the left up to the top of each one, (n, 2, 2)."""
    tops = _ends(ones, top=True)
    lengths = random.uniform(4, 15, len(ones))
    angles = np.deg2rad(random.uniform(25, 74, len(ones)))  # a flatter one looks like a seven
    return np.stack([tops, tops + _columns(-lengths * np.cos(angles), lengths * np.sin(angles))], axis=1)


def _bar(sevens: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the corners of a line through the stem of each seven, (n, 2, 2)."""
    tops, feet = _ends(sevens, top=True), _ends(sevens, top=False)
    heights = random.uniform(0.36, 0.7, len(sevens))
    rows = np.round(tops[:, 1] + heights * (feet[:, 1] - tops[:, 1])).astype(int)
    stems = _columns(_ink_columns(sevens, rows), rows)
    slopes = np.tan(np.deg2rad(random.uniform(-20, 20, len(sevens))))
    left, right = random.uniform(2.5, 7.5, (2, len(sevens)))
    return np.stack([stems + _columns(-left, left * slopes), stems + _columns(right, -right * slopes)], axis=1)


def _hook(nines: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the corners of a tail from the foot of each nine to the left, (n, 3, 2)."""
    feet = _ends(nines, top=False)
    lengths = random.uniform(3, 15, len(nines))
    lifts = random.uniform(-0.5, 5.5, len(nines))
    dips = random.uniform(0, 1.5, len(nines))
    return np.stack([feet, feet + _columns(-lengths / 2, dips), feet + _columns(-lengths, -lifts)], axis=1)


_STROKES = {1: _upstroke, 7: _bar, 9: _hook}


def _draw(corners: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """Draw one line with several corners per image with a round pen, float32, (n, 28, 28), 0 to 1."""
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


def _half_stroke_widths(images: np.ndarray) -> np.ndarray:
    """Return half the width of each digit's stroke in pixels, float64, (n,): its area over its outline."""
    ink = np.pad(images > _INK, ((0, 0), (1, 1), (1, 1)))
    middle = ink[:, 1:-1, 1:-1]
    inside = middle & ink[:, :-2, 1:-1] & ink[:, 2:, 1:-1] & ink[:, 1:-1, :-2] & ink[:, 1:-1, 2:]
    area, inner_area = (np.count_nonzero(pixels, axis=(1, 2)) for pixels in (middle, inside))
    outline = area - inner_area
    return np.clip(area / np.maximum(outline, 1), 0.6, 2.2)


def _ends(images: np.ndarray, top: bool) -> np.ndarray:
    """Return the highest or the lowest point with ink, float32, (n, 2), x and y."""
    has_ink = np.any(images > _INK, axis=2)
    rows = has_ink.argmax(axis=1) if top else IMAGE_SIZE_PX - 1 - has_ink[:, ::-1].argmax(axis=1)
    return _columns(_ink_columns(images, rows), rows)


def _ink_columns(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean column of the ink in one row of each image, float32, (n,)."""
    ink = images[np.arange(len(images)), rows]
    return (ink @ _PLACES) / np.maximum(ink.sum(axis=1), 1e-6)


def _centres_of_mass(images: np.ndarray) -> np.ndarray:
    pixels = images.reshape(len(images), -1)
    return (pixels @ _PIXELS) / np.maximum(pixels.sum(axis=1, keepdims=True), 1e-6)


def _columns(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([x, y], axis=1).astype(np.float32)
