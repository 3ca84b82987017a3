"""Experiments with runs that nobody trained: their files say what they reached."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.experiments.library import Experiment, ExperimentLibrary
from mnist_lib.experiments.plan import Plan
from mnist_lib.machine import device_name
from mnist_lib.runs.records import Member, RunRecord, Status, write_json
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import epoch_row, make_result

_PROBABILITIES = np.full((10_000, 10), 0.1, np.float32)


def add_experiment(store: RunStore, plan: Plan, name: str = "rates") -> Experiment:
    """Add an experiment without runs."""
    return ExperimentLibrary.beside(store.root).add(name, plan)


def add_run(
    store: RunStore,
    experiment: str,
    number: int,
    config: TrainingConfig,
    errors: Sequence[int],
    validation: Sequence[float | None] | None = None,
    **status: Any,
) -> Run:
    """Add a run of an experiment.

    Args:
        store: Where it is kept.
        experiment: The name of the experiment.
        number: Its number there.
        config: Its settings.
        errors: Misread test images after each epoch.
        validation: Validation accuracy after each epoch.
        **status: What its status says; by default it is finished.
    """
    run = Run(store.root / f"{experiment}-{number:03d}")
    (run.path / "epochs").mkdir(parents=True)
    run.write_config(config, RunRecord(created_at=1e9 + number))
    write_json(run.member_path, Member(experiment=experiment, number=number))
    for epoch, misclassified in enumerate(errors, start=1):
        reached = {"test_accuracy": 1 - misclassified / 10_000, "misclassified": misclassified}
        known = validation[epoch - 1] if validation else None
        run.append_metrics(epoch_row(epoch, validation_accuracy=known, elapsed_s=10.0 * epoch, **reached))
    (run.path / "metrics.jsonl").touch()
    if "state" not in status:
        with zipfile.ZipFile(run.model_path, "w"):
            pass
        run.save_probabilities(len(errors), _PROBABILITIES)
        status["result"] = make_result(
            run.run_id,
            epochs=len(errors),
            test_accuracy=1 - errors[-1] / 10_000,
            misclassified=errors[-1],
            train_seconds=10.0 * len(errors),
            device=device_name(),
        )
    run.write_status(Status(**{"state": "finished", "epoch": len(errors), **status}))
    return run
