"""The runs of an experiment in a table, and the one that a person looks at."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mnist_lib.config import SETTINGS
from mnist_lib.escaping import one_line, plain_text
from mnist_lib.experiments.plan import combination_text
from mnist_lib.experiments.results import ExperimentRun, Results
from mnist_lib.ui.experiments.choice import Choice
from mnist_lib.ui.navigation import plain_link
from mnist_lib.ui.session import chosen_run_id, title_of
from mnist_lib.ui.sidebar import look_at, sentence, state_badges
from mnist_lib.wording import setting_text

_TABLE_HEIGHT_PX = 420


def render_runs(results: Results, selected: list[ExperimentRun], choice: Choice) -> None:
    """Show the table of the selected runs, and the one that was chosen in it or in a figure.

    Args:
        results: Those of an experiment.
        selected: Some of its runs.
        choice: What was chosen before.
    """
    st.header("Runs")
    if len(selected) < len(results.runs):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{len(selected)} of {len(results.runs)}, as selected above.", width="content")
            st.button("Show all", icon=":material/close:", type="tertiary", on_click=choice.show_all)
    key = f"experiment_runs_{results.experiment.name}_{hash(tuple(run.number for run in selected))}"

    def take_row() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        choice.number = selected[rows[0]].number if rows and rows[0] < len(selected) else None

    st.dataframe(
        _table(results, selected),
        hide_index=True,
        width="content",
        placeholder="–",
        height=min(_TABLE_HEIGHT_PX, 35 * (len(selected) + 1) + 2),
        column_config=_COLUMNS | {SETTINGS[name].label: _FRACTION for name in SETTINGS if SETTINGS[name].kind is float},
        key=key,
        on_select=take_row,
        selection_mode="single-row",
    )
    run = choice.find(results.runs)
    if run:
        _render_run(run, results)


# With four decimals, as is usual, a learning rate would lose its last digits.
_FRACTION = st.column_config.NumberColumn(format="%.4g")
_COLUMNS = {
    "Run": st.column_config.NumberColumn(pinned=True, width=60),
    "Validation": st.column_config.NumberColumn(format="%.2f%%", help="Accuracy on the validation images."),
    "Test": st.column_config.NumberColumn(format="%.2f%%", help="Accuracy on the test images."),
    "Misread": st.column_config.NumberColumn(help="Misread test images."),
    "Time": st.column_config.NumberColumn("Time, s", format="%.0f", help="Training time, without pauses."),
}


def _table(results: Results, runs: list[ExperimentRun]) -> dict[str, list[Any]]:
    plan = results.experiment.plan
    columns: dict[str, list[Any]] = {"Run": [run.number for run in runs]}
    for name in plan.varied:
        values = [getattr(run.config, name, None) for run in runs]
        # Numbers are sorted by their value, as text they would not be.
        is_number = SETTINGS[name].kind in (int, float)
        columns[SETTINGS[name].label] = values if is_number else [_text(value) for value in values]
    if plan.seeds > 1:
        columns["Seed"] = [run.config.seed if run.config else None for run in runs]
    if any(run.validation_accuracy is not None for run in results.runs):
        columns["Validation"] = [_percent(run.validation_accuracy) for run in runs]
    columns["Test"] = [_percent(run.test_accuracy) for run in runs]
    columns["Misread"] = [run.misclassified for run in runs]
    columns["Time"] = [run.seconds or None for run in runs]
    if any(not run.is_finished for run in results.runs):
        columns["State"] = [run.state for run in runs]
    return columns


def _text(value: Any) -> str | None:
    return None if value is None else one_line(setting_text(value))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _render_run(each: ExperimentRun, results: Results) -> None:
    run, snapshot = each.run, each.run.read()
    with st.container(border=True, key="experiment_run"):
        st.subheader(f"Run {each.number}: {plain_text(title_of(run.run_id))}")
        st.markdown(state_badges(snapshot))
        if snapshot.message:
            st.caption(sentence(snapshot.message))
        if each.config:
            names = (*results.experiment.plan.varied, "seed")
            st.caption(plain_text(combination_text({name: getattr(each.config, name) for name in names})))
        with st.container(horizontal=True, vertical_alignment="center"):
            if run.run_id != chosen_run_id():
                st.button(
                    "Show it on every screen",
                    icon=":material/visibility:",
                    key="experiment_show_run",
                    on_click=look_at,
                    args=(run,),
                )
            plain_link("runs", "Open it on Runs", {"run": run.run_id, "runs": run.run_id}, "Its curves, and downloads.")
