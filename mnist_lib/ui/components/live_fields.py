"""Fields that answer while they are typed into or moved.

Streamlit takes a number when Enter is pressed or the field is left, and a slider's
value when it is let go. This presses Enter as soon as the typing rests, and tells
where a slider stands while it is held. Without it, the fields work as usual.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.components.v2 import component

_JS = """
const TYPING_PAUSE_MS = 350, MOVING_EVERY_MS = 80;

export default function ({ parentElement, data, setTriggerValue }) {
  const form = parentElement.closest(`.st-key-${data.form}`);
  const listening = new AbortController();
  const listen = (target, event, listener) =>
    target.addEventListener(event, listener, { capture: true, signal: listening.signal });

  let pause;
  listen(form, "input", ({ target }) => {
    clearTimeout(pause);
    // Not the fractions: 0.0, on the way to 0.001, would be written anew as 0.
    const whole = target.type === "number" && Number.isInteger(Number(target.step));
    if (!whole || target.value === "") return;
    pause = setTimeout(() => {
      target.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    }, TYPING_PAUSE_MS);
  });

  let held, wait;
  const tell = () => {
    wait = undefined;
    const value = Number(held.input.value);
    if (value === held.told) return;
    held.told = value;
    setTriggerValue("moved", { key: held.key, value, start: held.start });
    wait = setTimeout(tell, MOVING_EVERY_MS);
  };
  const observer = new MutationObserver(() => { if (held && !wait) tell(); });
  listen(form, "pointerdown", ({ target }) => {
    const slider = target.closest('[data-testid="stSlider"]');
    if (!slider) return;
    const input = slider.querySelector('input[type="range"]');
    const names = [...slider.closest('[class*="st-key-"]').classList];
    const key = names.find((name) => name.startsWith("st-key-")).slice("st-key-".length);
    held = { key, input, start: Number(input.value), told: Number(input.value) };
    observer.observe(input, { attributeFilter: ["value"] });
  });
  for (const event of ["pointerup", "pointercancel"]) {
    listen(window, event, () => {
      if (!held) return;
      clearTimeout(wait);
      tell();
      clearTimeout(wait);
      observer.disconnect();
      held = wait = undefined;
    });
  }
  return () => {
    clearTimeout(wait);
    observer.disconnect();
    listening.abort();
  };
}
"""

# Not isolated: it has to find the form that it stands in.
_component = component("live_fields", js=_JS, isolate_styles=False)


def answer_at_once(form_key: str) -> None:
    """Let the whole-number fields and the sliders of a container answer while they change.

    Args:
        form_key: The key of the container. Call this inside it.
    """
    _component(key=_component_key(form_key), data={"form": form_key}, on_moved_change=lambda: None)


def field_value(form_key: str, key: str) -> Any:
    """Return what a field holds: a slider that is being moved, where it stands just now.

    Args:
        form_key: The key of the container.
        key: The field's.
    """
    value = st.session_state[key]
    moved = st.session_state.get(_component_key(form_key), {}).get("moved") or {}
    # Once it is let go, its value is another than at the start, and counts.
    return moved["value"] if moved.get("key") == key and moved["start"] == value else value


def _component_key(form_key: str) -> str:
    return f"{form_key}_live"
