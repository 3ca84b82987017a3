"""What is wrong with the layout of a screen: text that is cut, what overlaps, what scrolls sideways."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

WIDTHS = (1440, 1024, 820, 400)

LAYOUT_FAULTS = Path(__file__).with_name("layout_faults.js").read_text()

# What is not this project's or not meant: kind of fault, element, reason.
EXCEPTIONS = [
    # Icons are words of a font, which a box as large as the icon cuts by design.
    ("cut", "[data-testid='stIconMaterial']"),
    ("overlap", "[data-testid='stIconMaterial']"),
    # A name is as long as a person likes: its field shows the beginning, the list and the screen all of it.
    ("cut", "[data-testid='stSidebar'] [role='combobox'], .st-key-experiment [role='combobox']"),
    # Signs of a formula are put into each other.
    ("overlap", ".katex"),
    # Streamlit lays an arrow over the tabs where not all of them fit.
    ("overlap", "[role='tablist'], [data-testid='stTabs'] > * > button"),
]


def check_layout(page: Page, address: str) -> None:
    """Check the screen at every width; figures and fonts have arrived."""
    faults = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
        for _ in range(10):  # a busy browser draws the figures anew in their new size a second later
            found = page.evaluate(LAYOUT_FAULTS, EXCEPTIONS)
            if not found:
                break
        faults += [f"{address} at {width} px: {fault}" for fault in found]
    assert not faults, "\n".join(faults)  # pytest shows no values of a module without tests
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
