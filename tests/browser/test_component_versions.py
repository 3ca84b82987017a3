"""Components whose calls come in the wrong order, as a browser makes them while a script still loads."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from mnist_lib.ui.assets import read_text

# Streamlit's own calls, newest first. Each returns what ends the component, and Streamlit runs
# what the older one returned, because a newer one has taken its place.
_CALL = """
async ({ script, calls }) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const parentElement = document.createElement("div");
  document.body.append(parentElement);
  const [newest, ...older] = calls.map((data) => module.default({ parentElement, data, setStateValue() {} }));
  for (const end of older) end?.();
}
"""


def test_gallery_shows_the_newest_tiles(page: Page) -> None:
    calls = [_tiles(version=2, count=3), _tiles(version=1, count=5)]
    page.evaluate(_CALL, {"script": read_text("components/gallery/gallery.js"), "calls": calls})
    expect(page.get_by_role("button")).to_have_count(3)


def test_figure_that_is_newest_stays(page: Page) -> None:
    calls = [
        {"figure": "{}", "height": height_px, "plotly_url": "missing.js", "version": version}
        for version, height_px in [(2, 222), (1, 111)]
    ]
    page.evaluate(_CALL, {"script": read_text("components/live_figure/live_figure.js"), "calls": calls})
    expect(page.locator(".live-figure")).to_have_attribute("style", "min-height: 222px;")


def _tiles(version: int, count: int) -> dict[str, object]:
    tile = {"title": "", "note": "", "description": "", "tone": ""}
    tiles = [tile | {"id": number} for number in range(count)]
    return {
        "label": "",
        "sprite": "",
        "columns": 20,
        "picture_px": 56,
        "tiles": tiles,
        "selected": 0,
        "version": version,
    }
