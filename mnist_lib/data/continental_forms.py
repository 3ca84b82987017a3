"""Writes ones, fours, sevens and nines as much of the world does.

MNIST was written in the United States: most of its ones are bare bars, few of its sevens
are crossed, its nines end in a straight tail, and both arms of an open four are about as
high. Elsewhere a one begins with a long upstroke, a seven has a bar through it, often drawn
without lifting the pen, a nine a hook like that of a g, and a four a long left arm and a
short stem. A network that has seen few of these reads such a one as a seven, such a seven
as a two, such a nine as a three and such a four as a six.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX
from mnist_lib.data.strokes import (
    CURVE_CORNERS,
    centres_of_mass,
    curve,
    draw_lines,
    fit_into_the_middle,
    half_stroke_widths,
    ink_columns,
    points,
    stroke_ends,
)

# Share of the bars that are drawn without lifting the pen, from the foot of the seven.
_UNLIFTED = 0.3

# Share of the nines that are drawn anew, and do not only get a tail.
_ANEW = 0.5


def write_continental_forms(
    images: np.ndarray, labels: np.ndarray, share: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Write a share of the ones, fours, sevens and nines in their continental forms.

    Ones get an upstroke, sevens a bar and nines a hooked tail. Fours and half of the nines are drawn anew.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
        labels: integer, (n,), 0 to 9.
        share: Share of each of those digits, 0 to 1.
        random: Random number generator.

    Returns:
        The images, uint8, (n, 28, 28), rewritten, and float32, (n, 2): how far that moved
        each centre of mass, x and y in pixels.
    """
    written = images.copy()
    offsets = np.zeros((len(images), 2), dtype=np.float32)
    chosen = random.random(len(images)) < share
    for digit, write in _FORMS.items():
        (places,) = np.nonzero(chosen & (labels == digit))
        if len(places):
            before = images[places] / np.float32(255)
            half_widths = half_stroke_widths(before) * random.uniform(0.8, 1.1, len(places))
            after = write(before, half_widths, random)
            written[places] = np.round(after * 255)
            offsets[places] = centres_of_mass(after) - centres_of_mass(before)
    return written, offsets


def _write_upstroke(ones: np.ndarray, half_widths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a line from the left up to the top of each one."""
    count = len(ones)
    tops, feet = stroke_ends(ones, top=True), stroke_ends(ones, top=False)
    downwards = points(*(feet - tops).T + np.array([[0], [1e-3]]))
    downwards /= np.linalg.norm(downwards, axis=1, keepdims=True)
    x, y = downwards.T
    # The angle at the top is sharp and the line rises clearly, or it would be a seven.
    leans = np.rad2deg(np.arctan2(-x, y))
    angles = np.deg2rad(np.clip(random.uniform(16, 68, count), 12, np.maximum(70 - leans, 12)))
    cosines, sines = np.cos(angles), np.sin(angles)
    back = points(x * cosines - y * sines, y * cosines + x * sines)
    begins = tops + back * random.uniform(4, 16, (count, 1))
    # Bent a little, upwards or downwards.
    bends = (tops + begins) / 2 + points(-back[:, 1], back[:, 0]) * random.uniform(-1.2, 1.2, (count, 1))
    return np.maximum(ones, draw_lines(curve(begins, bends, tops), half_widths))


def _write_bar(sevens: np.ndarray, half_widths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a line through the stem of each seven, some of them from its foot without lifting the pen."""
    count = len(sevens)
    tops, feet = stroke_ends(sevens, top=True), stroke_ends(sevens, top=False)
    heights = random.uniform(0.36, 0.8, count)
    rows = np.round(tops[:, 1] + heights * (feet[:, 1] - tops[:, 1])).astype(int)
    stems = points(ink_columns(sevens, rows), rows)
    slopes = np.tan(np.deg2rad(random.uniform(-20, 25, count)))
    left, right = random.uniform(2.5, 7.5, count), random.uniform(2.5, 8.5, count)
    begins = stems + points(-left, left * slopes)
    ends = stems + points(right, -right * slopes)
    unlifted = random.random((count, 1)) < _UNLIFTED
    corners = np.stack([np.where(unlifted, feet, begins), begins, ends], axis=1)
    return np.maximum(sevens, draw_lines(corners, half_widths))


def _write_hook(nines: np.ndarray, half_widths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a curved tail from the foot of each nine to the left, or some of them anew, like a g."""
    anew = random.random(len(nines)) < _ANEW
    written = np.empty_like(nines)
    written[~anew] = _add_tail(nines[~anew], half_widths[~anew], random)
    written[anew] = _draw_like_a_g(half_widths[anew], random)
    return written


def _add_tail(nines: np.ndarray, half_widths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    count = len(nines)
    feet = stroke_ends(nines, top=False)
    # Not far beyond the border, which cuts the tail off.
    lengths = np.minimum(random.uniform(3, 15, count), feet[:, 0] + 1)
    lifts = random.uniform(-0.1, 1, count) * np.minimum(lengths, 8)
    room = IMAGE_SIZE_PX - 1 - half_widths - feet[:, 1]
    dips = np.minimum(random.uniform(0, 5, count), np.maximum(2 * room, 0))
    bends = feet + points(-lengths * random.uniform(0.2, 0.7, count), dips)
    return np.maximum(nines, draw_lines(curve(feet, bends, feet + points(-lengths, -lifts)), half_widths))


def _draw_like_a_g(half_widths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a small loop, a stem down from its right side, and a tail that turns back under it."""
    count = len(half_widths)
    between = partial(random.uniform, size=count)

    # In shares of its height, from the top of the loop; leaning as a whole at the end.
    zeros = np.zeros(count)
    height, width = between(0.15, 0.55), between(0.12, 0.5)
    angles = np.linspace(0, -2 * np.pi, 2 * CURVE_CORNERS)[:, np.newaxis] + between(-0.9, 0)
    loops = np.stack([width / 2 * np.cos(angles), height / 2 * (1 + np.sin(angles))], axis=-1).swapaxes(0, 1)
    joints = points(width / 2, height / 2)
    feet = points(width / 2 - between(-0.1, 0.25), between(0.85, 1))
    stems = curve(joints, (joints + feet) / 2 + points(between(-0.02, 0.35), zeros), feet)
    ends = feet - points(between(0.1, 0.6), between(-0.05, 0.3))
    tails = curve(feet, (feet + ends) / 2 + points(between(-0.1, 0.1), between(0, 0.3)), ends)
    corners = np.concatenate([loops, stems, tails], axis=1)
    return draw_lines(fit_into_the_middle(corners, between(-0.1, 0.35), half_widths), half_widths)


def _write_open_four(fours: np.ndarray, half_widths: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a four anew: a long arm down to the left and on to the right, and a short stem through that."""
    count = len(fours)
    between = partial(random.uniform, size=count)

    # In shares of its height, from the top of the arm; leaning as a whole at the end.
    zeros = np.zeros(count)
    elbow_y = between(0.5, 0.88)
    bar_end_x = between(0.2, 0.8)
    bar_end_y = elbow_y + between(-0.25, 0.1)
    stem_x = bar_end_x * between(0.55, 1)
    stem_top_y = elbow_y - between(0.05, 0.5)
    elbows = points(zeros, elbow_y)
    arm_tops = points(between(0.05, 0.5), zeros)
    arm_bends = (arm_tops + elbows) / 2 + points(between(-0.1, 0.1), zeros)
    stem_tops = points(stem_x + between(-0.05, 0.08), stem_top_y)
    stem_feet = points(stem_x + between(-0.12, 0.05), np.ones(count))
    arms = curve(arm_tops, arm_bends, elbows)
    bars = np.stack([elbows, points(bar_end_x, bar_end_y)], axis=1)
    stems = np.stack([stem_tops, stem_feet], axis=1)
    corners = fit_into_the_middle(np.concatenate([arms, bars, stems], axis=1), between(-0.1, 0.35), half_widths)
    return np.maximum(draw_lines(corners[:, :-2], half_widths), draw_lines(corners[:, -2:], half_widths))


_FORMS = {1: _write_upstroke, 4: _write_open_four, 7: _write_bar, 9: _write_hook}
