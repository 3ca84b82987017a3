"""What came of an experiment: over seeds, by combination, and the best by validation alone."""

from __future__ import annotations

from typing import Any

import pytest

from mnist_lib.config import MNIST_DATA, TrainingConfig
from mnist_lib.experiments.plan import parse_vary, plan_experiment
from mnist_lib.experiments.results import mean_curve, read_results, recipe_on_everything, summary_text
from mnist_lib.figures.experiments import repeats_figure
from mnist_lib.runs.records import QueueRecord, write_json
from mnist_lib.runs.store import RunStore
from tests.support.experiments import add_experiment, add_run

RATES = parse_vary("learning_rate=0.001,0.01")


def test_seeds_are_summarized_over_what_is_finished(store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(epochs=1), seeds=5)
    experiment = add_experiment(store, plan)
    configs = plan.configs()
    for number, errors in ((1, 70), (3, 90), (2, 80)):
        add_run(store, "rates", number, configs[number - 1], [errors])
    add_run(store, "rates", 4, configs[3], [999], state="failed", message="the disk is full")
    add_run(store, "rates", 5, configs[4], [], state="queued")
    add_run(store, "other", 1, configs[0], [1])
    results = read_results(store, experiment)
    assert [run.number for run in results.runs] == [1, 2, 3, 4, 5]
    # A queued run that lost its place in the queue is to be continued by nobody.
    assert results.states == {"finished": 3, "failed": 1, "interrupted": 1}
    assert results.whole.misclassified
    assert results.whole.misclassified[:3] == (3, 80, 10)
    assert results.whole.misclassified.worst == 90
    assert results.whole.accuracy
    assert results.whole.accuracy.worst == pytest.approx(0.991)
    assert results.has_ended
    assert results.missing == 0
    # 10 / sqrt(3) times 4.302653 on both sides.
    assert summary_text(results.whole) == (
        "3 of 5 runs finished. Test accuracy 99.20% on average, standard deviation 0.10%, 95% interval of the mean "
        "98.95% to 99.45%, worst 99.10%. Misread 80.0 on average, interval 55.2 to 104.8, worst 90."
    )
    assert results.best is None
    assert results.why_no_best.startswith("There is nothing to choose from")
    write_json(results.runs[4].run.queue_path, QueueRecord(rank=1))
    assert not read_results(store, experiment).has_ended


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        # 12.7062 standard errors on both sides: 20 with 10, and 7,000 with 2,000.
        (
            [10, 30],
            "interval of the mean 98.53% to 100.00%, worst 99.70%. Misread 20.0 on average, interval 0.0 to 147.1,",
        ),
        ([5_000, 9_000], "mean 0.00% to 100.00%, worst 10.00%. Misread 7,000.0 on average, interval 0.0 to 10,000.0,"),
    ],
)
def test_interval_of_few_seeds_ends_where_no_run_can_be(errors: list[int], said: str, store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(epochs=1), seeds=2)
    experiment = add_experiment(store, plan)
    for number, (config, misread) in enumerate(zip(plan.configs(), errors, strict=True), start=1):
        add_run(store, "rates", number, config, [misread])
    results = read_results(store, experiment)
    assert said in summary_text(results.whole)
    figure: Any = repeats_figure([("all", results.runs)], "misclassified")
    means = figure.data[1]
    low, high = means.x[0] - means.error_x.arrayminus[0], means.x[0] + means.error_x.array[0]
    assert f"interval {low:,.1f} to {high:,.1f}," in said


def test_best_is_chosen_by_validation_and_never_by_the_test_images(store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(epochs=1), vary=[RATES], seeds=2)
    experiment, configs = add_experiment(store, plan), plan.configs()
    # The first rate is better on the test images, the second on those set aside, in the mean of both seeds.
    for number, errors, validation in ((1, 10, 0.991), (2, 90, 0.99), (3, 10, 0.98)):
        add_run(store, "rates", number, configs[number - 1], [errors], [validation])
    results = read_results(store, experiment)
    assert results.best is not None
    assert results.missing == 1
    assert summary_text(results.combinations[1]) == "1 of 1 run finished. Test accuracy 99.10%, 90 misread."
    assert results.best.settings == {"learning_rate": 0.001}, "the other one has not finished both seeds"
    add_run(store, "rates", 4, configs[3], [90], [0.99])
    results = read_results(store, experiment)
    assert results.best is not None
    assert results.best.settings == {"learning_rate": 0.01}
    assert [each.settings["learning_rate"] for each in results.combinations] == [0.001, 0.01]
    assert results.best.validation
    assert results.best.validation.count == 2
    assert results.runs[0].validation_errors == 90
    assert results.best.config
    everything = recipe_on_everything(results.best.config, MNIST_DATA)
    assert (everything.validation_images, everything.learning_rate) == (0, 0.01)


def test_without_validation_there_is_no_best_and_it_says_why(store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(), vary=[RATES, parse_vary("validation_split=0")])
    experiment, configs = add_experiment(store, plan), plan.configs()
    for number in (1, 2):
        add_run(store, "rates", number, configs[number - 1], [number])
    results = read_results(store, experiment)
    assert (results.best, results.why_no_best[:28]) == (None, "No images were set aside for")
    assert results.runs[0].validation_errors is None


def test_damaged_runs_are_in_the_way_of_none(store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(), vary=[RATES])
    experiment, configs = add_experiment(store, plan), plan.configs()
    for number in (1, 2):
        add_run(store, "rates", number, configs[number - 1], [number], [0.9])
    (store.root / "rates-001" / "config.json").write_text("nothing")
    (store.root / "rates-002" / "status.json").write_text("nothing")
    results = read_results(store, experiment)
    assert results.states == {"damaged": 2}
    assert results.has_ended
    assert results.why_no_best


def test_what_has_ended_is_read_again_only_when_it_has_changed(store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(), seeds=1)
    experiment = add_experiment(store, plan)
    run = add_run(store, "rates", 1, plan.configs()[0], [70])
    first = read_results(store, experiment).runs[0]
    assert read_results(store, experiment).runs[0].epochs is first.epochs
    run.fail("somebody continued it")
    assert read_results(store, experiment).runs[0].state == "failed"


def test_curve_is_the_mean_with_the_smallest_and_the_largest(store: RunStore) -> None:
    plan = plan_experiment(TrainingConfig(epochs=3), vary=[parse_vary("epochs=2,3")], seeds=1)
    experiment, configs = add_experiment(store, plan), plan.configs()
    add_run(store, "rates", 1, configs[0], [300, 200], [0.9, 0.95])
    add_run(store, "rates", 2, configs[1], [200, 100, 100], [0.8, None, 0.97])
    runs = read_results(store, experiment).runs
    curve = mean_curve(runs, "validation_accuracy")
    assert curve.epochs.tolist() == [1, 2, 3]
    assert curve.mean == pytest.approx([0.85, 0.95, 0.97])
    assert curve.low == pytest.approx([0.8, 0.95, 0.97])
    assert curve.high == pytest.approx([0.9, 0.95, 0.97])
    assert curve.runs == 2
    assert mean_curve(runs, "misclassified").mean.tolist() == [250, 150, 100]
    assert len(mean_curve([], "test_accuracy").epochs) == 0
