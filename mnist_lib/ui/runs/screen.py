"""The Runs screen: a table of all runs, and what can be done with the chosen ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from html import escape
from itertools import accumulate
from typing import Any

import streamlit as st

from mnist_lib.escaping import one_line, plain_text
from mnist_lib.figures.learning_curves import MAX_OTHERS
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run
from mnist_lib.runs.summary import (
    SETTING_LABELS,
    RunSummary,
    differing_settings,
    settings_beyond_presets,
    summarize_run,
)
from mnist_lib.ui.assets import style
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.runs.loading import render_run_loading
from mnist_lib.ui.runs.one_run import render_one_run, show_what_was_done
from mnist_lib.ui.runs.two_runs import render_two_runs
from mnist_lib.ui.session import chosen_run_id, make_titles, run_store, title_of
from mnist_lib.ui.shared.learning_curves import render_learning_curves
from mnist_lib.wording import count_text, setting_text

# The chosen runs' names in the URL, with commas between them.
_ADDRESS_KEY = "runs"
_TABLE_HEIGHT_PX = 420
_WIDEST_COLUMN_PX = 270
# Of the column in which a run is chosen.
_CHECKBOX_PX = 36


@errors_as_messages()
def render_runs_screen() -> None:
    """Show the whole screen."""
    store = run_store()
    waiting = RunQueue(store).untrained()
    runs = [run for run in store.runs() if run.run_id not in waiting]
    show_what_was_done()
    render_run_loading()
    if waiting:
        screen_link("train", f"{count_text(len(waiting), 'more waits', 'more wait')} in the queue")
    if not runs:
        st.info("There is no run yet: train one, or load one.", icon=":material/info:")
        screen_link("train", "Go to Train")
        return
    summaries = [summarize_run(run) for run in runs]
    chosen = _choose_runs(runs, summaries)
    if len(chosen) > 1:  # some may be out of sight in the table
        titles = map(make_titles(), (run.run_id for run in chosen))
        st.caption(f"Chosen: {plain_text('; '.join(titles))}.")
    if not chosen:
        st.info(
            "Choose a run in the table to see what can be done with it; choose two to see what one reads that the "
            "other does not.",
            icon=":material/check_box:",
        )
        return
    if len(chosen) == 1:
        render_one_run(chosen[0])
    elif len(chosen) == 2:
        render_two_runs(*reversed(chosen))  # the older one first
    _render_curves(chosen)


def _choose_runs(runs: Sequence[Run], summaries: Sequence[RunSummary]) -> list[Run]:
    """Show the table and return the runs that are chosen in it, in the table's order."""
    names = [run.run_id for run in runs]
    own = chosen_run_id() or ""
    in_address = st.query_params.get(_ADDRESS_KEY, own if own in names else "")
    wanted = in_address.split(",")
    table = _table(summaries)
    place = st.container(key="runs_table")
    state = place.dataframe(
        table,
        hide_index=True,
        width="content",
        placeholder="–",
        height=min(_TABLE_HEIGHT_PX, 35 * (len(runs) + 1) + 2),
        column_config=_column_config(table),
        # The table selects rows, not runs, so other runs need another table.
        key=f"runs_table_{hash(tuple(names))}",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [names.index(name) for name in wanted if name in names]}},
    )
    place.html(_columns_out_of_sight(table))
    if len(differing_settings(summaries)) > len(settings_beyond_presets(summaries)):
        st.caption("Choose two runs to see every setting in which they differ.")
    chosen = [runs[row] for row in state["selection"]["rows"] if row < len(runs)]
    text = ",".join(run.run_id for run in chosen)
    if text != in_address:
        st.query_params[_ADDRESS_KEY] = text
    return sorted(chosen, key=runs.index)


def _table(summaries: Sequence[RunSummary]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "Run": list(map(make_titles(), (summary.run_id for summary in summaries))),
        "Accuracy": [_percent(summary.test_accuracy) for summary in summaries],
        "Time": [summary.train_seconds for summary in summaries],
        "Epochs": [summary.epochs for summary in summaries],
    }
    if any(summary.state != "finished" for summary in summaries):
        columns["State"] = [summary.state for summary in summaries]
    for name in settings_beyond_presets(summaries):
        if name != "epochs":
            columns[SETTING_LABELS[name]] = [
                one_line(setting_text(getattr(summary.config, name))) if summary.config else None
                for summary in summaries
            ]
    columns["Started"] = [datetime.fromtimestamp(each.created_at) if each.created_at else None for each in summaries]
    if any(summary.note for summary in summaries):
        columns["Note"] = [summary.note for summary in summaries]
    return columns


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _column_config(table: dict[str, list[Any]]) -> dict[str, Any]:
    widths = _widths_px(table)
    kinds = {
        "Run": partial(st.column_config.TextColumn, pinned=True),
        "Accuracy": partial(st.column_config.NumberColumn, format="%.2f%%", help="On the test images."),
        "Time": partial(st.column_config.NumberColumn, "Time, s", format="%.0f", help="Training time, without pauses."),
        "Epochs": st.column_config.NumberColumn,
        "Started": partial(st.column_config.DatetimeColumn, format="YYYY-MM-DD HH:mm"),
    }
    return {name: kinds.get(name, st.column_config.TextColumn)(width=widths[name]) for name in table}


def _widths_px(table: dict[str, list[Any]]) -> dict[str, int]:
    """Return a width for each column that its longest text needs, within limits."""
    fixed = {"Accuracy": 84, "Time": 70, "Epochs": 70, "Started": 136}
    return {
        name: fixed.get(name)
        or min(20 + round(7.2 * max(len(text or "") for text in (name, *values))), _WIDEST_COLUMN_PX)
        for name, values in table.items()
    }


def _columns_out_of_sight(table: dict[str, list[Any]]) -> str:
    """Return a line that names the columns for which there is no room; it is not there if all are in sight."""
    ends = list(accumulate(_widths_px(table).values(), initial=_CHECKBOX_PX))[1:]
    in_sight = [f".further span:nth-of-type({number})" for number in range(1, len(ends) + 1)]
    rules = [
        f"@container (min-width: {end}px) {{ {selector} {{ display: none; }} }}"
        for end, selector in [*zip(ends, in_sight, strict=True), (ends[-1], ".further")]
    ]
    names = "".join(f"<span>{escape(name)}</span>" for name in table)
    return f"{style('runs/further.css')}<style>{' '.join(rules)}</style><p class='further'>{names}</p>"


def _render_curves(chosen: Sequence[Run]) -> None:
    first, *others = chosen
    snapshot = first.read()
    if not snapshot.batches:
        return
    st.header("Learning curves")
    if others:
        st.caption(f"The thick curves, train and test, are those of {plain_text(title_of(first.run_id))}.")
    render_learning_curves(snapshot, key="runs_curves", others=others[:MAX_OTHERS])
    if len(others) > MAX_OTHERS:
        st.caption(f"The first {MAX_OTHERS + 1} of the {len(chosen)} chosen runs.")
