"""A gallery of digits: one sprite sheet, one real button a digit.

Two hundred images one by one are two hundred requests; one sheet is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from mnist_lib.figures.picture_sheet import picture_sheet

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
.note { opacity: .85; white-space: nowrap; }
.tile .picture { border-bottom: 3px solid transparent; box-sizing: content-box; }
.tile.right .picture { border-color: #16a34a; }
.tile.wrong .picture { border-color: #ef4444; }
"""

_JS = """
export default function ({ parentElement, data, setStateValue }) {
  let grid = parentElement.querySelector(".tiles");
  if (!grid) {
    grid = document.createElement("div");
    grid.className = "tiles";
    grid.setAttribute("role", "group");
    // In one rule: written into each of 200 tiles, the picture would be megabytes of style.
    grid.sprite = document.createElement("style");
    parentElement.append(grid.sprite, grid);
  }
  grid.setAttribute("aria-label", data.label);
  const signature = data.sprite + JSON.stringify(data.tiles);
  if (grid.signature !== signature) {
    grid.signature = signature;
    grid.sprite.textContent = `.picture { background-image: url(${data.sprite}); }`;
    grid.replaceChildren(...data.tiles.map((tile, position) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `tile ${tile.tone}`;
      button.dataset.id = tile.id;
      button.setAttribute("aria-label", tile.description);
      const picture = document.createElement("span");
      picture.className = "picture";
      const column = position % data.columns, row = Math.floor(position / data.columns);
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
  // One stop for the Tab key; from there the arrow keys walk, as in any grid.
  const mark = (id) => {
    for (const button of grid.children) {
      const chosen = button.dataset.id === String(id);
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  };
  const choose = (button, waitMs) => {
    mark(button.dataset.id);
    clearTimeout(grid.waiting);  // who walks on quickly does not ask for what lies between
    grid.waiting = setTimeout(() => setStateValue("selected", Number(button.dataset.id)), waitMs);
  };
  grid.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) choose(button, 0);
  };
  grid.onkeydown = (event) => {
    const buttons = [...grid.children];
    const place = buttons.indexOf(event.target.closest("button"));
    if (place < 0) return;
    const columns = Math.max(1, buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop));
    const inOneRow = buttons.every((button) => button.offsetTop === buttons[0].offsetTop);
    const row = inOneRow ? buttons.length : columns;
    const steps = {
      ArrowRight: place + 1, ArrowLeft: place - 1, ArrowDown: place + row, ArrowUp: place - row,
      Home: 0, End: buttons.length - 1,
    };
    const next = buttons[steps[event.key]];
    if (!(event.key in steps)) return;
    event.preventDefault();  // the page does not scroll besides
    if (!next) return;
    next.focus();
    choose(next, 150);
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
        tone: ``right`` or ``wrong`` for a green or red line below the picture, or nothing.
    """

    id: int
    title: str
    note: str
    description: str
    tone: str = ""


def digit_gallery(
    label: str,
    images: np.ndarray,
    tiles: Sequence[Tile],
    key: str,
    chosen_before: int | None = None,
    on_change: Callable[[], None] = lambda: None,
) -> int:
    """Draw a gallery and return the id of the chosen digit, the first until one is chosen.

    Args:
        label: What the gallery shows, for those who hear it.
        images: uint8, (n, 28, 28), 0 to 255, one a tile.
        tiles: Their texts, at least one.
        key: The widget's key.
        chosen_before: The digit to begin with, where it is one of these, or none.
        on_change: A callback: a person chose another, ``st.session_state[key]["selected"]``.
    """
    ids = [tile.id for tile in tiles]
    chosen = st.session_state.get(key, {}).get("selected")
    if chosen is None:
        chosen = chosen_before
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
        on_selected_change=on_change,
    )
    return selected


def sprite_sheet(images: np.ndarray) -> str:
    """Return the images as one PNG in a data URL, ``SPRITE_COLUMNS`` side by side.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
    """
    return picture_sheet(images, SPRITE_COLUMNS)
