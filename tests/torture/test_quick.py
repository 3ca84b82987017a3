"""The quick part of ``make torture``: a few cases of each row."""

from __future__ import annotations

import pytest

from tests.support.runs import Trained
from tests.torture.row import do_cases
from tests.torture.rows import ROWS


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.quick_cases])
def test_nothing_is_lost_or_written_outside_and_nothing_ends_in_a_traceback(name: str, trained: Trained) -> None:
    row = ROWS[name]
    outcome = do_cases(row, trained.run, seed=0, numbers=range(row.quick_cases))
    assert not outcome.faults
