"""What came of an experiment: over its seeds, or by the settings that it varies."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_lib.config import SETTINGS, ConfigError
from mnist_lib.data.dataset import DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.importance import importance_warning, measure_importance
from mnist_lib.evaluation.repeated import Summary
from mnist_lib.experiments.plan import combination_text
from mnist_lib.experiments.results import Combination, ExperimentRun, Results, mean_curve, recipe_on_everything
from mnist_lib.figures.experiments import (
    MAX_CURVES,
    MAX_GROUPS,
    METRICS,
    brush_lines,
    curves_figure,
    parallel_coordinates_figure,
    repeats_figure,
    scatter_figure,
    select_dots,
)
from mnist_lib.runs.run import RunStoreError
from mnist_lib.training.launch import start_training
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.experiments.choice import Choice, choice_of
from mnist_lib.ui.experiments.runs_table import render_runs
from mnist_lib.ui.messages import show_error, show_problem
from mnist_lib.ui.session import choose_run, run_store
from mnist_lib.wording import count_text, setting_text

_DRAGGING = {"select": "box", "lasso": "lasso", "zoom": "zoom"}

# Less, and their labels would touch.
_AXIS_WIDTH_PX = 150

_WHY_VALIDATION = (
    "Of many recipes, the one that happens to be the best on some images is less good on others. So the recipe is "
    "chosen by images that were set aside for validation, and the test images say how good it is."
)
_WHAT_THE_INTERVAL_MEANS = (
    "Of a hundred experiments like this one, some 95 have an interval that contains the mean of all possible seeds."
)
_HOW_IMPORTANCE_IS_MEASURED = (
    "The share of the variance of the validation accuracy that goes with the values of a setting (omega squared, "
    "analysis of variance). It does not see what only two settings together do."
)

_PROBLEM_KEY = "recipe_problem"
_STARTED_KEY = "recipe_was_started"


def render_results(results: Results) -> None:
    """Show the results so far, and the runs.

    Args:
        results: Those of an experiment.
    """
    if st.session_state.pop(_STARTED_KEY, False):
        st.rerun()  # the whole screen must know the new run
    choice = choice_of(results.experiment)
    if not results.runs:
        st.info("None of its runs is here any more.", icon=":material/folder_off:")
        return
    known = [run for run in results.runs if run.epochs]
    if not known and results.has_ended:
        messages = [run.message for run in results.runs if run.message]
        show_error("None of its runs finished an epoch" + (f": {messages[0]}." if messages else "."))
    elif not known:
        st.caption("The figures begin with the first epoch.")
    if not known:
        render_runs(results, results.runs, choice)
    elif results.experiment.plan.vary:
        _render_by_setting(results, choice)
    else:
        _render_seeds(results, choice)


def _render_seeds(results: Results, choice: Choice) -> None:
    _render_summary(results.whole)
    metric = _choose_metric(results, "test_accuracy")
    if any(run.is_finished for run in results.runs):  # before, it has no dot
        live_figure(repeats_figure([("", results.runs)], metric), key="experiment_repeats", on_click=choice.look_at)
    _render_curves(results, metric)
    render_runs(results, results.runs, choice)


def _render_summary(combination: Combination) -> None:
    """Show what the finished runs reached that differ in their seed alone, with its spread."""
    accuracy, misread = combination.accuracy, combination.misclassified
    if accuracy is None or misread is None:
        return
    rows = [_summary_texts(accuracy, "{:.2%}"), _summary_texts(misread, "{:,.1f}")]
    names = ["Mean", "Standard deviation", "95% interval of the mean", "Worst", "Best"]
    columns = {count_text(accuracy.count, "run"): ["Test accuracy", "Misread test images"]}
    st.table(columns | dict(zip(names, zip(*rows, strict=True), strict=True)), hide_index=True)
    if accuracy.interval:
        st.caption(_WHAT_THE_INTERVAL_MEANS)


def _summary_texts(summary: Summary, number: str) -> list[str]:
    whole = number.replace(",.1f", ",.0f")
    interval = " to ".join(map(number.format, summary.interval)) if summary.interval else "–"
    return [
        number.format(summary.mean),
        number.format(summary.deviation) if summary.deviation is not None else "–",
        interval,
        whole.format(summary.worst),
        whole.format(summary.best),
    ]


def _render_best(results: Results) -> None:
    show_problem(_PROBLEM_KEY)
    best = results.best
    if best is None or best.validation is None:
        st.caption(plain_text(results.why_no_best), help=_WHY_VALIDATION)
        return
    reached = f"{best.validation.mean:.2%} of the validation images"
    if best.accuracy:
        reached += f", {best.accuracy.mean:.2%} of the test images"
    st.markdown(
        f"**Best by validation: {plain_text(combination_text(best.settings))}**. Reads {reached}.",
        help=_WHY_VALIDATION,
    )
    if run_store().access.may_add:
        st.button(
            "Train this recipe on everything",
            icon=":material/play_arrow:",
            help="On the validation images, too.",
            on_click=_train_on_everything,
            args=(results, best),
        )
    if results.experiment.plan.seeds > 1:
        _render_summary(best)


def _train_on_everything(results: Results, best: Combination) -> None:
    """Start the training and select its run, or keep the error for the screen."""
    try:
        if best.config is None:
            raise ConfigError("The settings of its runs cannot be read any more.")
        run = start_training(run_store(), recipe_on_everything(best.config, results.experiment.plan.data))
    except (ConfigError, DatasetError, RunStoreError) as error:
        st.session_state[_PROBLEM_KEY] = str(error)
    else:
        choose_run(run.run_id)
        st.session_state[_STARTED_KEY] = True


def _render_by_setting(results: Results, choice: Choice) -> None:
    plan = results.experiment.plan
    _render_best(results)
    metric = _choose_metric(results, "validation_accuracy")
    selected = _render_selecting(results, metric, choice)
    render_runs(results, selected, choice)
    _render_importance(results)
    if plan.seeds > 1 and any(run.is_finished for run in results.runs):
        _render_repeats(results, metric, choice)
    _render_curves(results, metric)


def _render_selecting(results: Results, metric: str, choice: Choice) -> list[ExperimentRun]:
    """Show the figures in which runs are selected, and return the selected ones."""
    plan = results.experiment.plan
    lines = parallel_coordinates_figure(results.runs, plan, metric)
    selected = brush_lines(lines, choice.brushes)
    if choice.dots is not None:
        selected &= set(choice.dots)
    is_all = choice.dots is None and not choice.brushes
    lines.layout.uirevision += f" {choice.resets}"
    st.caption("Drag along an axis to select runs; click it to take the selection away.")
    live_figure(
        lines, key="experiment_lines", on_select=choice.brush, least_width_px=_AXIS_WIDTH_PX * (len(plan.varied) + 1)
    )
    names = list(plan.varied)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting = st.selectbox(
            "Setting",
            names,
            format_func=lambda name: SETTINGS[name].label,
            key=f"experiment_setting_{results.experiment.name}",
            width=240,
        )
        dragging = st.segmented_control(
            "Dragging draws a",
            list(_DRAGGING),
            format_func=_DRAGGING.__getitem__,
            default="select",
            required=True,
            key="experiment_dragging",
        )
    dots = scatter_figure(results.runs, plan, setting or names[0], metric, metric)
    dots.layout.dragmode = dragging
    dots.layout.uirevision += f" {choice.resets}"
    if not is_all:
        select_dots(dots, selected)
    live_figure(dots, key="experiment_dots", on_click=choice.look_at, on_select=choice.select)
    return results.runs if is_all else [run for run in results.runs if run.number in selected]


def _render_repeats(results: Results, metric: str, choice: Choice) -> None:
    groups = [(_short_name(each), each.runs) for each in _in_order(results.combinations)]
    st.header("Seed by seed")
    st.caption(_what_names_say(results))
    live_figure(repeats_figure(groups, metric), key="experiment_repeats", on_click=choice.look_at)
    if len(groups) > MAX_GROUPS:
        st.caption(f"The best {MAX_GROUPS} of {len(groups)} combinations by validation.")


def _choose_metric(results: Results, usual: str) -> str:
    known = [name for name in METRICS if any(getattr(run, name) is not None for run in results.runs)]
    usual = usual if usual in known else "test_accuracy"
    chosen = st.selectbox(
        "Metric",
        known,
        known.index(usual),
        format_func=lambda name: METRICS[name].label.capitalize(),
        key=f"experiment_metric_{results.experiment.name}",
        width=240,
    )
    return chosen or usual


def _render_importance(results: Results) -> None:
    runs = [run for run in results.runs if run.is_finished and run.config and run.validation_accuracy is not None]
    if len(runs) < 2:
        return
    varied = results.experiment.plan.varied
    settings = {name: [getattr(run.config, name) for run in runs] for name in varied}
    found = measure_importance(settings, [run.validation_accuracy or 0.0 for run in runs])
    st.header("Which settings mattered", help=_HOW_IMPORTANCE_IS_MEASURED)
    shares = ["cannot be told" if each.share is None else f"{each.share:.0%}" for each in found]
    st.table({"Setting": [SETTINGS[each.name].label for each in found], "Share": shares}, hide_index=True)
    if warning := importance_warning(len(varied), len(runs)):
        st.caption(f":material/warning: {warning}")


def _render_curves(results: Results, metric: str) -> None:
    metric = "validation_accuracy" if metric.startswith("validation") else "test_accuracy"
    combinations = _in_order(results.combinations)
    curves = [(_short_name(each), mean_curve(each.runs, metric)) for each in combinations[:MAX_CURVES]]
    st.header("Epoch by epoch")
    if len(combinations) > 1:
        st.caption(_what_names_say(results))
    if len(combinations) > MAX_CURVES:
        st.caption(f"The best {MAX_CURVES} of {len(combinations)} combinations by validation.")
    if results.experiment.plan.seeds > 1:
        st.caption("The mean over the seeds, in a band from the smallest to the largest.")
    live_figure(curves_figure(curves, metric), key="experiment_curves")


def _short_name(combination: Combination) -> str:
    return ", ".join(map(setting_text, combination.settings.values()))


def _what_names_say(results: Results) -> str:
    return f"By {', '.join(SETTINGS[name].label.lower() for name in results.experiment.plan.varied)}."


def _in_order(combinations: Sequence[Combination]) -> list[Combination]:
    """Return combinations in the order of their validation accuracy, the best first; those without any last."""
    return sorted(combinations, key=lambda each: -each.validation.mean if each.validation else 0.0)
