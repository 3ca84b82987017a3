"""The paper's figures, and a run's beside them."""

from __future__ import annotations

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.paper import (
    CLAIM_LABELS,
    NOT_MEASURED,
    PAPER_CLAIMS,
    PARAMETERS,
    TABLE_II,
    TEST_ACCURACY,
    TEST_LOSS,
    run_claims,
)
from mnist_lib.runs.records import RunRecord, RunSnapshot, Status
from tests.support.runs import epoch_row, make_result


def test_figures_are_those_of_the_paper() -> None:
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


def test_claims_are_the_run_s_own_figures() -> None:
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
