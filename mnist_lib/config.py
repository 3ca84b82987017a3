"""The settings of a training run, their ranges and their presets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple


class ConfigError(ValueError):
    """A setting is out of its range. The message is one line that says the range."""


class SettingRange(NamedTuple):
    """What one setting may be, both ends included, and how a person calls it."""

    label: str
    minimum: float
    maximum: float
    help: str

    @property
    def text(self) -> str:
        """The range in words, for example ``from 1 to 4,096``."""
        return f"from {self.minimum:,} to {self.maximum:,}"


SETTING_RANGES: dict[str, SettingRange] = {
    "epochs": SettingRange("Epochs", 1, 100, "How often the network sees every training image. The paper: 5."),
    "batch_size": SettingRange(
        "Batch size",
        1,
        4096,
        "Images averaged before each adjustment of the weights. "
        "Larger batches are faster but adjust less often. The paper: 32.",
    ),
    "learning_rate": SettingRange(
        "Learning rate",
        0.000001,
        1.0,
        "How far each adjustment goes. Too small learns slowly, too large not at all. "
        "The paper: 0.001, Adam's default.",
    ),
    "seed": SettingRange(
        "Seed",
        0,
        2**32 - 1,
        "Where the random numbers begin. The same seed on the same processor repeats a run exactly.",
    ),
    "training_images": SettingRange(
        "Training images",
        1,
        60_000,
        "How many of the 60,000 training images to use, from the first on. Fewer is faster and less accurate.",
    ),
}


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run. The defaults are the paper's recipe.

    Attributes:
        preset: Name of the preset these settings began from, or ``custom``.
        epochs: Passes over the training images, 1 to 100.
        batch_size: Images per weight update, 1 to 4,096.
        learning_rate: Adam's step size, 1e-6 to 1.
        seed: Seed of the initial weights, the batch order and dropout, 0 to 2**32 - 1.
        training_images: Number of training images used, 1 to 60,000, the first of the file.

    Raises:
        ConfigError: A value is out of its range or not a number.
    """

    preset: str = "paper"
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 0.001
    seed: int = 0
    training_images: int = 60_000

    def __post_init__(self) -> None:
        for name, allowed in SETTING_RANGES.items():
            value = getattr(self, name)
            whole = name != "learning_rate"
            wrong_type = isinstance(value, bool) or not isinstance(value, int if whole else (int, float))
            if wrong_type or not allowed.minimum <= value <= allowed.maximum:  # not a number is in no range
                kind = "a whole number " if whole else ""
                raise ConfigError(f"{allowed.label} must be {kind}{allowed.text}, not {value!r}.")

    @property
    def steps_per_epoch(self) -> int:
        """Weight updates in one epoch; the last batch may be smaller."""
        return math.ceil(self.training_images / self.batch_size)

    @property
    def total_steps(self) -> int:
        """Weight updates in the whole run."""
        return self.epochs * self.steps_per_epoch

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Build the settings from a dictionary, ignoring keys it does not know.

        Raises:
            ConfigError: A value is out of its range.
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


PRESETS: dict[str, TrainingConfig] = {"paper": TrainingConfig()}


def config_from_choices(preset: str = "paper", **choices: Any) -> TrainingConfig:
    """Return a preset with some settings changed.

    A changed recipe is named ``custom``; another seed alone is still the preset.

    Args:
        preset: One of ``PRESETS``.
        **choices: Settings by name. ``None`` keeps the preset's value.

    Raises:
        ConfigError: The preset is unknown or a value is out of its range.
    """
    if preset not in PRESETS:
        raise ConfigError(f"Preset must be one of {', '.join(PRESETS)}, not {preset!r}.")
    recipe = PRESETS[preset].to_dict()
    changed = {name: value for name, value in choices.items() if value is not None and value != recipe[name]}
    name = "custom" if changed.keys() - {"seed"} else preset
    return TrainingConfig.from_dict(recipe | changed | {"preset": name})
