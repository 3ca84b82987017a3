"""What an experiment trains: combinations times seeds, and one line for what cannot be."""

from __future__ import annotations

import itertools
import math

import msgspec
import pytest

from mnist_lib.config import ConfigError, TrainingConfig, TrainingData, config_from_choices
from mnist_lib.experiments.plan import MAX_RUNS, Plan, Range, Values, parse_vary, plan_experiment

RATES = parse_vary("learning_rate=0.001..0.1")
BATCHES = parse_vary("batch_size=64,128,256")


def test_seeds_alone_repeat_the_very_preset() -> None:
    plan = plan_experiment(config_from_choices("fast", seed=3), seeds=4)
    assert [config.seed for config in plan.configs()] == [3, 4, 5, 6]
    assert {config.preset for config in plan.configs()} == {"fast"}
    assert not plan.configs()[0].validation_split


def test_grid_is_trained_once_whole_before_a_second_seed() -> None:
    plan = plan_experiment(TrainingConfig(), vary=[BATCHES, parse_vary("second-pooling=true,false")], seeds=2)
    trained = [(config.seed, config.batch_size, config.second_pooling) for config in plan.configs()]
    assert trained == list(itertools.product((0, 1), (64, 128, 256), (True, False)))
    assert plan.runs == 12
    # The best is chosen by the last 10,000 of the training images.
    assert {config.validation_images for config in plan.configs()} == {10_000}
    assert plan_experiment(TrainingConfig(validation_split=0.1), vary=[BATCHES]).configs()[0].validation_split == 0.1


def test_samples_are_the_same_each_time_different_and_within_their_ranges() -> None:
    vary = [RATES, parse_vary("epochs=1..2"), parse_vary("optimizer=adam,muon"), parse_vary("limit=100..200")]
    configs = plan_experiment(TrainingConfig(), vary=vary, samples=50).configs()
    assert configs == plan_experiment(TrainingConfig(), vary=vary, samples=50).configs()
    assert configs != plan_experiment(TrainingConfig(seed=1), vary=vary, samples=50).configs()
    assert len(set(configs)) == 50
    assert {config.epochs for config in configs} == {1, 2}
    assert {config.optimizer for config in configs} == {"adam", "muon"}
    assert all(100 <= config.training_images <= 200 for config in configs)
    # Of a range of two powers of ten, half is below the first of them.
    below = sum(config.learning_rate < 0.01 for config in configs)
    assert 15 <= below <= 35
    assert all(0.001 <= config.learning_rate <= 0.1 for config in configs)
    assert all(config.learning_rate == float(f"{config.learning_rate:.4g}") for config in configs)


def test_whole_numbers_are_drawn_alike_at_the_ends_and_between() -> None:
    plan = plan_experiment(
        TrainingConfig(), vary=[parse_vary("kernel_size=2..4"), parse_vary("zoom=0..0.3")], samples=150
    )
    counts = [sum(config.kernel_size == size for config in plan.configs()) for size in (2, 3, 4)]
    assert min(counts) > 30


def test_scale_is_logarithmic_for_learning_rates_and_from_a_power_of_ten_on() -> None:
    def is_logarithmic(text: str) -> bool:
        return parse_vary(text).is_logarithmic

    assert is_logarithmic("learning_rate=0.001..0.002")
    assert is_logarithmic("batch_size=32..320")
    assert not is_logarithmic("batch_size=32..319")
    assert not is_logarithmic("dropout=0..0.9")
    assert is_logarithmic("batch_size=32,64,1024")
    assert not is_logarithmic("optimizer=adam,muon")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed=1..2", "There is no setting 'speed'"),
        ("preset=fast,paper", "There is no setting 'preset'"),
        ("seed=1,2", "how many seeds"),
        ("optimizer=adam..muon", "Optimizer has no range"),
        ("second_pooling=true..false", "no range"),
        ("batch_size", "varies nothing"),
        ("batch_size=", "varies nothing"),
        ("batch_size=64,,128", "Batch size must be a whole number from 1 to 4,096, not ''"),
        ("batch_size=64.5", "not '64.5'"),
        ("batch_size=0,64", "from 1 to 4,096, not 0"),
        ("batch_size=64,64", "twice"),
        ("learning_rate=0.1..0.01", "0.1 is larger than 0.01"),
        ("learning_rate=0.1..", "Learning rate must be"),
        ("learning_rate=nan..1", "Learning rate must be"),
        ("second_pooling=yes", "true or false"),
        ("optimizer=adam,lion", "one of adam"),
    ],
)
def test_what_cannot_be_varied_is_said_in_a_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_vary(text)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"vary": [RATES]}, "say how many samples"),
        ({"vary": [BATCHES, BATCHES]}, "twice"),
        ({"vary": [BATCHES, *map(parse_vary, ("zoom=0", "dropout=0", "epochs=1", "shift_px=0"))]}, "At most 4"),
        ({"samples": 3}, "No setting is varied"),
        ({"halving": True}, "No setting is varied"),
        ({"vary": [BATCHES], "halving": True, "seeds": 2}, "one seed each"),
        ({"seeds": 0}, "1 to 100 seeds"),
        ({"seeds": 101}, "1 to 100 seeds"),
        ({"vary": [BATCHES], "seeds": 67}, f"at most {MAX_RUNS} runs, not 201"),
        ({"vary": [BATCHES], "samples": 201}, "samples are drawn, not 201"),
        ({"vary": [BATCHES], "samples": 4}, "only about 3 different"),
        # Found only when the settings meet.
        ({"vary": [parse_vary("kernel_size=3,7"), parse_vary("second_pooling=true")]}, "too small for kernel size 7"),
    ],
)
def test_experiment_that_cannot_be_is_refused_before_anything_starts(choices: dict, said: str) -> None:
    config = TrainingConfig(middle_epochs=1)
    with pytest.raises(ConfigError) as raised:
        plan_experiment(config, **choices)
    assert said in str(raised.value)


def test_seeds_beyond_the_last_one_are_refused() -> None:
    with pytest.raises(ConfigError, match="Seed must be"):
        plan_experiment(TrainingConfig(seed=2**32 - 1), seeds=2)


def test_other_data_keep_their_classes_and_their_number_of_images() -> None:
    data = TrainingData("Turned", 3, 900)
    plan = plan_experiment(config_from_choices("fast", data), data, [parse_vary("limit=300,900")])
    assert [(config.training_images, config.classes, config.dataset) for config in plan.configs()] == [
        (300, 3, "Turned"),
        (900, 3, "Turned"),
    ]
    with pytest.raises(ConfigError, match="from 1 to 900, not 901"):
        plan_experiment(config_from_choices("fast", data), data, [parse_vary("limit=901")])


def test_plan_is_read_again_as_it_was_written_and_a_wrong_one_is_not() -> None:
    plan = plan_experiment(TrainingConfig(), vary=[RATES, BATCHES], samples=5)
    written = msgspec.json.encode(plan)
    assert msgspec.json.decode(written, type=Plan) == plan
    assert math.isclose(plan.configs()[0].validation_split, 1 / 6)
    for old, new in ((b'"samples":5', b'"samples":-5'), (b'"low":0.001', b'"low":-1'), (b"batch_size", b"batch")):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(written.replace(old, new), type=Plan)
    assert isinstance(plan.vary[0], Range)
    assert isinstance(plan.vary[1], Values)
