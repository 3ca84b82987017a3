"""The Experiments screen: plan one, watch it, and see what came of it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from mnist_lib.config import PRESETS, SETTINGS, TrainingConfig, change_settings, preset_for
from mnist_lib.escaping import plain_text
from mnist_lib.experiments.library import Experiment, ExperimentLibrary
from mnist_lib.experiments.plan import Plan, Range, Values
from mnist_lib.experiments.results import read_results
from mnist_lib.ui.experiments.choice import EXPERIMENT_KEY
from mnist_lib.ui.experiments.form import render_form
from mnist_lib.ui.experiments.keeping import render_comparison, render_keeping, render_removal, show_what_was_done
from mnist_lib.ui.experiments.progress import render_progress
from mnist_lib.ui.experiments.results import render_results
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.refreshing import refresh_interval_s
from mnist_lib.ui.session import experiment_library, run_store
from mnist_lib.wording import count_text, setting_text

REFRESH_EVERY_S = 3.0

_WHAT_IT_IS = (
    "One run says little: with another seed it reaches another accuracy. An experiment trains several runs that belong "
    "together, over seeds and over settings, and says what came of them."
)


@errors_as_messages()
def render_experiments_screen() -> None:
    """Show the whole screen."""
    show_what_was_done()
    library = experiment_library()
    experiments = library.experiments()
    if not experiments:
        st.markdown(_WHAT_IT_IS)
    render_form(experiments)
    for name, reason in library.damaged().items():
        st.warning(plain_text(f"{name} is damaged: {reason}."), icon=":material/warning:")
        if library.may_change(None):
            render_removal(name)
    if not experiments:
        return
    experiment = _choose(experiments)
    st.header(plain_text(experiment.name))
    st.caption(_in_words(library, experiment))
    has_ended = read_results(run_store(), experiment).has_ended
    interval_s = None if has_ended else refresh_interval_s(REFRESH_EVERY_S)
    st.fragment(_render_experiment, run_every=interval_s)(experiment, interval_s)
    render_comparison(experiment, experiments)
    render_keeping(experiment, has_ended)


def _choose(experiments: list[Experiment]) -> Experiment:
    """Return the experiment that a person or the address chose, the newest by default."""
    by_name = {experiment.name: experiment for experiment in experiments}
    state, address = st.session_state, st.query_params
    wanted = address.get(EXPERIMENT_KEY) or state.get(EXPERIMENT_KEY)
    if wanted and wanted not in by_name:
        st.warning(plain_text(f"There is no experiment {wanted[:100]} any more."), icon=":material/folder_off:")
    state[EXPERIMENT_KEY] = wanted if wanted in by_name else experiments[0].name
    name = st.selectbox(
        "Experiment",
        list(by_name),
        format_func=plain_text,
        key=EXPERIMENT_KEY,
        persist_state="session",
        on_change=_put_in_address,
        help="The newest first.",
    )
    # Each change of the address by the server is a step for the browser's Back, so the newest one goes without.
    if name and address.get(EXPERIMENT_KEY, experiments[0].name) != name:
        address[EXPERIMENT_KEY] = name
    return by_name.get(name or "", experiments[0])


def _put_in_address() -> None:
    st.query_params[EXPERIMENT_KEY] = st.session_state[EXPERIMENT_KEY]


@errors_as_messages()
def _render_experiment(experiment: Experiment, interval_s: float | None) -> None:
    results = read_results(run_store(), experiment)
    if results.has_ended != (interval_s is None):
        st.rerun()  # it begins or ends to be redrawn
    if interval_s and refresh_interval_s(REFRESH_EVERY_S) != interval_s:
        st.rerun()  # more or fewer people look than before
    render_progress(results)
    render_results(results)


def _in_words(library: ExperimentLibrary, experiment: Experiment) -> str:
    """Return what an experiment trains, in a line of Markdown."""
    plan = experiment.plan
    parts = [_recipe_name(plan), *map(_varied_text, plan.vary)]
    if plan.samples:
        parts.append(count_text(plan.samples, "sample"))
    last = plan.first_seed + plan.seeds - 1
    parts.append(f"seed {last}" if plan.seeds == 1 else f"seeds {plan.first_seed} to {last}")
    if plan.halving:
        parts.append("hopeless runs are stopped")
    if not experiment.dataset.is_mnist:
        parts.append(experiment.dataset.name)
    if experiment.cluster:
        parts.append(f"on {experiment.cluster}")
    parts.append(f"{datetime.fromtimestamp(experiment.created_at):%Y-%m-%d %H:%M}")
    if experiment.owner_name and library.access.sees_all:
        parts.append(f"by {experiment.owner_name}")
    return plain_text(" · ".join(parts))


def _recipe_name(plan: Plan) -> str:
    """Return the preset that an experiment is based on; images set aside for validation do not make it another."""
    base = change_settings(TrainingConfig.from_dict(plan.base), plan.data, {"validation_split": 0.0})
    for preset in PRESETS:
        recipe = preset_for(preset, plan.data)
        if all(getattr(base, name) == getattr(recipe, name) for name in SETTINGS if name not in (*plan.varied, "seed")):
            return preset
    return "own settings"


def _varied_text(varied: Range | Values) -> str:
    label = SETTINGS[varied.name].label
    if isinstance(varied, Range):
        return f"{label} {setting_text(varied.low)} to {setting_text(varied.high)}"
    return f"{label} {', '.join(map(setting_text, varied.values))}"
