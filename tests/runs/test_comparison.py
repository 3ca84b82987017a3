"""The best run, found from the small files of many."""

from __future__ import annotations

from typing import Any

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.runs.comparison import best_result, run_result
from mnist_lib.runs.records import RunRecord, Status
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import make_result


def write_run(
    store: RunStore,
    name: str,
    misclassified: Any,
    seconds: float = 60.0,
    state: Any = "finished",
    dataset: DatasetDescription = MNIST_DESCRIPTION,
) -> Run:
    run = Run(store.root / name)
    run.path.mkdir(parents=True)
    result = make_result("its name then", misclassified=misclassified, train_seconds=seconds)
    run.write_status(Status(state, result=result))
    run.write_config(TrainingConfig(dataset=dataset.name, classes=dataset.classes), RunRecord(dataset=dataset))
    return run


def test_best_run_has_the_fewest_mistakes_and_is_another_one(store: RunStore) -> None:
    best = write_run(store, "a", 70)
    write_run(store, "b", 85, state="stopped")
    write_run(store, "c", 100)
    assert best_result(store, excluding=Run(store.root / "c")) == make_result("a", misclassified=70)
    found = best_result(store, excluding=best)
    assert found
    assert found.run_id == "b"


def test_among_equals_the_faster_is_the_better(store: RunStore) -> None:
    for name, seconds in (("a", 60.0), ("b", 20.0), ("c", 40.0)):
        write_run(store, name, 80, seconds)
    found = best_result(store, excluding=write_run(store, "d", 90))
    assert found
    assert found.run_id == "b"


def test_shipped_runs_count(store: RunStore) -> None:
    shipped = RunStore(store.root, None)
    found = best_result(shipped, excluding=write_run(store, "a", 1))
    assert found
    assert found.run_id == shipped.bundled_runs()[0].run_id


def test_a_run_of_the_same_name_elsewhere_is_another_one(store: RunStore) -> None:
    bundled = RunStore(store.bundled_root)
    write_run(bundled, "a", 3)
    found = best_result(store, excluding=write_run(store, "a", 5))
    assert found
    assert found.misclassified == 3


def test_runs_on_other_data_do_not_count(store: RunStore) -> None:
    shirts = DatasetDescription(name="Shirts", class_names=("short", "long"), sha256="0" * 64)
    run = write_run(store, "a", 80)
    other = write_run(store, "b", 3, dataset=shirts)
    assert best_result(store, excluding=run) is None
    write_run(store, "c", 4, dataset=shirts)
    found = best_result(store, excluding=other)
    assert found
    assert found.run_id == "c"


def test_runs_without_a_result_are_skipped(store: RunStore) -> None:
    failed = write_run(store, "failed", 3, state="failed")
    write_run(store, "odd", "few")
    write_run(store, "nothing", None)
    (store.root / "empty").mkdir()
    garbled = write_run(store, "garbled", 4)
    (garbled.path / "status.json").write_text("{")
    assert run_result(failed) is None
    assert best_result(store, excluding=failed) is None
