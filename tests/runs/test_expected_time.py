from __future__ import annotations

import pytest

import mnist_lib.runs.expected_time as expected_time_module
from mnist_lib.config import config_from_choices
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.machine import device_name
from mnist_lib.runs.expected_time import ExpectedTime, estimated_times, expected_time, measured_times, time_reading
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import PAPER_RUN, change_json, copy_bundled_run, make_result


def trained_here(store: RunStore, name: str, seconds: float, **values: str) -> Run:
    run = copy_bundled_run(store, name)
    result = make_result(name, train_seconds=seconds, **{"device": device_name(), **values})
    change_json(run.path / "status.json", result={field: getattr(result, field) for field in result.__struct_fields__})
    return run


def test_newest_finished_run_of_this_machine_says_how_long_its_preset_takes(store: RunStore) -> None:
    trained_here(store, "20260101-000000-paper-seed1", 50.0)
    trained_here(store, "20260102-000000-paper-seed1", 60.0)
    trained_here(store, "20260103-000000-paper-seed1", 70.0, state="stopped")
    trained_here(store, "20260104-000000-paper-seed1", 80.0, device="GPU, another machine's")
    assert measured_times(store) == {"paper": ExpectedTime(60.0, 60.0)}


def test_run_with_other_settings_or_a_damaged_one_says_nothing(store: RunStore) -> None:
    custom = trained_here(store, "20260101-000000-custom-seed1", 50.0)
    change_json(custom.path / "config.json", settings={"preset": "custom", "epochs": 1})
    (trained_here(store, "20260102-000000-paper-seed1", 50.0).path / "config.json").write_text("nothing")
    assert measured_times(store) == {}


def test_estimate_grows_with_the_time_that_reading_takes() -> None:
    times = estimated_times(2 * 0.92)  # half as fast as the machine on which the presets were measured
    assert times["fast"] == pytest.approx((2 * 14.7 * 0.7, 2 * 14.7 * 2.0))
    assert times.keys() == {"paper", "fast", "accurate"}


def test_reading_is_timed_for_ten_thousand_images(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each look at the clock is later by a tenth of a second: 200 images take that long.
    clock = iter(range(100))
    monkeypatch.setattr(expected_time_module.time, "perf_counter", lambda: next(clock) / 10)
    assert time_reading(load_network(PAPER_RUN)) == pytest.approx(5.0)


def test_trainings_take_as_long_as_the_most_similar_one_in_proportion_to_their_images(store: RunStore) -> None:
    trained_here(store, "20260101-000000-paper-seed1", 50.0)
    large = trained_here(store, "20260102-000000-custom-seed1", 20.0)
    change_json(large.path / "config.json", settings=config_from_choices(batch_size=256).to_dict())
    one, other = config_from_choices(seed=3, epochs=10), config_from_choices(batch_size=256, training_images=30_000)
    assert expected_time(store, [one]) == pytest.approx((106, 106))
    assert expected_time(store, [one, other]) == pytest.approx((122, 122))


def test_trainings_are_estimated_from_the_presets_before_there_is_a_run(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected_time_module, "_reading_s", lambda: 0.92)
    fast = config_from_choices("fast", seed=9)
    assert expected_time(store, [fast, fast]) == pytest.approx((12 + 2 * 14.7 * 0.7, 12 + 2 * 14.7 * 2.0))


def test_a_tiny_training_says_nothing_about_a_large_one_and_what_waits_hides_none(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected_time_module, "_reading_s", lambda: 0.92)
    tiny = trained_here(store, "20260101-000000-custom-seed1", 5.0)
    small = config_from_choices(epochs=1, training_images=300)
    change_json(tiny.path / "config.json", settings=small.to_dict())
    RunQueue(store).add_all([small] * 40, MNIST_DESCRIPTION, "later")
    assert expected_time(store, [small]) == pytest.approx((11, 11))
    assert expected_time(store, [config_from_choices()])[1] == pytest.approx(6 + 70.4 * 2.0)
