"""Screens through Streamlit's AppTest."""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from tests.support.processes import PROJECT_PATH

APP_PATH = PROJECT_PATH / "app.py"

# Each AppTest looks through all installed packages for components, a tenth of a second every time.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def forget_screens() -> None:
    """Let the next AppTest import the screens' modules anew.

    Streamlit 1.65, the last for Python 3.10, registers a component only with the
    runtime that imports it, and each AppTest is a runtime.
    """
    for name in [name for name in sys.modules if name.startswith("mnist_lib.ui")]:
        del sys.modules[name]


def open_screen(name: str, run_id: str | None = None) -> AppTest:
    """Open a screen as its menu entry would, looking at a run."""
    app = AppTest.from_file(str(APP_PATH), default_timeout=30).run()
    if run_id:
        app.selectbox(key="run").set_value(run_id)
    return app.switch_page(f"pages/{name}.py").run()


def all_text(app: AppTest) -> str:
    """Return what a person reads on the screen and in the sidebar."""
    kinds = (app.title, app.header, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def button(app: AppTest, label: str) -> Button:
    """Return the first button that says this."""
    return next(button for button in app.button if button.label == label)


def component(app: AppTest, key: str) -> dict[str, Any]:
    """Return what a component on the screen was given."""
    element = next(each for each in app.get("bidi_component") if each.proto.id.endswith(f"-{key}"))
    return json.loads(element.proto.json)
