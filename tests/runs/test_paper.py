"""The paper's results, and a run's beside them."""

from __future__ import annotations

from typing import Any

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.paper import (
    CLAIM_LABELS,
    NOT_MEASURED,
    PAPER_CLAIMS,
    PAPER_RESULT,
    PARAMETERS,
    TABLE_II,
    TEST_ACCURACY,
    TEST_LOSS,
    epoch_columns,
    run_claims,
)
from mnist_lib.runs.records import EpochRow, RunRecord, RunSnapshot, Status
from tests.support.runs import epoch_row, make_result


def test_metrics_are_those_of_the_paper() -> None:
    assert [tuple(row) for row in TABLE_II] == [
        (0.1559, 0.9524),
        (0.0564, 0.9833),
        (0.0393, 0.9871),
        (0.0293, 0.9905),
        (0.0243, 0.9922),
    ]
    assert len(TABLE_II) == TrainingConfig().epochs
    assert (TEST_LOSS, TEST_ACCURACY, PARAMETERS) == (0.0265, 0.9921, 515146)
    assert PAPER_CLAIMS.parameters == "515,146"
    assert f"{TEST_ACCURACY:.2%}" in PAPER_CLAIMS.test_accuracy


def test_run_that_has_reached_nothing_has_dashes() -> None:
    assert set(run_claims(RunSnapshot("a run", False, "damaged"))) == {NOT_MEASURED}


def test_claims_are_the_results_of_the_run() -> None:
    snapshot = RunSnapshot(
        "a run",
        False,
        "finished",
        config=TrainingConfig(dense_units=1),
        record=RunRecord(device="CPU, 2 cores"),
        status=Status("finished", result=make_result("a run", train_seconds=75.4)),
        epochs=[epoch_row(1, seconds=13.0), epoch_row(2, seconds=12.0, test_accuracy=0.9921, misclassified=1079)],
    )
    claims = run_claims(snapshot)
    assert claims == ("99.21%", "1,079", "12.5 s", "1 min 15 s", f"{320 + 18_496 + 7_745 + 20:,}", "CPU, 2 cores")
    assert len(claims) == len(CLAIM_LABELS)


def test_broken_off_epoch_does_not_count_as_the_time_of_one() -> None:
    snapshot = RunSnapshot(
        "a run", False, "stopped", epochs=[epoch_row(1, seconds=13.0), epoch_row(2, seconds=2.0, complete=False)]
    )
    assert run_claims(snapshot).seconds_per_epoch == "13.0 s"
    snapshot = RunSnapshot("a run", False, "stopped", epochs=[epoch_row(2, seconds=2.0, complete=False)])
    assert run_claims(snapshot).seconds_per_epoch == NOT_MEASURED


def table_ii_row(epoch: int, **values: Any) -> EpochRow:
    usual = {"train_loss": 0.25, "train_accuracy": 0.9, "test_loss": 0.125, "test_accuracy": 0.95}
    return epoch_row(epoch, **{"seconds": 12.34, "misclassified": 1500, **usual, **values})


def test_table_ii_has_the_papers_rows_beside_as_many_epochs_as_they_are() -> None:
    columns = epoch_columns([table_ii_row(epoch) for epoch in range(1, 7)])
    assert list(columns) == [
        "Epoch", "Time", "Loss", "Accuracy", "Test loss", "Test accuracy", "Misread", "Paper: loss", "Paper: accuracy",
    ]  # fmt: skip
    rows = list(zip(*columns.values(), strict=True))
    own = ("12.3\N{NO-BREAK SPACE}s", "0.2500", "0.9000", "0.1250", "0.9500", "1,500")
    assert rows[1] == ("2", *own, "0.0564", "0.9833")
    assert rows[5] == ("6", *own, "", "")
    assert rows[6] == tuple(PAPER_RESULT.get(heading, "") for heading in columns)
    assert PAPER_RESULT.keys() <= columns.keys()
    assert epoch_columns([table_ii_row(1)])["Paper: loss"] == ["0.1559", "0.0243"]


def test_table_ii_of_other_data_is_without_the_paper() -> None:
    columns = epoch_columns([table_ii_row(1)], beside_paper=False)
    assert list(columns) == ["Epoch", "Time", "Loss", "Accuracy", "Test loss", "Test accuracy", "Misread"]
    assert columns["Epoch"] == ["1"]


def test_table_ii_marks_a_stopped_epoch_and_missing_values() -> None:
    validated = {"validation_loss": None, "validation_accuracy": 0.875}
    columns = epoch_columns([table_ii_row(1), table_ii_row(2, complete=False, train_loss=None, **validated)], False)
    assert columns["Epoch"] == ["1", "2 (stopped)"]
    assert columns["Loss"] == ["0.2500", NOT_MEASURED]
    assert columns["Validation loss"] == [NOT_MEASURED] * 2
    assert columns["Validation accuracy"] == [NOT_MEASURED, "0.8750"]
