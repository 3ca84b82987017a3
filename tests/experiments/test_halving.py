"""Runs that are behind the others are stopped, each is told once, and a damaged study stops nobody."""

from __future__ import annotations

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.experiments import halving
from mnist_lib.experiments.halving import REASON, Halving, HalvingStudy, require_optuna
from mnist_lib.experiments.library import ExperimentError, ExperimentLibrary
from mnist_lib.experiments.plan import Plan, parse_vary, plan_experiment
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.experiments import add_experiment, add_run
from tests.support.runs import let_it_train

RATES = parse_vary("learning_rate=0.001,0.002,0.003,0.004")


@pytest.fixture
def plan() -> Plan:
    return plan_experiment(TrainingConfig(epochs=3), vary=[RATES], halving=True)


def training(store: RunStore, plan: Plan, number: int, validation: list[float]) -> Run:
    run = add_run(
        store, "rates", number, plan.configs()[number - 1], [10] * len(validation), validation, state="queued"
    )
    let_it_train(run, store)
    return run


def test_run_that_is_behind_is_asked_to_stop_and_the_best_third_goes_on(store: RunStore, plan: Plan) -> None:
    experiment = add_experiment(store, plan)
    look = Halving(store).look
    first = add_run(store, "rates", 1, plan.configs()[0], [10] * 3, [0.9, 0.95, 0.97])
    behind, ahead = training(store, plan, 2, [0.8]), training(store, plan, 3, [0.95])
    for run in (first, behind, ahead):
        look(run)
    assert behind.read_controls()[1::3] == (True, REASON)
    assert not ahead.read_controls().stop
    study = HalvingStudy(experiment, ExperimentLibrary.beside(store.root).folder("rates") / "study.log").study
    assert [(trial.user_attrs["run"], trial.params["learning_rate"]) for trial in study.trials] == [
        (1, 0.001),
        (2, 0.002),
        (3, 0.003),
    ]
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "RUNNING"]


def test_whoever_looks_after_a_crash_tells_nothing_twice_and_stops_the_same_runs(store: RunStore, plan: Plan) -> None:
    experiment = add_experiment(store, plan)
    path = ExperimentLibrary.beside(store.root).folder("rates") / "study.log"
    add_run(store, "rates", 1, plan.configs()[0], [10] * 3, [0.9, 0.95, 0.97])
    behind = training(store, plan, 2, [0.8])
    Halving(store).look(Run(store.root / "rates-001"))
    Halving(store).look(behind)
    told = HalvingStudy(experiment, path).study.trials
    behind.request(stop=False)
    Halving(store).look(behind)
    assert behind.read_controls().stop
    assert HalvingStudy(experiment, path).study.trials == told
    assert len(told) == 2


def test_damaged_study_and_other_runs_stop_nobody(store: RunStore, plan: Plan) -> None:
    add_experiment(store, plan)
    (ExperimentLibrary.beside(store.root).folder("rates") / "study.log").write_text("nothing\nof it\n")
    run = training(store, plan, 1, [0.1])
    Halving(store).look(run)
    run.member_path.unlink()
    Halving(store).look(run)
    assert not run.read_controls().stop


def test_without_optuna_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    require_optuna()
    monkeypatch.setattr(halving, "find_spec", lambda name: None)
    with pytest.raises(ExperimentError, match=r"^Stopping runs early needs Optuna: .*requirements-search.txt$"):
        require_optuna()
