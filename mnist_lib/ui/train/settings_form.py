"""The form that starts a training."""

from __future__ import annotations

import streamlit as st

from mnist_lib.config import PRESETS, SETTINGS, ConfigError, TrainingConfig, preset_for
from mnist_lib.data.dataset import MNIST
from mnist_lib.figures.digits import schedule_figure
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.training.launch import start_training
from mnist_lib.ui.components.live_fields import answer_at_once
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.messages import show_error
from mnist_lib.ui.session import choose_run, dataset_library, run_store
from mnist_lib.ui.shared.settings_fields import (
    DATASET_KEY,
    FORM_KEY,
    PRESET_KEY,
    chosen_config,
    chosen_dataset,
    chosen_settings,
    draft_config,
    fill_fields,
    prepare_fields,
    render_number,
    render_options,
    render_slider,
)
from mnist_lib.ui.train.augmentation_preview import render_augmentation
from mnist_lib.ui.train.network_form import render_network_form
from mnist_lib.wording import count_text

PRESET_PURPOSES = {
    "paper": "Exactly the paper's recipe, with which everything else is compared.",
    "fast": "The same network in a fraction of the time: for trying things out.",
    "accurate": "The fewest mistakes: it trains longer, on digits that are moved and turned a little.",
}

_OTHER_DATA = (
    "Chosen for MNIST: on other data it may do better or worse. Where images fill their field, try 0 epochs on the "
    "middle."
)

_FOR_LOOKING = (
    "This installation only shows runs and reads drawings. To train networks of your own, install the project on your "
    "own machine: its README says how."
)

# The settings that steps and schedule depend on.
_LENGTH_SETTINGS = ("epochs", "batch_size", "training_images", "validation_split")

_PROBLEM_KEY = "start_problem"
_STARTED_KEY = "training_was_started"


# A fragment: typing here redraws the form, but not the curves beside it.
@st.fragment
def render_settings(active: Run | None) -> None:
    """Show the settings with their Start button.

    Args:
        active: The running training, after which the next one begins.
    """
    if st.session_state.pop(_STARTED_KEY, False):
        st.rerun()  # the whole screen must show the new training
    if not run_store().access.may_add:
        st.info(_FOR_LOOKING, icon=":material/public:")
        return
    prepare_fields()
    waits = active is not None or bool(RunQueue(run_store()).waiting())
    with st.container(border=True, key=FORM_KEY):
        _render_start(waits)
        # While a training runs or waits, that matters more, and on a narrow screen it comes below this form.
        with st.expander("Settings of the next training") if waits else st.container():
            _render_dataset()
            _render_preset()
            _render_fields()


def use_settings(config: TrainingConfig) -> None:
    """Fill the form with settings, for example those of an earlier run. Call it before the form is drawn."""
    st.session_state[DATASET_KEY] = config.dataset
    fill_fields(config)
    # The preset that custom settings were based on is not recorded.
    st.session_state[PRESET_KEY] = config.preset if config.preset in PRESETS else "paper"


def _render_start(waits: bool) -> None:
    st.button(
        "Queue training" if waits else "Start training",
        type="primary",
        icon=":material/playlist_add:" if waits else ":material/play_arrow:",
        width="stretch",
        on_click=_start,
    )
    # Always one element in this place, so that nothing below it is rebuilt when it changes.
    if problem := st.session_state.pop(_PROBLEM_KEY, None):
        show_error(problem)
    elif wrong := [SETTINGS[name].label for name in chosen_settings() if draft_config([name]) is None]:
        st.markdown(f":small[:red[Out of range: {'; '.join(wrong)}.]]")
    elif waits:
        st.caption("One training runs at a time. This one waits for its turn.")
    else:
        st.caption(_length_in_words())


def _length_in_words() -> str:
    config = draft_config(_LENGTH_SETTINGS)
    if config is None:
        return ""
    return (
        f"An epoch is {count_text(config.steps_per_epoch, 'step')} over {count_text(config.fitted_images, 'image')}; "
        f"{count_text(config.total_steps, 'step')} in all."
    )


def _render_dataset() -> None:
    """Show the choice of the data set, if there is one."""
    names = [description.name for description in dataset_library().descriptions()]
    if st.session_state.get(DATASET_KEY) not in names:  # not chosen yet, or removed
        st.session_state[DATASET_KEY] = MNIST
    if len(names) > 1:
        st.selectbox("Data set", names, key=DATASET_KEY, persist_state="session", on_change=_use_dataset)


def _use_dataset() -> None:
    """Fill in what depends on the data set."""
    fill_fields(
        preset_for(st.session_state[PRESET_KEY], chosen_dataset().training_data),
        ["training_images", "continental_forms"],
    )


def _render_preset() -> None:
    st.segmented_control(
        "Preset",
        list(PRESETS),
        required=True,
        key=PRESET_KEY,
        persist_state="session",
        on_change=_use_preset,
        width="stretch",
        help="Fills in all fields except the seed. Change any of them afterwards.",
    )
    preset = st.session_state[PRESET_KEY]
    changed = _changed_settings(preset)
    if changed:
        names = "; ".join(SETTINGS[name].label for name in changed)
        st.markdown(f":small[:orange-badge[custom] based on {preset}. Changed: {names}.]")
    else:
        st.caption(PRESET_PURPOSES[preset] if chosen_dataset().is_mnist else _OTHER_DATA)
    with st.container(horizontal=True):
        st.button(
            f"Back to {preset}",
            icon=":material/undo:",
            type="tertiary",
            on_click=_use_preset,
            disabled=not changed,
        )
        answer_at_once(FORM_KEY)  # invisible, but on its own it would take a line


def _changed_settings(preset: str) -> list[str]:
    recipe = preset_for(preset, chosen_dataset().training_data).to_dict()
    return [name for name, value in chosen_settings().items() if name != "seed" and value != recipe[name]]


def _use_preset() -> None:
    """Fill the fields from the chosen preset. The seed stays: with another one it is still the preset."""
    recipe = preset_for(st.session_state[PRESET_KEY], chosen_dataset().training_data)
    fill_fields(recipe, [name for name in chosen_settings() if name != "seed"])


def _render_fields() -> None:
    for pair in (("epochs", "batch_size"), ("learning_rate", "seed")):
        for column, name in zip(st.columns(2), pair, strict=True):
            with column:
                render_number(name)
    render_number("training_images")
    with st.expander("Schedule, field of view, optimizer"):
        render_options("schedule")
        _render_schedule()
        render_number("middle_epochs")
        render_options("optimizer")
        render_slider("label_smoothing", 0.01, "percent")
    with st.expander("Augmentation"):
        render_augmentation()
    with st.expander("Network"):
        render_network_form()
    with st.expander("Validation and arithmetic"):
        _render_validation()
        render_options("precision")
        render_options("onednn")


def _render_schedule() -> None:
    config = draft_config([*_LENGTH_SETTINGS, "learning_rate", "schedule", "middle_epochs"])
    if config:
        live_figure(schedule_figure(config), key="schedule_figure")
    else:
        st.caption("The schedule shows here when every number is within its range.")


def _render_validation() -> None:
    render_slider("validation_split", 0.05, "percent")
    config = draft_config(["training_images", "validation_split"])
    if config:
        st.caption(
            f"{count_text(config.validation_images, 'image is', 'images are')} set aside, "
            f"{count_text(config.fitted_images, 'is', 'are')} trained on."
            if config.validation_images
            else "No image is set aside."
        )


def _start() -> None:
    """Start the trainer and select its run, or keep the error for the screen."""
    try:
        run = start_training(run_store(), chosen_config())
    except (ConfigError, DamagedRunError, RunStoreError) as error:
        st.session_state[_PROBLEM_KEY] = str(error)
    else:
        if run.read_status().state != "queued":  # else what is being trained is watched further
            choose_run(run.run_id)
        st.session_state[_STARTED_KEY] = True
