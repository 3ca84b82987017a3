"""An experiment is started whole or not at all."""

from __future__ import annotations

import pytest

from mnist_lib.access import Visitor, read_access
from mnist_lib.config import PRESETS
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.experiments.library import ExperimentLibrary
from mnist_lib.experiments.plan import plan_experiment
from mnist_lib.experiments.results import read_results
from mnist_lib.experiments.start import queue_missing, start_experiment
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import NotAllowedError, RunStoreError
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


def test_pupil_queues_nothing_for_the_experiment_of_another(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_MODE", "class")
    anna, ben = (RunStore(store.root, access=read_access(Visitor(name, name))) for name in ("Anna", "Ben"))
    experiment = start_experiment(anna, "seeds", PLAN, MNIST_DESCRIPTION)
    queue = RunQueue(anna)
    queue.take_back(queue.waiting()[0].run)
    with pytest.raises(NotAllowedError):
        queue_missing(ben, experiment)
    assert [run.read_owner() for run in queue_missing(anna, experiment)] == [Visitor("Anna", "Anna")]
