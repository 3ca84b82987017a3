"""The settings of a training run, their ranges and their presets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple


class ConfigError(ValueError):
    """A setting is out of its range. The message is one line that says the range."""


class SettingRange(NamedTuple):
    """What a number among the settings may be, both ends included, and how a person calls it."""

    label: str
    minimum: float
    maximum: float
    help: str

    @property
    def text(self) -> str:
        """The range in words, for example ``from 1 to 4,096``."""
        ends = (f"{end:,.6f}".rstrip("0").rstrip(".") for end in (self.minimum, self.maximum))
        return "from {} to {}".format(*ends)

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense: they do where the range begins and ends with one."""
        return isinstance(self.minimum, int) and isinstance(self.maximum, int)


class SettingOptions(NamedTuple):
    """The values that a setting chooses from, and how a person calls it."""

    label: str
    values: tuple[str, ...]
    help: str

    @property
    def text(self) -> str:
        """The values in words."""
        return f"one of {', '.join(self.values)}"


TRAINING_RANGES: dict[str, SettingRange] = {
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
        "How far each adjustment goes; with a schedule, its highest value. "
        "Too small learns slowly, too large not at all. The paper: 0.001, Adam's default.",
    ),
    "shift_px": SettingRange(
        "Shift, pixels",
        0.0,
        4.0,
        "Moves each training digit by up to this far, anew in every epoch, so that the network "
        "learns the digit and not its place. The paper: 0.",
    ),
    "rotation_deg": SettingRange(
        "Rotation, degrees", 0.0, 30.0, "Turns each training digit by up to this angle, either way. The paper: 0."
    ),
    "zoom": SettingRange(
        "Zoom", 0.0, 0.3, "Makes each training digit larger or smaller by up to this share. The paper: 0."
    ),
    "continental_forms": SettingRange(
        "Continental forms",
        0.0,
        1.0,
        "Share of the training ones, sevens and nines that get an upstroke, a bar or a hooked tail, as much of the "
        "world writes them and MNIST hardly does. The paper: 0.",
    ),
    "validation_split": SettingRange(
        "Validation split",
        0.0,
        0.5,
        "Share of the training images, the last ones, that is only watched and not learned from. "
        "Choose settings by these and not by the test images. The paper: 0.",
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

NETWORK_RANGES: dict[str, SettingRange] = {
    "filters_1": SettingRange("Filters, first convolution", 1, 128, "How many patterns it looks for. The paper: 32."),
    "filters_2": SettingRange("Filters, second convolution", 1, 256, "How many patterns it looks for. The paper: 64."),
    "kernel_size": SettingRange(
        "Kernel size", 1, 7, "Width and height of every filter of both convolutions, in pixels. The paper: 3."
    ),
    "dense_units": SettingRange(
        "Dense units", 1, 1024, "Values between the convolutions and the answer. The paper: 64."
    ),
    "dropout": SettingRange(
        "Dropout",
        0.0,
        0.9,
        "Share of the dense units that is switched off at random while training, so that none is relied on alone. "
        "The paper: 0.2.",
    ),
}

SETTING_RANGES = TRAINING_RANGES | NETWORK_RANGES

SETTING_OPTIONS: dict[str, SettingOptions] = {
    "schedule": SettingOptions(
        "Schedule",
        ("constant", "one-cycle", "cosine"),
        "How the learning rate changes on the way. One-cycle climbs to its highest value and then falls to nearly "
        "nothing, cosine only falls. The paper: constant.",
    ),
    "optimizer": SettingOptions(
        "Optimizer",
        ("adam", "adamw", "sgd", "muon"),
        "The rule that turns gradients into adjustments. Adam scales each weight's steps by its past gradients; AdamW "
        "also lets unused weights fade; SGD with momentum keeps rolling in one direction and wants rates near 0.05; "
        "Muon evens out the steps of the dense layer and is Adam for the rest. The paper: Adam.",
    ),
    "precision": SettingOptions(
        "Precision",
        ("float32", "auto", "bfloat16", "float16"),
        "How many bits the arithmetic uses. Half of them are faster on some processors and slower on others: auto "
        "tries both for a moment and takes the faster. The paper: float32.",
    ),
}

SWITCHES: dict[str, tuple[str, str]] = {
    "second_pooling": (
        "Second pooling",
        "Halves width and height once more, after the second convolution. The paper: off.",
    )
}


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run. The defaults are the paper's recipe and network.

    Attributes:
        preset: Name of the preset these settings began from, or ``custom``.
        epochs: Passes over the training images, 1 to 100.
        batch_size: Images per weight update, 1 to 4,096.
        learning_rate: Highest step size of the schedule, 1e-6 to 1.
        schedule: ``constant``, ``one-cycle`` or ``cosine``.
        optimizer: ``adam``, ``adamw``, ``sgd`` (with momentum) or ``muon``.
        shift_px: Largest random shift along each axis, 0 to 4 pixels.
        rotation_deg: Largest random rotation, 0 to 30 degrees either way.
        zoom: Largest random change of size, 0 to 0.3 either way.
        continental_forms: Share of the ones, sevens and nines written as much of the world does, 0 to 1.
        validation_split: Share of the training images set aside, 0 to 0.5.
        seed: Seed of the initial weights, the batch order, augmentation and dropout, 0 to 2**32 - 1.
        precision: ``float32``, ``auto``, ``bfloat16`` or ``float16``.
        training_images: Number of training images used, 1 to 60,000, the first of the file.
        filters_1: Filters of the first convolution, 1 to 128.
        filters_2: Filters of the second convolution, 1 to 256.
        kernel_size: Side of the filters of both, 1 to 7 pixels.
        second_pooling: Whether the second convolution is pooled like the first.
        dense_units: Units of the dense layer, 1 to 1,024.
        dropout: Share of them dropped while training, 0 to 0.9.

    Raises:
        ConfigError: A value is out of its range or not of its type.
    """

    preset: str = "paper"
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 0.001
    schedule: str = "constant"
    optimizer: str = "adam"
    shift_px: float = 0.0
    rotation_deg: float = 0.0
    zoom: float = 0.0
    continental_forms: float = 0.0
    validation_split: float = 0.0
    seed: int = 0
    precision: str = "float32"
    training_images: int = 60_000
    filters_1: int = 32
    filters_2: int = 64
    kernel_size: int = 3
    second_pooling: bool = False
    dense_units: int = 64
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if not isinstance(self.preset, str):
            raise ConfigError(f"Preset must be a name, not {self.preset!r}.")
        for name, allowed in SETTING_RANGES.items():
            value = getattr(self, name)
            wrong_type = isinstance(value, bool) or not isinstance(value, int if allowed.whole else (int, float))
            if wrong_type or not allowed.minimum <= value <= allowed.maximum:  # not a number is in no range
                kind = "a whole number " if allowed.whole else ""
                raise ConfigError(f"{allowed.label} must be {kind}{allowed.text}, not {value!r}.")
        for name, options in SETTING_OPTIONS.items():
            if getattr(self, name) not in options.values:
                raise ConfigError(f"{options.label} must be {options.text}, not {getattr(self, name)!r}.")
        for name, (label, _) in SWITCHES.items():
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{label} must be true or false, not {getattr(self, name)!r}.")

    @property
    def validation_images(self) -> int:
        """How many of the training images are set aside, the last ones."""
        return int(self.training_images * self.validation_split)

    @property
    def fitted_images(self) -> int:
        """How many training images the network learns from."""
        return self.training_images - self.validation_images

    @property
    def steps_per_epoch(self) -> int:
        """Weight updates in one epoch; the last batch may be smaller."""
        return math.ceil(self.fitted_images / self.batch_size)

    @property
    def total_steps(self) -> int:
        """Weight updates in the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def augments(self) -> bool:
        """Whether training digits are moved, turned, resized or written another way."""
        return bool(self.shift_px or self.rotation_deg or self.zoom or self.continental_forms)

    @property
    def has_paper_network(self) -> bool:
        """Whether the network is the paper's, layer for layer."""
        names = (*NETWORK_RANGES, *SWITCHES)
        return all(getattr(self, name) == getattr(PRESETS["paper"], name) for name in names)

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


_PAPER = TrainingConfig()

# All three train the very same network. `fast` and `accurate` were chosen on the last
# 10,000 training images, never on the test images; the README says how.
PRESETS: dict[str, TrainingConfig] = {
    "paper": _PAPER,
    "fast": replace(
        _PAPER,
        preset="fast",
        epochs=3,
        batch_size=256,
        learning_rate=0.008,
        schedule="one-cycle",
        optimizer="muon",
        shift_px=1.0,
        rotation_deg=5.0,
        precision="auto",
    ),
    "accurate": replace(
        _PAPER,
        preset="accurate",
        epochs=20,
        batch_size=256,
        learning_rate=0.003,
        schedule="one-cycle",
        optimizer="muon",
        shift_px=2.0,
        rotation_deg=10.0,
        zoom=0.1,
        continental_forms=0.1,
        precision="auto",
    ),
}


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
