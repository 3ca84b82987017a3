"""A gallery of digits: one sprite sheet, one real button a digit.

Two hundred images one by one are two hundred requests; one sheet is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from mnist_lib.picture_sheet import picture_sheet

SPRITE_COLUMNS = 20

_CSS = """
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.25rem, 1fr)); gap: .4rem;
  max-height: min(40rem, 65vh); overflow-y: auto; padding: 3px; }
.tile {
  font: inherit; font-size: .8rem; line-height: 1.25; color: var(--st-text-color);
  background: var(--st-secondary-background-color);
  border: 2px solid transparent; border-radius: .5rem; padding: .3rem .2rem; cursor: pointer;
  display: flex; flex-direction: column; align-items: center; gap: .25rem; min-width: 0;
}
.tile:hover { border-color: var(--st-border-color); }
.tile:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.tile[aria-pressed="true"] { border-color: var(--st-primary-color); }
.picture { width: 56px; height: 56px; border-radius: .25rem; image-rendering: pixelated; background-repeat: no-repeat; }
.title { font-weight: 600; white-space: nowrap; }
.note { opacity: .75; white-space: nowrap; }
"""

_JS = """
export default function ({ parentElement, data, setStateValue }) {
  let grid = parentElement.querySelector(".tiles");
  if (!grid) {
    grid = document.createElement("div");
    grid.className = "tiles";
    grid.setAttribute("role", "group");
    parentElement.appendChild(grid);
  }
  grid.setAttribute("aria-label", data.label);
  const signature = data.sprite + JSON.stringify(data.tiles);
  if (grid.signature !== signature) {
    grid.signature = signature;
    grid.replaceChildren(...data.tiles.map((tile, position) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "tile";
      button.dataset.id = tile.id;
      button.setAttribute("aria-label", tile.description);
      const picture = document.createElement("span");
      picture.className = "picture";
      const column = position % data.columns, row = Math.floor(position / data.columns);
      picture.style.backgroundImage = `url(${data.sprite})`;
      picture.style.backgroundSize = `${data.columns * 56}px auto`;
      picture.style.backgroundPosition = `-${column * 56}px -${row * 56}px`;
      button.append(picture);
      for (const part of ["title", "note"]) {
        if (!tile[part]) continue;
        const text = document.createElement("span");
        text.className = part;
        text.textContent = tile[part];
        button.append(text);
      }
      return button;
    }));
  }
  const mark = (id) => {
    for (const button of grid.children) button.setAttribute("aria-pressed", String(button.dataset.id === String(id)));
  };
  grid.onclick = (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    mark(button.dataset.id);
    setStateValue("selected", Number(button.dataset.id));
  };
  mark(data.selected);
}
"""

_component = component("digit_gallery", css=_CSS, js=_JS)


class Tile(NamedTuple):
    """One digit of a gallery.

    Attributes:
        id: What a click returns, for example the position in the test set.
        title: A short text below the picture.
        note: A second one, fainter.
        description: The same for those who hear it, in a sentence.
    """

    id: int
    title: str
    note: str
    description: str


def digit_gallery(label: str, images: np.ndarray, tiles: Sequence[Tile], key: str) -> int:
    """Draw a gallery and return the id of the chosen digit, the first until one is chosen.

    Args:
        label: What the gallery shows, for those who hear it.
        images: uint8, (n, 28, 28), 0 to 255, one a tile.
        tiles: Their texts, at least one.
        key: The widget's key.
    """
    ids = [tile.id for tile in tiles]
    chosen = st.session_state.get(key, {}).get("selected")
    selected = chosen if chosen in ids else ids[0]
    _component(
        key=key,
        data={
            "label": label,
            "sprite": sprite_sheet(images),
            "columns": SPRITE_COLUMNS,
            "tiles": [tile._asdict() for tile in tiles],
            "selected": selected,
        },
        on_selected_change=lambda: None,
    )
    return selected


def sprite_sheet(images: np.ndarray) -> str:
    """Return the images as one PNG in a data URL, ``SPRITE_COLUMNS`` side by side.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
    """
    return picture_sheet(images, SPRITE_COLUMNS)
