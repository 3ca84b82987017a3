"""The settings: their ranges, their presets and their names."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from mnist_lib.config import (
    NETWORK_SETTINGS,
    PRESETS,
    SETTINGS,
    ConfigError,
    TrainingConfig,
    config_from_choices,
)

ENDS = {
    "epochs": (1, 100),
    "batch_size": (1, 4096),
    "learning_rate": (1e-6, 1.0),
    "shift_px": (0.0, 4.0),
    "rotation_deg": (0.0, 30.0),
    "zoom": (0.0, 0.3),
    "continental_forms": (0.0, 1.0),
    "middle_epochs": (0, 100),
    "label_smoothing": (0.0, 0.3),
    "validation_split": (0.0, 0.5),
    "seed": (0, 4294967295),
    "training_images": (1, 60000),
    "filters_1": (1, 128),
    "filters_2": (1, 256),
    "kernel_size": (1, 7),
    "dense_units": (1, 1024),
    "dropout": (0.0, 0.9),
}

OPTIONS = ("schedule", "optimizer", "precision", "onednn")

RANGES_IN_WORDS = {
    "epochs": "Epochs must be a whole number from 1 to 100",
    "batch_size": "Batch size must be a whole number from 1 to 4,096",
    "learning_rate": "Learning rate must be from 0.000001 to 1",
    "shift_px": "Shift, pixels must be from 0 to 4",
    "rotation_deg": "Rotation, degrees must be from 0 to 30",
    "zoom": "Zoom must be from 0 to 0.3",
    "continental_forms": "Continental forms must be from 0 to 1",
    "middle_epochs": "Epochs on the middle must be a whole number from 0 to 100",
    "label_smoothing": "Label smoothing must be from 0 to 0.3",
    "validation_split": "Validation split must be from 0 to 0.5",
    "seed": "Seed must be a whole number from 0 to 4,294,967,295",
    "training_images": "Training images must be a whole number from 1 to 60,000",
    "filters_1": "Filters, first convolution must be a whole number from 1 to 128",
    "filters_2": "Filters, second convolution must be a whole number from 1 to 256",
    "kernel_size": "Kernel size must be a whole number from 1 to 7",
    "dense_units": "Dense units must be a whole number from 1 to 1,024",
    "dropout": "Dropout must be from 0 to 0.9",
}


def test_defaults_are_the_recipe_of_the_paper() -> None:
    assert TrainingConfig().to_dict() == {
        "preset": "paper",
        "dataset": "MNIST",
        "classes": 10,
        "epochs": 5,
        "batch_size": 32,
        "learning_rate": 0.001,
        "schedule": "constant",
        "optimizer": "adam",
        "shift_px": 0.0,
        "rotation_deg": 0.0,
        "zoom": 0.0,
        "continental_forms": 0.0,
        "middle_epochs": 0,
        "label_smoothing": 0.0,
        "validation_split": 0.0,
        "seed": 0,
        "precision": "float32",
        "onednn": "auto",
        "training_images": 60_000,
        "filters_1": 32,
        "filters_2": 64,
        "kernel_size": 3,
        "second_pooling": False,
        "dense_units": 64,
        "dropout": 0.2,
    }
    assert PRESETS["paper"] == TrainingConfig()


def test_every_setting_says_what_it_may_be_and_what_it_does() -> None:
    given = {"preset", "dataset", "classes"}  # the recipe's name, and what the data set brings
    assert set(SETTINGS) == {field.name for field in dataclasses.fields(TrainingConfig)} - given
    assert {name for name, setting in SETTINGS.items() if setting.kind in (int, float)} == set(ENDS)
    for setting in SETTINGS.values():
        assert len(setting.help.split()) >= 5


def test_settings_of_the_network_are_those_that_change_it() -> None:
    assert NETWORK_SETTINGS == ("filters_1", "filters_2", "kernel_size", "second_pooling", "dense_units", "dropout")


@pytest.mark.parametrize("preset", sorted(set(PRESETS) - {"paper"}))
def test_every_preset_trains_the_paper_s_network_on_all_images(preset: str) -> None:
    config = PRESETS[preset]
    assert config.preset == preset
    assert config.has_paper_network
    assert (config.training_images, config.validation_split, config.seed) == (60_000, 0.0, 0)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in OPTIONS for value in SETTINGS[name].allowed])
def test_every_option_is_allowed(name: str, value: str) -> None:
    assert getattr(TrainingConfig(**{name: value}), name) == value  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("value", ["", "Adam", None, 1, ["adam"]])
def test_option_of_no_name_is_refused_with_the_list(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    setting = SETTINGS[name]
    assert str(caught.value) == f"{setting.label} must be one of {', '.join(setting.allowed)}, not {value!r}."


def test_switch_that_is_neither_on_nor_off_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^Second pooling must be true or false, not 1\.$"):
        TrainingConfig(second_pooling=1)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("kernel_size", range(1, 8))
@pytest.mark.parametrize("second_pooling", [False, True])
def test_middle_is_refused_where_nothing_is_left_of_it(kernel_size: int, second_pooling: bool) -> None:
    network: dict[str, Any] = {"kernel_size": kernel_size, "second_pooling": second_pooling}
    # Two convolutions and two poolings, computed here.
    side = (20 - kernel_size + 1) // 2 - kernel_size + 1
    side = side // 2 if second_pooling else side
    assert TrainingConfig(**network).middle_epochs == 0
    if side > 0:
        assert TrainingConfig(**network, middle_epochs=1).middle_epochs == 1
    else:
        reason = r"^The middle of an image is too small for kernel size 7 and a second pooling\.$"
        with pytest.raises(ConfigError, match=reason):
            TrainingConfig(**network, middle_epochs=1)


@pytest.mark.parametrize(
    ("images", "split", "set_aside"),
    [(60_000, 0.0, 0), (60_000, 1 / 6, 10_000), (10, 0.25, 2), (1, 0.5, 0), (2, 0.5, 1)],
)
def test_images_set_aside_are_not_learned_from(images: int, split: float, set_aside: int) -> None:
    config = TrainingConfig(training_images=images, validation_split=split, batch_size=1)
    assert config.validation_images == set_aside
    assert config.fitted_images == config.steps_per_epoch == images - set_aside


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filters_1", 31),
        ("filters_2", 65),
        ("kernel_size", 5),
        ("dense_units", 1),
        ("dropout", 0.0),
        ("second_pooling", True),
    ],
)
def test_changed_network_is_not_the_paper_s(name: str, value: Any) -> None:
    assert TrainingConfig(epochs=9, seed=3, schedule="cosine", optimizer="muon").has_paper_network
    assert not TrainingConfig(**{name: value}).has_paper_network


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, ends in ENDS.items() for value in ends])
def test_both_ends_of_a_range_are_allowed(name: str, value: Any) -> None:
    assert getattr(TrainingConfig(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 101),
        ("batch_size", 0),
        ("batch_size", 4097),
        ("learning_rate", math.nextafter(1e-6, 0)),
        ("learning_rate", math.nextafter(1.0, 2)),
        ("learning_rate", 0),
        ("learning_rate", -0.001),
        ("seed", -1),
        ("seed", 4294967296),
        ("training_images", 0),
        ("training_images", 60001),
        ("middle_epochs", -1),
        ("middle_epochs", 101),
        ("label_smoothing", 0.31),
    ],
)
def test_value_just_outside_is_refused_with_the_range_in_words(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    assert str(caught.value) == f"{RANGES_IN_WORDS[name]}, not {value!r}."


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("value", [True, "5", None, math.nan, math.inf, -math.inf, [5], 10**400])
def test_value_that_is_no_usable_number_is_refused_in_one_line(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{name: value})
    message = str(caught.value)
    assert message == f"{RANGES_IN_WORDS[name]}, not {value!r}."
    assert "\n" not in message


@pytest.mark.parametrize("name", [name for name, (low, _) in ENDS.items() if isinstance(low, int)])
def test_fraction_is_refused_where_a_whole_number_is_meant(name: str) -> None:
    with pytest.raises(ConfigError, match=RANGES_IN_WORDS[name]):
        TrainingConfig.from_dict({name: 5.0})


def test_whole_learning_rate_is_a_number_too() -> None:
    assert TrainingConfig(learning_rate=1).learning_rate == 1


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().epochs = 6  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("images", "batch_size", "epochs", "steps_per_epoch", "total_steps"),
    [
        (60_000, 32, 5, 1875, 9375),
        (640, 64, 2, 10, 20),
        (641, 64, 3, 11, 33),
        (639, 64, 3, 10, 30),
        (1, 4096, 100, 1, 100),
        (60_000, 1, 1, 60_000, 60_000),
        (7, 2, 2, 4, 8),
    ],
)
def test_steps_count_the_smaller_last_batch(
    images: int, batch_size: int, epochs: int, steps_per_epoch: int, total_steps: int
) -> None:
    config = TrainingConfig(training_images=images, batch_size=batch_size, epochs=epochs)
    assert config.steps_per_epoch == steps_per_epoch
    assert config.total_steps == total_steps


def test_settings_survive_json() -> None:
    config = TrainingConfig("custom", epochs=3, learning_rate=0.0025, optimizer="sgd", zoom=0.1, middle_epochs=1)
    assert TrainingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_from_dict_ignores_keys_it_does_not_know() -> None:
    assert TrainingConfig.from_dict({"epochs": 7, "colour": "blue", "": None}) == TrainingConfig(epochs=7)


def test_from_dict_checks_the_values() -> None:
    with pytest.raises(ConfigError, match="Epochs must be"):
        TrainingConfig.from_dict({"epochs": "7"})


def test_choice_of_nothing_is_the_preset() -> None:
    assert config_from_choices("paper", epochs=None, seed=None) == TrainingConfig()


@pytest.mark.parametrize("preset", PRESETS)
def test_another_seed_alone_keeps_the_name_of_the_preset(preset: str) -> None:
    config = config_from_choices(preset, seed=42)
    assert config == dataclasses.replace(PRESETS[preset], seed=42)
    assert config.preset == preset


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 6), ("batch_size", 33), ("learning_rate", 0.0011), ("training_images", 59_999)],
)
def test_changed_recipe_is_named_custom(name: str, value: Any) -> None:
    config = config_from_choices("paper", **{name: value, "seed": 3})
    assert config == TrainingConfig(**{name: value, "seed": 3, "preset": "custom"})


def test_value_of_the_preset_chosen_again_is_no_change() -> None:
    assert config_from_choices("paper", epochs=5, learning_rate=0.001).preset == "paper"


def test_unknown_preset_is_refused_with_the_list() -> None:
    with pytest.raises(ConfigError, match=r"^Preset must be one of paper.*, not 'slow'\.$"):
        config_from_choices("slow")


def test_choice_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="Batch size must be a whole number from 1 to 4,096, not 5000"):
        config_from_choices("paper", batch_size=5000)
