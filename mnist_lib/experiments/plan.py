"""What an experiment trains: settings, times seeds, times the settings that it varies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from mnist_lib.config import (
    MNIST_DATA,
    SETTINGS,
    ConfigError,
    Setting,
    TrainingConfig,
    TrainingData,
    change_settings,
)
from mnist_lib.wording import setting_text

MAX_SEEDS = 100
MAX_VARIED = 4
MAX_RUNS = 200

# The last 10,000 of MNIST's training images, as many as there are test images.
VALIDATION_SPLIT = 1 / 6

# From this ratio of its ends on, a range is drawn from by its logarithm.
LOG_RATIO = 10

# What is drawn is short enough to be read and typed: 0.003457.
_SIGNIFICANT_DIGITS = 4

# Draws until so many are different, or there are too few different ones.
_TRIES_PER_SAMPLE = 100

SettingValue = bool | int | float | Annotated[str, Meta(max_length=100)]


class Range(Struct, frozen=True, tag="range"):
    """A setting of which random values are drawn.

    Attributes:
        name: As in ``SETTINGS``.
        low: The lower end of the range, included.
        high: The upper end, included.

    Raises:
        ConfigError: No number is set by this name, an end is not allowed, or they are in the wrong order.
    """

    name: str
    low: int | float
    high: int | float

    def __post_init__(self) -> None:
        setting = _setting_to_vary(self.name)
        if setting.kind not in (int, float):
            raise ConfigError(f"{setting.label} has no range: list its values, separated by commas.")
        for end in (self.low, self.high):
            setting.check(end)
        if self.low > self.high:
            raise ConfigError(f"{setting.label}: {self.low:g} is larger than {self.high:g}.")

    @property
    def is_logarithmic(self) -> bool:
        """Whether each power of ten of the range is as likely: it spans at least one, or is one of learning rates."""
        return self.low > 0 and (self.name == "learning_rate" or self.high / self.low >= LOG_RATIO)

    def draw(self, random: np.random.Generator) -> int | float:
        """Draw a value: a whole number where the setting is one, else of four significant digits."""
        is_whole = SETTINGS[self.name].kind is int
        low, high = (self.low - 0.5, self.high + 0.5) if is_whole else (self.low, self.high)
        if self.is_logarithmic:
            value = math.exp(random.uniform(math.log(low), math.log(high)))
        else:
            value = random.uniform(low, high)
        value = round(value) if is_whole else float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
        return min(max(value, self.low), self.high)


class Values(Struct, frozen=True, tag="values"):
    """A setting with the values that it is given.

    Attributes:
        name: As in ``SETTINGS``.
        values: Each once.

    Raises:
        ConfigError: There is no such setting, no value, a value twice, or one that is not allowed.
    """

    name: str
    values: Annotated[tuple[SettingValue, ...], Meta(max_length=MAX_RUNS)]

    def __post_init__(self) -> None:
        setting = _setting_to_vary(self.name)
        if not self.values:
            raise ConfigError(f"{setting.label}: there is no value to try.")
        for value in self.values:
            setting.check(value)
        if len(set(self.values)) < len(self.values):
            raise ConfigError(f"{setting.label}: a value is there twice.")

    @property
    def is_logarithmic(self) -> bool:
        """Whether a figure shows the values by their logarithms, by the same rule as those of a range."""
        if SETTINGS[self.name].kind not in (int, float):
            return False
        return Range(self.name, min(self.values), max(self.values)).is_logarithmic  # type: ignore[arg-type]

    def draw(self, random: np.random.Generator) -> SettingValue:
        """Draw one of the values."""
        return self.values[random.integers(len(self.values))]


class Plan(Struct, frozen=True, kw_only=True):
    """What an experiment trains. ``plan_experiment`` makes one.

    Attributes:
        base: All settings, as ``TrainingConfig.to_dict`` returns them; those that are varied have another value in
            each combination, and the seed is another in each repeat.
        data: The data set, as far as settings depend on it.
        first_seed: The seed of the first repeat; the others have the next ones.
        seeds: How often each combination is trained, 1 to ``MAX_SEEDS``.
        vary: The settings that are varied.
        samples: How many combinations are drawn at random, always the same ones; None for all of them.
        halving: Whether runs that are behind the others in validation accuracy are stopped.

    Raises:
        ConfigError: These cannot be together, or there would be more than ``MAX_RUNS`` runs.
    """

    base: dict[str, Any]
    data: TrainingData = MNIST_DATA
    first_seed: int = 0
    seeds: int = 1
    vary: tuple[Range | Values, ...] = ()
    samples: int | None = None
    halving: bool = False

    def __post_init__(self) -> None:
        TrainingConfig.from_dict(self.base)
        if not 1 <= self.seeds <= MAX_SEEDS:
            raise ConfigError(f"An experiment has 1 to {MAX_SEEDS} seeds, not {self.seeds:,}.")
        for seed in (self.first_seed, self.first_seed + self.seeds - 1):
            SETTINGS["seed"].check(seed)
        if len(self.vary) > MAX_VARIED:
            raise ConfigError(f"At most {MAX_VARIED} settings are varied, not {len(self.vary)}.")
        if len(set(self.varied)) < len(self.vary):
            raise ConfigError("A setting is varied twice.")
        if self.samples is not None and not 1 <= self.samples <= MAX_RUNS:
            raise ConfigError(f"1 to {MAX_RUNS} samples are drawn, not {self.samples:,}.")
        if not self.vary and (self.samples is not None or self.halving):
            raise ConfigError("No setting is varied: there is nothing to draw samples of and nothing to halve.")
        if self.halving and self.seeds > 1:
            raise ConfigError("Halving compares combinations by one seed each.")
        ranges = [SETTINGS[each.name].label for each in self.vary if isinstance(each, Range)]
        if ranges and self.samples is None:
            raise ConfigError(f"{ranges[0]} has a range: say how many samples to draw, or list its values.")
        if self.runs > MAX_RUNS:
            raise ConfigError(f"An experiment has at most {MAX_RUNS} runs, not {self.runs:,}.")

    @property
    def varied(self) -> tuple[str, ...]:
        """The names of the settings that are varied."""
        return tuple(each.name for each in self.vary)

    @property
    def runs(self) -> int:
        """How many runs there are in all."""
        lists = (len(each.values) for each in self.vary if isinstance(each, Values))
        return self.seeds * (math.prod(lists) if self.samples is None else self.samples)

    def combinations(self) -> list[dict[str, SettingValue]]:
        """Return the values of the varied settings, by name, for each combination; one without any if none is varied.

        Raises:
            ConfigError: There are fewer different combinations than samples.
        """
        if self.samples is None:
            lists = [each.values for each in self.vary if isinstance(each, Values)]
            return [dict(zip(self.varied, values, strict=True)) for values in itertools.product(*lists)]
        random = np.random.default_rng(self.first_seed)
        drawn: dict[tuple[SettingValue, ...], None] = {}  # in the order in which they were drawn
        for _ in range(_TRIES_PER_SAMPLE * self.samples):
            drawn[tuple(each.draw(random) for each in self.vary)] = None
            if len(drawn) == self.samples:
                return [dict(zip(self.varied, values, strict=True)) for values in drawn]
        raise ConfigError(f"There are only about {len(drawn)} different combinations, not {self.samples}.")

    def configs(self) -> list[TrainingConfig]:
        """Return the settings of all runs, in the order in which they are trained.

        All combinations with the first seed come first, so that there is something to compare early.

        Raises:
            ConfigError: A combination is not possible, or there are too few.
        """
        base, combinations = TrainingConfig.from_dict(self.base), self.combinations()
        seeds = range(self.first_seed, self.first_seed + self.seeds)
        return [self._config(base, combination | {"seed": seed}) for seed in seeds for combination in combinations]

    def _config(self, base: TrainingConfig, choices: dict[str, Any]) -> TrainingConfig:
        try:
            return change_settings(base, self.data, choices)
        except ConfigError as error:
            raise ConfigError(f"{combination_text(choices)}: {error}") from error


def plan_experiment(
    config: TrainingConfig,
    data: TrainingData = MNIST_DATA,
    vary: Sequence[Range | Values] = (),
    seeds: int = 1,
    samples: int | None = None,
    halving: bool = False,
) -> Plan:
    """Plan an experiment, and check that each of its runs is possible.

    Where something is varied and no images are set aside for validation, ``VALIDATION_SPLIT`` of them are: the
    best combination is chosen by them, not by the test images.

    Args:
        config: What all runs have in common; its seed is the first.
        data: The data set.
        vary: The settings to vary.
        seeds: How often each combination is trained.
        samples: How many combinations are drawn at random; None for all of them.
        halving: Whether runs that are behind the others are stopped.

    Raises:
        ConfigError: As for ``Plan`` and ``Plan.configs``.
    """
    if vary and not config.validation_split and "validation_split" not in {each.name for each in vary}:
        config = change_settings(config, data, {"validation_split": VALIDATION_SPLIT})
    plan = Plan(
        base=config.to_dict(),
        data=data,
        first_seed=config.seed,
        seeds=seeds,
        vary=tuple(vary),
        samples=samples,
        halving=halving,
    )
    plan.configs()
    return plan


def parse_vary(text: str) -> Range | Values:
    """Return what ``learning_rate=0.001..0.01``, ``batch_size=64,128`` or ``optimizer=adam,muon`` says.

    Args:
        text: A setting by its name in ``SETTINGS`` or by its option; ``limit`` is the number of training images.

    Raises:
        ConfigError: It says none of these, or a value is not allowed.
    """
    name, equals, given = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    name = "training_images" if name == "limit" else name
    if not equals or not given.strip():
        raise ConfigError(f"{text!r} varies nothing. Write learning_rate=0.001..0.01 or batch_size=64,128.")
    setting = _setting_to_vary(name)
    low, dots, high = given.partition("..")
    if dots:
        return Range(name, _parse(setting, low), _parse(setting, high))
    return Values(name, tuple(_parse(setting, each) for each in given.split(",")))


def combination_text(settings: dict[str, Any]) -> str:
    """Return settings in words: ``Learning rate 0.001, Batch size 64``."""
    return ", ".join(f"{SETTINGS[name].label} {setting_text(value)}" for name, value in settings.items())


def _setting_to_vary(name: str) -> Setting:
    if name == "seed":
        raise ConfigError("The seed is not varied like a setting: say how many seeds.")
    if name not in SETTINGS:
        raise ConfigError(f"There is no setting {name[:100]!r}.")
    return SETTINGS[name]


def _parse(setting: Setting, text: str) -> Any:
    """Return a value of a setting; as text if it is none, which its check refuses."""
    text = text.strip()
    if setting.kind is bool:
        return {"true": True, "false": False}.get(text, text)
    try:
        return setting.kind(text)
    except ValueError:
        return text[:100]
