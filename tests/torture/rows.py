"""All rows, in the order of the table."""

from __future__ import annotations

from tests.torture.commands import Commands
from tests.torture.disks import Clocks, FullDisks, ReadOnly
from tests.torture.experiments import ExperimentKills
from tests.torture.kills import ServerKills, TrainerKills
from tests.torture.row import Row
from tests.torture.screens import Addresses, Damages
from tests.torture.uploads import DrawingZips, Pictures, RunZips

ROWS: dict[str, type[Row]] = {
    row.name: row
    for row in (
        TrainerKills, ServerKills, ExperimentKills, FullDisks, ReadOnly, Clocks, RunZips, DrawingZips, Pictures,
        Damages, Addresses, Commands,
    )
}  # fmt: skip
