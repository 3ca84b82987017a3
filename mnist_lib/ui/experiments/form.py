"""The form that starts an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import streamlit as st

from mnist_lib.config import PRESETS, SETTINGS, ConfigError, TrainingConfig, change_settings, preset_for
from mnist_lib.data.dataset import MNIST, MNIST_DESCRIPTION, DatasetDescription, DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.experiments.library import Experiment, ExperimentError
from mnist_lib.experiments.plan import (
    MAX_RUNS,
    MAX_SEEDS,
    MAX_VARIED,
    Plan,
    Range,
    Values,
    parse_vary,
    plan_experiment,
)
from mnist_lib.experiments.start import start_experiment
from mnist_lib.runs.expected_time import expected_time
from mnist_lib.runs.queue import RunQueue, require_cluster
from mnist_lib.runs.run import MAX_NOTE_LENGTH, RunStoreError
from mnist_lib.training.launch import ensure_worker
from mnist_lib.ui.components.live_fields import answer_at_once
from mnist_lib.ui.experiments.choice import EXPERIMENT_KEY
from mnist_lib.ui.messages import show_problem
from mnist_lib.ui.session import dataset_library, experiment_library, run_store
from mnist_lib.ui.shared.settings_fields import chosen_config, chosen_dataset
from mnist_lib.wording import count_text, rough_duration_text

AS_ON_TRAIN = "as on Train"

_FOR_LOOKING = "This installation only shows runs and reads drawings."

# What is tried first, in the syntax of the command line; of names, all are.
_SUGGESTIONS = {
    "epochs": "2, 5, 10",
    "batch_size": "32, 64, 128, 256",
    "learning_rate": "0.0005..0.02",
    "shift_px": "0..2",
    "rotation_deg": "0..20",
    "zoom": "0..0.2",
    "continental_forms": "0..0.2",
    "middle_epochs": "0, 1",
    "label_smoothing": "0..0.2",
    "validation_split": "0.1, 0.2",
    "training_images": "5000, 10000, 20000, 50000",
    "filters_1": "16, 32, 64",
    "filters_2": "32, 64, 128",
    "kernel_size": "3, 5",
    "dense_units": "32, 64, 128, 256",
    "dropout": "0..0.5",
}

_FORM_KEY = "experiment_form"
# Counts what was started: a new key empties the fields.
_NUMBER_KEY = "experiment_form_number"
_PROBLEM_KEY = "experiment_start_problem"
_STARTED_KEY = "experiment_was_started"


def render_form(experiments: Sequence[Experiment]) -> None:
    """Show the form, folded away where there is an experiment.

    Args:
        experiments: Those of this machine, the newest first.
    """
    if not run_store().access.may_add:
        st.info(_FOR_LOOKING, icon=":material/public:")
        return
    number = st.session_state.get(_NUMBER_KEY, 0)
    expander = st.expander(
        "New experiment",
        icon=":material/add:",
        expanded=not experiments,
        key=f"new_experiment_{number}",
        on_change="rerun",
    )
    if expander.open:
        with expander:
            clusters = [experiment.cluster for experiment in experiments if experiment.cluster]
            st.fragment(_render_fields)(number, next(iter(clusters), ""))


# A fragment: typing here does not redraw the results below.
def _render_fields(number: int, last_cluster: str) -> None:
    if st.session_state.pop(_STARTED_KEY, False):
        st.rerun()  # the whole screen must show the new experiment
    form = st.container(key=_FORM_KEY)
    with form, st.container():  # what comes and goes in it moves no field below: what is being typed would be lost
        recipe = st.segmented_control(
            "Recipe",
            [*PRESETS, AS_ON_TRAIN],
            default="fast",
            required=True,
            key=f"experiment_recipe_{number}",
            help="A preset, or the settings that the form on Train has now.",
        )
        dataset = chosen_dataset() if recipe == AS_ON_TRAIN else _choose_dataset(number)
        with st.container(horizontal=True):
            seeds = _render_number("Seeds", 1, 1, MAX_SEEDS, f"experiment_seeds_{number}", "How often each is trained.")
            first_seed = _render_number("First seed", 0, 0, int(SETTINGS["seed"].maximum), f"experiment_seed_{number}")
        varied, problem = _render_varied(number)
        samples = None
        if any(isinstance(each, Range) for each in varied):
            samples = _render_number(
                "Random samples", 10, 1, MAX_RUNS, f"experiment_samples_{number}", "How many combinations are drawn."
            )
        halving = bool(varied) and seeds == 1 and _render_halving(number)
        cluster = _choose_cluster(number, last_cluster)
    with form:
        left, right = st.columns(2)
        with left:
            name = _render_name(recipe, number)
        note = right.text_input("Note", max_chars=MAX_NOTE_LENGTH, key=f"experiment_note_{number}")
        plan = None
        if cluster is None:
            problem = problem or "Type the address of the cluster."
        if not problem:
            try:
                config = _config(recipe, dataset, first_seed)
                plan = plan_experiment(config, dataset.training_data, varied, seeds, samples, halving)
                said = _check(plan, name, cluster or "")
            except (ConfigError, ExperimentError, RunStoreError) as error:
                problem = str(error)
        st.markdown(said if not problem else f":small[:red[{plain_text(problem)}]]")
        with st.container(horizontal=True):
            st.button(
                "Start experiment",
                type="primary",
                icon=":material/play_arrow:",
                disabled=bool(problem),
                on_click=_start,
                args=(plan, name, dataset, cluster, note),
            )
            answer_at_once(_FORM_KEY)  # invisible, but on its own it would take a line
    show_problem(_PROBLEM_KEY)


def _choose_dataset(number: int) -> DatasetDescription:
    by_name = {description.name: description for description in dataset_library().descriptions()}
    if len(by_name) == 1:
        return MNIST_DESCRIPTION
    name = st.selectbox("Data set", list(by_name), key=f"experiment_data_{number}")
    return by_name.get(name or MNIST, MNIST_DESCRIPTION)


def _config(recipe: str, dataset: DatasetDescription, seed: int) -> TrainingConfig:
    config = chosen_config() if recipe == AS_ON_TRAIN else preset_for(recipe, dataset.training_data)
    return change_settings(config, dataset.training_data, {"seed": seed})


def _render_number(label: str, value: int, least: int, most: int, key: str, help: str | None = None) -> int:
    number: Any = st.number_input(label, least, most, value, key=key, help=help, width=160)
    return number


def _render_varied(number: int) -> tuple[list[Range | Values], str]:
    """Show the fields of the settings to vary; return what they say, and what is wrong with one of them."""
    names = st.multiselect(
        "Settings to vary",
        [name for name in SETTINGS if name != "seed"],
        format_func=lambda name: SETTINGS[name].label,
        max_selections=MAX_VARIED,
        key=f"experiment_vary_{number}",
        placeholder="None: only the seed differs",
    )
    varied: list[Range | Values] = []
    problems = []
    columns = st.columns(2) if names else []
    for place, name in enumerate(names):
        setting = SETTINGS[name]
        text = columns[place % 2].text_input(
            setting.label,
            _SUGGESTIONS.get(name) or ", ".join(map(str, setting.allowed)).lower(),
            max_chars=200,
            key=f"experiment_vary_{name}_{number}",
            help=f"Values, as 1, 2, 3, or a range, as 1..3. Allowed: {setting.text}.",
        )
        try:
            varied.append(parse_vary(f"{name}={text}"))
        except ConfigError as error:
            problems.append(str(error))
    return varied, next(iter(problems), "")


def _render_halving(number: int) -> bool:
    if not find_spec("optuna"):
        st.caption("Hopeless runs can be stopped early after `pip install -r requirements-search.txt`.")
        return False
    return st.toggle(
        "Stop hopeless runs early",
        key=f"experiment_halving_{number}",
        help="After 1, 3, 9 … epochs the best third by validation accuracy goes on: successive halving, by Optuna.",
    )


def _choose_cluster(number: int, last: str) -> str | None:
    """Return the address of a cluster, empty for this machine; None if it is not typed yet."""
    if not (run_store().access.may_do_all and find_spec("dask")):
        return ""
    if not st.toggle("Train on a cluster", key=f"experiment_on_cluster_{number}"):
        return ""
    address = st.text_input(
        "Address of its Dask scheduler",
        last,
        max_chars=200,
        key=f"experiment_cluster_{number}",
        placeholder="tcp://scheduler:8786",
    )
    return address.strip() or None


def _render_name(recipe: str, number: int) -> str:
    suggestion = experiment_library().new_name("own" if recipe == AS_ON_TRAIN else recipe)
    name = st.text_input("Name", max_chars=100, key=f"experiment_name_{number}", placeholder=suggestion)
    return name.strip() or suggestion


def _check(plan: Plan, name: str, cluster: str) -> str:
    """Return how much an experiment is, in words.

    Raises:
        ExperimentError: It cannot have this name.
        RunStoreError: The address is none, or the visitor may not train so much.
    """
    if cluster:
        require_cluster(cluster)
    store, configs = run_store(), plan.configs()
    experiment_library().require_name(name)
    for config in configs:
        store.require_training(config)
    RunQueue(store).require_place(len(configs))
    runs = count_text(plan.runs, "run")
    if cluster:
        return f"**{runs}** on {plain_text(cluster)}"
    return f"**{runs}**, about {rough_duration_text(*expected_time(store, configs))}"


def _start(plan: Plan, name: str, dataset: DatasetDescription, cluster: str, note: str) -> None:
    """Queue the runs and show the experiment, or keep the error for the screen."""
    state, store = st.session_state, run_store()
    try:
        start_experiment(store, name, plan, dataset, cluster, note)
        ensure_worker(store)
    except (ConfigError, DatasetError, ExperimentError, RunStoreError) as error:
        state[_PROBLEM_KEY] = str(error)
        return
    state[EXPERIMENT_KEY] = st.query_params[EXPERIMENT_KEY] = name
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1
    state[_STARTED_KEY] = True
