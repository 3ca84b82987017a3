"""The way of a drawing to the 28 x 28 pixels that the network sees, with its reading at each step."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from mnist_lib.drawing.normalization import NormalizedDrawing
from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.wording import percent_text

_STAGES = (
    ("What you gave", "If it were only shrunk"),
    ("The ink cut out", "If it filled the field"),
    ("Scaled into 20 × 20", "If it stood in the middle"),
    ("Centred by its mass", "As MNIST was made"),
)

_STYLE = """
<style>
.stages { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 1rem; }
.stages figure { margin: 0; min-width: 0; }
.stages .field { aspect-ratio: 1; background: #000; border-radius: .4rem; display: flex; align-items: center;
  justify-content: center; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.stages img { max-width: 100%; max-height: 100%; image-rendering: pixelated; }
.stages figcaption { font-size: .875rem; line-height: 1.4; margin-top: .4rem; }
.stages b { display: block; }
.stages .faint { opacity: .75; }
.stages .reading { font-weight: 600; }
.stages .other .reading { color: light-dark(#b91c1c, #f87171); }
.pixels { width: 100%; display: grid; grid-template-columns: repeat(28, 1fr); }
.pixels i { --v: 0; aspect-ratio: 1; background: rgb(var(--v) var(--v) var(--v)); position: relative; }
.pixels i:hover { outline: 1px solid #f97316; z-index: 1; }
.pixels i:hover::after { counter-reset: value var(--v); content: counter(value); position: absolute; bottom: 120%;
  left: 50%; transform: translateX(-50%); padding: .05rem .35rem; border-radius: .25rem; background: #f97316;
  color: #000; font: 600 .8rem/1.3 ui-monospace, monospace; pointer-events: none; }
@media (max-width: 640px) { .stages { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
</style>
"""


def draw_stages(ink: np.ndarray, drawing: NormalizedDrawing, readings: np.ndarray) -> None:
    """Draw the stages side by side; the last one tells its pixel values on hover.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        drawing: What became of it.
        readings: float32, (4, 10), the probabilities after each stage.
    """
    answer = int(readings[-1].argmax())
    pictures = [_picture(stage) for stage in (ink, drawing.cropped)]
    # At the size that it has within the 28 pixels of the last stage.
    pictures.append(_picture(drawing.scaled, f"width: {drawing.scaled.shape[1] / 28:.1%}"))
    pictures.append(_pixels(drawing.image))
    figures = [
        _figure(picture, *texts, reading, answer)
        for picture, texts, reading in zip(pictures, _STAGES, readings, strict=True)
    ]
    st.html(f'{_STYLE}<div class="stages">{"".join(figures)}</div>')


def _figure(picture: str, title: str, condition: str, reading: np.ndarray, answer: int) -> str:
    digit = int(reading.argmax())
    # Not by colour alone: the digit itself differs.
    return (
        f'<figure class="{"same" if digit == answer else "other"}"><div class="field">{picture}</div><figcaption>'
        f'<b>{title}</b><span class="faint">{condition}:</span> '
        f'<span class="reading">{digit}, {escape(percent_text(reading[digit], 0))} sure</span></figcaption></figure>'
    )


def _picture(ink: np.ndarray, size: str = "width: 100%; height: 100%; object-fit: contain") -> str:
    url = picture_sheet(np.round(ink * 255).astype(np.uint8)[np.newaxis], columns=1)
    return f'<img alt="" src="{url}" style="{size}">'


def _pixels(image: np.ndarray) -> str:
    cells = "".join(f'<i style="--v:{value}"></i>' if value else "<i></i>" for value in image.ravel().tolist())
    return f'<div class="pixels" role="img" aria-label="28 by 28 pixels">{cells}</div>'
