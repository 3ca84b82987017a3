"""The settings of a training run, their ranges and their presets."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from typing import Any, NamedTuple


class ConfigError(ValueError):
    """A setting is out of its range. The message is one line that tells the range."""


class TrainingData(NamedTuple):
    """What the settings depend on in a data set. The defaults are MNIST's.

    Attributes:
        name: Its name.
        classes: How many classes it has.
        images: How many training images.
    """

    name: str = "MNIST"
    classes: int = 10
    images: int = 60_000


MNIST_DATA = TrainingData()


class Setting(NamedTuple):
    """The label, range and description of a setting.

    Attributes:
        label: Its name on the screens.
        allowed: The two ends of a number's range, both included; the names to choose from; or False and True.
        help: What it does, and the paper's value.
        of_network: Whether it shapes the network; all others are settings of the training.
    """

    label: str
    allowed: tuple[Any, ...]
    help: str
    of_network: bool

    @property
    def kind(self) -> type:
        """``int``, ``float``, ``str`` or ``bool``."""
        return type(self.allowed[0])

    @property
    def minimum(self) -> float:
        """The lower end of a number's range."""
        return self.allowed[0]

    @property
    def maximum(self) -> float:
        """The upper end of a number's range."""
        return self.allowed[-1]

    @property
    def text(self) -> str:
        """What is allowed, in words: ``from 1 to 4,096``, ``one of constant, one-cycle, cosine``."""
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return f"one of {', '.join(self.allowed)}"
        ends = (f"{end:,.6f}".rstrip("0").rstrip(".") for end in self.allowed)
        return "from {} to {}".format(*ends)

    def check(self, value: Any) -> None:
        """Raise ConfigError, which tells what is allowed, if a value is not."""
        if self.kind in (bool, str):
            fits = isinstance(value, self.kind) and value in self.allowed
        else:
            number = isinstance(value, (int, self.kind)) and not isinstance(value, bool)
            fits = number and self.minimum <= value <= self.maximum  # false for nan
        if not fits:
            whole = "a whole number " if self.kind is int else ""
            raise ConfigError(f"{self.label} must be {whole}{self.text}, not {value!r}.")


def _setting(default: Any, label: str, allowed: tuple[Any, ...], help: str, of_network: bool = False) -> Any:
    return field(default=default, metadata={"setting": Setting(label, allowed, help, of_network)})


_network_setting = partial(_setting, of_network=True)


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run. The defaults are the paper's recipe and network.

    Each field has a default, a label, a range and a description; see ``Setting``.

    Raises:
        ConfigError: A value is out of its range or not of its type.
    """

    preset: str = "paper"  # the preset with these settings, or "custom"
    dataset: str = MNIST_DATA.name
    classes: int = MNIST_DATA.classes  # of the data set: the network has as many outputs
    epochs: int = _setting(5, "Epochs", (1, 100), "How many times the network sees every training image. The paper: 5.")
    batch_size: int = _setting(
        32,
        "Batch size",
        (1, 4096),
        "How many images are averaged for each adjustment of the weights. "
        "With larger batches an epoch is faster, but adjusts the weights less often. The paper: 32.",
    )
    learning_rate: float = _setting(
        0.001,
        "Learning rate",
        (0.000001, 1.0),
        "How large each adjustment is; with a schedule, the largest. "
        "With a small rate the network learns slowly, with too large a rate not at all. The paper: 0.001, Adam's "
        "default.",
    )
    schedule: str = _setting(
        "constant",
        "Schedule",
        ("constant", "one-cycle", "cosine"),
        "How the learning rate changes during the training. One-cycle rises to the learning rate and then falls "
        "almost to 0, in straight lines; cosine only falls. The paper: constant.",
    )
    optimizer: str = _setting(
        "adam",
        "Optimizer",
        ("adam", "adamw", "sgd", "muon"),
        "The rule that turns gradients into adjustments. Adam scales each weight's steps by its past gradients; AdamW "
        "also makes all weights a little smaller at every step; SGD with momentum adds up past gradients and needs "
        "rates near 0.05; Muon makes the steps of the dense layer equally long in all directions and uses Adam for the "
        "rest. The paper: Adam.",
    )
    shift_px: float = _setting(
        0.0,
        "Shift, pixels",
        (0.0, 4.0),
        "Moves each training digit by up to this distance, differently in every epoch, so that the network "
        "learns the digit and not its place. The paper: 0.",
    )
    rotation_deg: float = _setting(
        0.0,
        "Rotation, degrees",
        (0.0, 30.0),
        "Turns each training digit by up to this angle in either direction. The paper: 0.",
    )
    zoom: float = _setting(
        0.0, "Zoom", (0.0, 0.3), "Makes each training digit larger or smaller by up to this fraction. The paper: 0."
    )
    continental_forms: float = _setting(
        0.0,
        "Continental forms",
        (0.0, 1.0),
        "Share of the 1s, 4s, 7s and 9s that are redrawn as much of the world writes them and MNIST hardly does: a 1 "
        "with an upstroke, a 4 with a short stem, a 7 with a bar, a 9 with a hooked tail. The paper: 0.",
    )
    middle_epochs: int = _setting(
        0,
        "Epochs on the middle",
        (0, 100),
        "In how many epochs, the first ones, the network sees only the middle 20 × 20 pixels, where most of every "
        "digit is: half the work. Then the same network sees the whole image. The paper: 0.",
    )
    label_smoothing: float = _setting(
        0.0,
        "Label smoothing",
        (0.0, 0.3),
        "Share of each label that is spread over all classes, so that the network is not pushed to be certain; it "
        "falls to 0 during the training. The paper: 0.",
    )
    validation_split: float = _setting(
        0.0,
        "Validation split",
        (0.0, 0.5),
        "Share of the training images, the last ones, that the network does not learn from. "
        "Choose settings by its accuracy on these, not on the test images. The paper: 0.",
    )
    seed: int = _setting(
        0,
        "Seed",
        (0, 2**32 - 1),
        "The start of the random numbers. The same seed on the same processor repeats a run exactly.",
    )
    precision: str = _setting(
        "float32",
        "Precision",
        ("float32", "auto", "bfloat16", "float16"),
        "How many bits each number has while training. 16 instead of 32 are faster on some processors and slower on "
        "others: auto briefly tries both and takes the faster. The paper: float32.",
    )
    onednn: str = _setting(
        "auto",
        "oneDNN",
        ("auto", "on", "off"),
        "Whether TensorFlow uses oneDNN, Intel's library of faster arithmetic, which rounds a little differently. auto "
        "switches it on where the processor has AVX2, and training is two to three times faster with it; elsewhere "
        "TensorFlow decides.",
    )
    training_images: int = _setting(
        60_000,
        "Training images",
        (1, 500_000),
        "How many of the training images are used, the first ones; MNIST has 60,000. With fewer, training is faster "
        "and the network less accurate.",
    )
    filters_1: int = _network_setting(
        32, "Filters, first convolution", (1, 128), "How many patterns it looks for. The paper: 32."
    )
    filters_2: int = _network_setting(
        64, "Filters, second convolution", (1, 256), "How many patterns it looks for. The paper: 64."
    )
    kernel_size: int = _network_setting(
        3, "Kernel size", (1, 7), "Width and height of every filter of both convolutions, in pixels. The paper: 3."
    )
    second_pooling: bool = _network_setting(
        False,
        "Second pooling",
        (False, True),
        "Halves width and height once more, after the second convolution. The paper: off.",
    )
    dense_units: int = _network_setting(
        64,
        "Dense units",
        (1, 1024),
        "How many values stand between the convolutions and the answer. The paper: 64.",
    )
    dropout: float = _network_setting(
        0.2,
        "Dropout",
        (0.0, 0.9),
        "Share of the dense units that is switched off at random while training, so that the network relies on no "
        "single one. The paper: 0.2.",
    )

    def __post_init__(self) -> None:
        if not isinstance(self.preset, str):
            raise ConfigError(f"Preset must be a name, not {self.preset!r}.")
        if not isinstance(self.dataset, str):
            raise ConfigError(f"Data set must be a name, not {self.dataset!r}.")
        _CLASSES.check(self.classes)
        if self.trains_on_mnist:
            _check_images(self.training_images, MNIST_DATA)
        for name, setting in SETTINGS.items():
            setting.check(getattr(self, name))
        if self.continental_forms and not self.trains_on_mnist:
            raise ConfigError("Continental forms are for MNIST alone.")
        if self.middle_epochs and self.second_pooling and self.kernel_size == 7:
            raise ConfigError("The middle of an image is too small for kernel size 7 and a second pooling.")

    @property
    def trains_on_mnist(self) -> bool:
        """Whether the data set is MNIST."""
        return self.dataset == MNIST_DATA.name

    @property
    def validation_images(self) -> int:
        """How many training images, the last ones, are set aside for validation."""
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
        return all(getattr(self, name) == getattr(PRESETS["paper"], name) for name in (*NETWORK_SETTINGS, "classes"))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a JSON-ready dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        """Build the settings from a dictionary, ignoring keys it does not know.

        Raises:
            ConfigError: A value is out of its range.
        """
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


def _check_images(images: int, data: TrainingData) -> None:
    SETTINGS["training_images"]._replace(allowed=(1, data.images)).check(images)


# Nobody sets it: it is a property of the data set.
_CLASSES = Setting("Classes", (2, 62), "", of_network=True)

# In the order of the fields. The preset is a name for the settings, not a setting; nor is the data set.
SETTINGS: dict[str, Setting] = {item.name: item.metadata["setting"] for item in fields(TrainingConfig) if item.metadata}
NETWORK_SETTINGS = tuple(name for name, setting in SETTINGS.items() if setting.of_network)

_PAPER = TrainingConfig()

# All three train the very same network. `fast` and `accurate` were chosen on the last
# 10,000 training images, never on the test images; the README says how.
PRESETS: dict[str, TrainingConfig] = {
    "paper": _PAPER,
    "fast": replace(
        _PAPER,
        preset="fast",
        epochs=2,
        batch_size=256,
        learning_rate=0.008,
        schedule="one-cycle",
        optimizer="muon",
        shift_px=1.0,
        continental_forms=0.05,
        middle_epochs=1,
        label_smoothing=0.1,
        precision="auto",
    ),
    "accurate": replace(
        _PAPER,
        preset="accurate",
        epochs=18,
        batch_size=256,
        learning_rate=0.003,
        schedule="one-cycle",
        optimizer="muon",
        shift_px=1.5,
        rotation_deg=15.0,
        zoom=0.15,
        continental_forms=0.1,
        middle_epochs=14,
        label_smoothing=0.05,
        precision="auto",
    ),
}

# For a person's drawings: it begins from the weights of a run, so it is not chosen like the others.
HANDWRITING = replace(
    _PAPER,
    preset="handwriting",
    epochs=2,
    batch_size=64,
    learning_rate=0.0001,
    schedule="cosine",
    shift_px=1.0,
    rotation_deg=10.0,
    zoom=0.1,
    training_images=10_000,
)


def preset_for(preset: str, data: TrainingData) -> TrainingConfig:
    """Return a preset as it is for a data set: all of its images, and continental forms for MNIST's digits alone.

    Args:
        preset: One of ``PRESETS``.
        data: The data set.
    """
    config = replace(
        PRESETS[preset], dataset=data.name, classes=data.classes, training_images=data.images, continental_forms=0.0
    )
    return replace(config, continental_forms=PRESETS[preset].continental_forms) if config.trains_on_mnist else config


def config_from_choices(preset: str = "paper", data: TrainingData = MNIST_DATA, **choices: Any) -> TrainingConfig:
    """Return a preset with some settings changed.

    A changed recipe is named ``custom``; another seed alone is still the preset.

    Args:
        preset: One of ``PRESETS``.
        data: The data set.
        **choices: Settings by name. ``None`` keeps the preset's value.

    Raises:
        ConfigError: The preset is unknown or a value is out of its range.
    """
    if preset not in PRESETS:
        raise ConfigError(f"Preset must be one of {', '.join(PRESETS)}, not {preset!r}.")
    return change_settings(preset_for(preset, data), data, choices)


def handwriting_config(begun_from: TrainingConfig, **choices: Any) -> TrainingConfig:
    """Return ``HANDWRITING`` for the network of another run, with some settings changed.

    Args:
        begun_from: The settings of that run.
        **choices: As for ``config_from_choices``; those of the network cannot be changed.

    Raises:
        ConfigError: A value is out of its range, or of another network.
    """
    network = {name: getattr(begun_from, name) for name in NETWORK_SETTINGS}
    for name, value in network.items():
        if choices.get(name) not in (None, value):
            raise ConfigError(f"{SETTINGS[name].label}: the network is that of the run from which it begins.")
    return change_settings(replace(HANDWRITING, **network), MNIST_DATA, choices)


def change_settings(config: TrainingConfig, data: TrainingData, choices: dict[str, Any]) -> TrainingConfig:
    """Return settings with some of them changed; they are named ``custom`` if more than the seed is another.

    Args:
        config: The settings.
        data: Their data set.
        choices: Settings by name. ``None`` keeps the value.

    Raises:
        ConfigError: A value is out of its range.
    """
    recipe = config.to_dict()
    changed = {name: value for name, value in choices.items() if value is not None and value != recipe[name]}
    name = "custom" if changed.keys() - {"seed"} else config.preset
    config = TrainingConfig.from_dict(recipe | changed | {"preset": name})
    _check_images(config.training_images, data)
    return config
