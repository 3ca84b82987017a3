"""The settings of the Train screen: presets, custom settings, live previews, and Start."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.config import PRESETS, SETTINGS, TrainingConfig, config_from_choices
from mnist_lib.figures.digits import schedule_figure
from mnist_lib.network.layers import count_parameters, layer_table
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from mnist_lib.training import launch as trainer
from mnist_lib.training.schedule import learning_rates
from tests.support.screens import all_text, button, open_screen

PRESET_KEY = "settings_preset"


def field_values(app: AppTest) -> dict:
    """Return what the fields on the screen hold, by the settings' names."""
    kinds = (app.number_input, app.slider, app.selectbox, app.toggle)
    fields = {field.key: field.value for kind in kinds for field in kind if field.key}
    return {key.removeprefix("setting_"): value for key, value in fields.items() if key.startswith("setting_")}


def recipe(preset: str) -> dict:
    return {name: getattr(PRESETS[preset], name) for name in SETTINGS}


def layer_rows(app: AppTest) -> list[list[str]]:
    """Return the body of the layer table, cell by cell."""
    html = next(element.proto.body for element in app.get("html") if 'class="layers"' in element.proto.body)
    body = html.split("<tbody>")[1].split("</tbody>")[0]
    return [
        [cell.removeprefix("<td>") for cell in row.split("</td>")[:-1]]
        for row in body.replace("<tr>", "").split("</tr>")[:-1]
    ]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[TrainingConfig]:
    """Collect the settings that Start hands over, without a training."""
    configs: list[TrainingConfig] = []

    def start(runs: RunStore, config: TrainingConfig) -> Run:
        configs.append(config)
        return runs.bundled_runs()[0]

    # The form is imported anew by each test's app, and finds this.
    monkeypatch.setattr(trainer, "start_training", start)
    return configs


def test_form_begins_with_the_papers_settings() -> None:
    app = open_screen("train")
    assert field_values(app) == recipe("paper")
    assert "An epoch is 1,875 steps over 60,000 images; 9,375 steps in all." in all_text(app)
    assert button(app, "Back to paper").disabled


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_fills_the_fields(preset: str, started: list[TrainingConfig]) -> None:
    app = open_screen("train")
    app.number_input(key="setting_dense_units").set_value(7).run()
    app.segmented_control(key=PRESET_KEY).set_value("accurate" if preset == "paper" else "paper").run()
    app.segmented_control(key=PRESET_KEY).set_value(preset).run()
    assert field_values(app) == recipe(preset)
    assert "custom" not in all_text(app)
    button(app, "Start training").click().run()
    assert started == [PRESETS[preset]]


def test_changed_field_makes_it_custom_and_there_is_a_way_back(started: list[TrainingConfig]) -> None:
    app = open_screen("train")
    app.segmented_control(key=PRESET_KEY).set_value("fast").run()
    app.number_input(key="setting_epochs").set_value(7).run()
    app.selectbox(key="setting_optimizer").set_value("sgd").run()
    assert ":orange-badge[custom] based on fast. Changed: Epochs; Optimizer." in all_text(app)
    button(app, "Start training").click().run()
    assert started == [config_from_choices("fast", epochs=7, optimizer="sgd")]
    assert started[0].preset == "custom"
    button(app, "Back to fast").click().run()
    assert field_values(app) == recipe("fast")
    assert "custom" not in all_text(app)


def test_another_seed_is_still_the_preset_and_outlives_the_choice_of_one(started: list[TrainingConfig]) -> None:
    app = open_screen("train")
    app.number_input(key="setting_seed").set_value(11).run()
    app.segmented_control(key=PRESET_KEY).set_value("fast").run()
    assert "custom" not in all_text(app)
    button(app, "Start training").click().run()
    assert started == [config_from_choices("fast", seed=11)]
    assert started[0].preset == "fast"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("epochs", 101, "Epochs must be a whole number from 1 to 100, not 101."),
        ("batch_size", 0, "Batch size must be a whole number from 1 to 4,096, not 0."),
        ("learning_rate", 2.0, "Learning rate must be from 0.000001 to 1, not 2.0."),
        ("training_images", 60_001, "Training images must be a whole number from 1 to 60,000, not 60001."),
        ("dense_units", 2_000, "Dense units must be a whole number from 1 to 1,024, not 2000."),
    ],
)
def test_setting_out_of_range_says_the_range_loses_nothing_and_starts_nothing(
    name: str, value: float, line: str
) -> None:
    app = open_screen("train")
    app.number_input(key="setting_seed").set_value(5).run()
    app.number_input(key=f"setting_{name}").set_value(value).run()
    assert not app.exception
    assert not app.error
    assert f"Out of range: {app.number_input(key=f'setting_{name}').label}." in all_text(app)
    button(app, "Start training").click().run()
    assert [error.value for error in app.error] == [line]
    assert field_values(app) == recipe("paper") | {"seed": 5, name: value}
    assert RunStore.default().own_runs() == []
    app.number_input(key=f"setting_{name}").set_value(3 if isinstance(value, int) else 0.5).run()
    assert not app.error


def test_settings_that_do_not_go_together_say_so_and_start_nothing(started: list[TrainingConfig]) -> None:
    app = open_screen("train")
    app.slider(key="setting_kernel_size").set_value(7).run()
    app.toggle(key="setting_second_pooling").set_value(True).run()
    app.number_input(key="setting_middle_epochs").set_value(1).run()
    button(app, "Start training").click().run()
    assert not app.exception
    line = "The middle of an image is too small for kernel size 7 and a second pooling."
    assert [error.value for error in app.error] == [line]
    assert started == []


def test_trainer_that_cannot_begin_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RunStoreError("The disk is full.")

    monkeypatch.setattr(trainer, "start_training", refuse)
    app = open_screen("train")
    button(app, "Start training").click().run()
    assert [error.value for error in app.error] == ["The disk is full."]


def test_values_survive_another_screen_even_out_of_range() -> None:
    app = open_screen("train")
    app.segmented_control(key=PRESET_KEY).set_value("accurate").run()
    app.number_input(key="setting_epochs").set_value(900).run()
    app.slider(key="setting_zoom").set_value(0.2).run()
    app.toggle(key="setting_second_pooling").set_value(True).run()
    app.selectbox(key="setting_precision").set_value("float16").run()
    app.switch_page("pages/model.py").run()
    app.switch_page("pages/train.py").run()
    changed = {"epochs": 900, "zoom": 0.2, "second_pooling": True, "precision": "float16"}
    assert field_values(app) == recipe("accurate") | changed
    assert app.segmented_control(key=PRESET_KEY).value == "accurate"


def test_layer_table_and_parameters_follow_the_network() -> None:
    app = open_screen("train")
    assert "**515,146 parameters** :green-badge[the paper's network]" in all_text(app)
    app.number_input(key="setting_filters_1").set_value(8).run()
    app.slider(key="setting_kernel_size").set_value(5).run()
    app.toggle(key="setting_second_pooling").set_value(True).run()
    app.number_input(key="setting_epochs").set_value(500).run()  # wrong, but no matter of the network
    config = config_from_choices("paper", filters_1=8, kernel_size=5, second_pooling=True)
    assert layer_rows(app) == [
        [row.kind.split(",")[0], " × ".join(f"{size:,}" for size in row.output_shape), f"{row.parameters:,}"]
        for row in layer_table(config)
    ]
    assert f"**{count_parameters(config):,} parameters** :orange-badge[not the paper's network]" in all_text(app)
    button(app, "Back to the paper's network").click().run()
    assert field_values(app) == recipe("paper") | {"epochs": 500}
    assert button(app, "Back to the paper's network").disabled


def test_network_out_of_range_hides_the_table_and_keeps_the_way_back() -> None:
    app = open_screen("train")
    app.number_input(key="setting_filters_2").set_value(0).run()
    assert not app.exception
    assert "The layers show here when every number is within its range." in all_text(app)
    button(app, "Back to the paper's network").click().run()
    assert field_values(app) == recipe("paper")


def test_validation_says_how_many_images_are_set_aside() -> None:
    app = open_screen("train")
    assert "No image is set aside." in all_text(app)
    app.slider(key="setting_validation_split").set_value(0.1).run()
    assert "6,000 images are set aside, 54,000 are trained on." in all_text(app)
    assert "An epoch is 1,688 steps over 54,000 images; 8,440 steps in all." in all_text(app)


def test_caption_names_the_digits_that_have_continental_forms() -> None:
    app = open_screen("train")
    assert "Eight digits as they are in the file." in all_text(app)
    app.slider(key="setting_continental_forms").set_value(0.1).run()
    assert "The 1, the 4, the 7 and the 9 have the form that 10% of them get." in all_text(app)


def sample_digits(config: TrainingConfig) -> np.ndarray:
    from mnist_lib.data.dataset import load_mnist
    from mnist_lib.ui.train.augmentation_preview import augmented_samples

    return augmented_samples(config, load_mnist())


def test_sample_digits_change_with_the_sliders_and_with_nothing_else() -> None:
    from mnist_lib.data.dataset import load_mnist

    plain = sample_digits(PRESETS["paper"])
    assert plain.shape == (224, 448)
    # The first 5 of MNIST is its very first training image.
    assert np.array_equal(plain[112:, 112:224][::4, ::4], load_mnist().train_images[0])
    turned = config_from_choices("paper", rotation_deg=20.0)
    assert np.array_equal(sample_digits(turned), sample_digits(turned))
    assert not np.array_equal(sample_digits(turned), plain)
    further = config_from_choices("paper", rotation_deg=21.0)
    nearer = np.abs(sample_digits(turned).astype(int) - sample_digits(further)).mean()
    assert nearer < np.abs(sample_digits(turned).astype(int) - plain).mean() / 4  # the same random numbers


def test_schedule_is_drawn_over_the_epochs_before_the_start() -> None:
    config = config_from_choices("paper", schedule="one-cycle", epochs=3, batch_size=600, learning_rate=0.01)
    line = cast(go.Scatter, schedule_figure(config).data[0])
    rates = learning_rates(config)  # 300 steps, of which the figure takes 200
    x, y = np.asarray(line.x), np.asarray(line.y)
    assert len(x) == 200
    assert np.array_equal(y, rates[(x * config.steps_per_epoch).round().astype(int)])
    assert (x[0], x[-1]) == (0.0, 299 / 100)
    assert y[0] == pytest.approx(0.001)
    assert y.max() == pytest.approx(0.01, rel=0.01)


def test_schedule_shades_the_epochs_on_the_middle() -> None:
    config = config_from_choices("paper", middle_epochs=2)
    layout: Any = schedule_figure(config).layout
    assert [(shape.x0, shape.x1, shape.label.text) for shape in layout.shapes] == [(0, 2, "middle")]
    unshaded: Any = schedule_figure(PRESETS["paper"]).layout
    assert not unshaded.shapes


def test_settings_of_an_earlier_run_fill_the_form() -> None:
    def script() -> None:
        import streamlit as st

        from mnist_lib.config import TrainingConfig
        from mnist_lib.ui.train.settings_form import render_settings, use_settings

        # Whole numbers where fractions are usual, as a run's file may hold them.
        earlier = TrainingConfig(preset="custom", epochs=2, rotation_deg=5, shift_px=1, dense_units=128, seed=9)
        st.button("Use", on_click=use_settings, args=(earlier,))
        render_settings(None)

    app = AppTest.from_function(script, default_timeout=30).run()
    app.segmented_control(key=PRESET_KEY).set_value("fast").run()
    button(app, "Use").click().run()
    assert not app.exception
    changed = {"epochs": 2, "rotation_deg": 5.0, "shift_px": 1.0, "dense_units": 128, "seed": 9}
    assert field_values(app) == recipe("paper") | changed
    assert app.segmented_control(key=PRESET_KEY).value == "paper"
    assert "based on paper" in all_text(app)


def test_settings_given_on_another_screen_are_in_the_form() -> None:
    app = open_screen("train")
    app.number_input(key="setting_epochs").set_value(9).run()
    app.switch_page("pages/model.py").run()
    app.session_state["setting_epochs"] = 4  # as use_settings does
    app.switch_page("pages/train.py").run()
    assert app.number_input(key="setting_epochs").value == 4


def test_every_setting_has_a_field_with_a_help_text() -> None:
    app = open_screen("train")
    assert field_values(app).keys() == recipe("paper").keys()
    for kind in (app.number_input, app.slider, app.selectbox, app.toggle):
        assert all(field.help for field in kind if (field.key or "").startswith("setting_"))
    assert app.selectbox(key="setting_optimizer").options == ["Adam", "AdamW", "SGD with momentum", "Muon"]
    assert len(app.selectbox(key="setting_precision").options) == len(SETTINGS["precision"].allowed)
    assert app.selectbox(key="setting_onednn").options == ["auto, what is faster here", "on", "off"]
    assert app.toggle(key="setting_second_pooling").help == SETTINGS["second_pooling"].help


def test_while_a_training_runs_the_next_one_waits_and_its_settings_fold() -> None:
    def script() -> None:
        from pathlib import Path

        from mnist_lib.runs.run import Run
        from mnist_lib.ui.train.settings_form import render_settings

        render_settings(Run(Path("20250101-000000-fast-seed1")))

    app = AppTest.from_function(script, default_timeout=30).run()
    assert not button(app, "Queue training").disabled
    assert "One training runs at a time. This one waits for its turn." in all_text(app)
    # Out of the way of the curves, but there.
    assert "Settings of the next training" in [expander.label for expander in app.expander]
    assert field_values(app) == recipe("paper")
