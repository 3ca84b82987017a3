"""An experiment is started whole or not at all."""

from __future__ import annotations

import pytest

from mnist_lib.config import PRESETS
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.experiments.library import ExperimentLibrary
from mnist_lib.experiments.plan import plan_experiment
from mnist_lib.experiments.results import read_results
from mnist_lib.experiments.start import start_experiment
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import RunStoreError
from mnist_lib.runs.store import RunStore

PLAN = plan_experiment(PRESETS["fast"], seeds=2)


def test_an_experiment_whose_runs_cannot_wait_is_not_kept(store: RunStore) -> None:
    with pytest.raises(RunStoreError, match="The address of a Dask scheduler"):
        start_experiment(store, "seeds", PLAN, MNIST_DESCRIPTION, cluster="teacher")
    assert ExperimentLibrary.beside(store.root).experiments() == []
    assert store.own_runs() == []


def test_runs_kept_of_a_removed_experiment_are_not_those_of_the_next_with_its_name(store: RunStore) -> None:
    start_experiment(store, "seeds", PLAN, MNIST_DESCRIPTION)
    kept = {run.run_id for run in store.own_runs()}
    ExperimentLibrary.beside(store.root).remove("seeds")
    plan = plan_experiment(PRESETS["paper"], seeds=3)
    experiment = start_experiment(store, "seeds", plan, MNIST_DESCRIPTION)
    assert [run.config for run in read_results(store, experiment).runs] == plan.configs()
    assert {entry.run.run_id for entry in RunQueue(store).waiting()} > kept
