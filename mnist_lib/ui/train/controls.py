"""What a person can do to a running training: pause it, stop it, change its learning rate."""

from __future__ import annotations

import math

import streamlit as st

from mnist_lib.config import SETTING_RANGES
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run, RunStoreError, Wishes
from mnist_lib.ui.messages import show_error

_PROBLEM_KEY = "learning_rate_problem"


def draw_controls(run: Run, snapshot: RunSnapshot) -> None:
    """Draw the buttons of a running training.

    They may be drawn anew every second: what is being typed stays, and so does the
    keyboard's place, for no button but the last click's vanishes or is switched off.

    Args:
        run: The run.
        snapshot: The same, as it stands.
    """
    wishes = run.read_wishes()
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    row.button(
        "Resume" if wishes.paused else "Pause",
        key="pause",
        icon=":material/play_arrow:" if wishes.paused else ":material/pause:",
        help="A paused training keeps its place and uses no processor.",
        on_click=_pause,
        args=(run,),
        disabled=wishes.stop,
    )
    row.button(
        "Stop and keep the model",
        key="stop",
        icon=":material/stop_circle:",
        on_click=_stop,
        args=(run,),
        disabled=wishes.stop,
    )
    with row:
        _draw_learning_rate(run, rate_now(snapshot), disabled=wishes.stop)
    problem_of, problem = st.session_state.get(_PROBLEM_KEY, ("", ""))
    if problem_of == run.run_id:
        show_error(problem)


def rate_now(snapshot: RunSnapshot) -> float | None:
    """Return the present learning rate, or None before the first batches."""
    # Events last: a rate that was changed in a pause is newer than the batches before it.
    rows = snapshot.batches[-1:] + snapshot.events[-1:]
    return max(reversed(rows), key=lambda row: row["step"])["learning_rate"] if rows else None


def pending_wish(snapshot: RunSnapshot, wishes: Wishes) -> str:
    """Return in a few words what was asked for and has not happened yet; empty if nothing."""
    if wishes.stop:
        return "stopping between two batches…"
    if wishes.paused and snapshot.state != "paused":
        return "pausing…"
    if not wishes.paused and snapshot.state == "paused":
        return "resuming…"
    if wishes.learning_rate is not None and not _was_obeyed(snapshot, wishes.learning_rate):
        return f"learning rate {wishes.learning_rate:.4g} with the next batches…"
    return ""


def _was_obeyed(snapshot: RunSnapshot, rate: float) -> bool:
    obeyed = [row["learning_rate"] for row in snapshot.events if row["event"] == "learning_rate"]
    return bool(obeyed) and math.isclose(obeyed[-1], rate, rel_tol=1e-5)  # a trainer's rate is a float32


def _draw_learning_rate(run: Run, now: float | None, disabled: bool) -> None:
    # A form takes Enter, and keeps what is being typed to itself until then.
    with st.form(f"learning_rate_{run.run_id}", border=False, width="content"):
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        row.number_input(
            "New learning rate",
            # Empty, with the present rate as a hint: a value would change under the hand that types.
            value=None,
            # No minimum and maximum here: a person shall read what the range is.
            step=0.0001,
            format="%0.6g",
            placeholder="" if now is None else f"now {now:.4g}",
            key=_field_key(run),
            help="Takes effect with the next batches and stands as a mark on the curves. A schedule goes on from "
            f"there, in proportion. Allowed: {SETTING_RANGES['learning_rate'].text}.",
            disabled=disabled,
            width=320,
        )
        row.form_submit_button("Apply", on_click=_apply_typed_rate, args=(run,), disabled=disabled)
        for label, factor in (("Half", 0.5), ("Double", 2.0)):
            row.form_submit_button(label, on_click=_multiply_rate, args=(run, factor), disabled=disabled)


def _pause(run: Run) -> None:
    _request(run, paused=not run.read_wishes().paused)


def _stop(run: Run) -> None:
    _request(run, stop=True)


def _apply_typed_rate(run: Run) -> None:
    rate = st.session_state.get(_field_key(run))
    if rate is None:
        st.session_state[_PROBLEM_KEY] = (run.run_id, "Type the new learning rate first.")
    elif _request(run, learning_rate=rate):
        st.session_state[_field_key(run)] = None


def _multiply_rate(run: Run, factor: float) -> None:
    snapshot, wished = run.read(), run.read_wishes().learning_rate
    # Two quick clicks on "Half" are a quarter, though the trainer has seen only one.
    waiting = wished is not None and not _was_obeyed(snapshot, wished)
    rate = wished if waiting else rate_now(snapshot)
    if rate is None:
        st.session_state[_PROBLEM_KEY] = (run.run_id, "The learning rate is not known before the first batches.")
    else:
        _request(run, learning_rate=float(f"{rate * factor:.6g}"))


def _request(run: Run, **wishes: bool | float) -> bool:
    """Hand a wish to the trainer; keep what is wrong with it for the screen until the next one."""
    st.session_state.pop(_PROBLEM_KEY, None)
    try:
        run.request(**wishes)  # pyright: ignore[reportArgumentType]  # named above, each with its type
    except RunStoreError as error:
        st.session_state[_PROBLEM_KEY] = (run.run_id, str(error))
        return False
    return True


def _field_key(run: Run) -> str:
    return f"new_learning_rate_{run.run_id}"
