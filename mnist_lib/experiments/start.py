"""Starts an experiment."""

from __future__ import annotations

from contextlib import suppress

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.experiments.halving import require_optuna
from mnist_lib.experiments.library import Experiment, ExperimentError, ExperimentLibrary
from mnist_lib.experiments.plan import Plan
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import NotAllowedError, Run
from mnist_lib.runs.store import RunStore


def start_experiment(
    store: RunStore, name: str, plan: Plan, dataset: DatasetDescription, cluster: str = "", note: str = ""
) -> Experiment:
    """Keep a new experiment and let its runs wait in the queue; neither, if they cannot.

    Args:
        store: The runs; the experiments are beside them.
        name: As for ``ExperimentLibrary.add``, as are the others.
        plan: What it trains.
        dataset: What its runs learn from.
        cluster: The address of a Dask scheduler; empty for this machine.
        note: What a person notes about it.

    Raises:
        ExperimentError: It cannot be kept, or Optuna is needed and not installed.
        NotAllowedError: The visitor may not train so much.
        RunStoreError: There is no room for the runs, or the folder cannot be written.
    """
    if plan.halving:
        require_optuna()
    library = ExperimentLibrary.beside(store.root, store.access)
    experiment = library.add(name, plan, dataset, cluster, note)
    try:
        _leave_earlier(store, name)
        RunQueue(store).add_all(plan.configs(), dataset, name, cluster)
    except BaseException:  # or Ctrl-C
        with suppress(ExperimentError):
            library.remove(name)
        raise
    return experiment


def _leave_earlier(store: RunStore, name: str) -> None:
    """Let the runs that were kept of a removed experiment of this name belong to none."""
    try:
        for run, _ in store.members(name):
            run.member_path.unlink(missing_ok=True)
    except OSError as error:
        raise store.cannot_write(error) from error


def queue_missing(store: RunStore, experiment: Experiment) -> list[Run]:
    """Let the runs of an experiment that are not there wait in the queue: deleted, taken back, or never queued.

    Raises:
        NotAllowedError: The visitor may not change the experiment, or not train so much.
        RunStoreError: There is no room for them, or the folder cannot be written.
    """
    if not store.access.may_change(experiment.owner):
        raise NotAllowedError(store.access.refusal)
    return RunQueue(store).add_all(experiment.plan.configs(), experiment.dataset, experiment.name, experiment.cluster)
