"""What a dispatcher says of its cluster, in a file beside the runs that the screens read."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from msgspec import Struct

from mnist_lib.runs.records import DamagedRunError, read_record, write_json


class ClusterWorker(Struct, frozen=True, kw_only=True):
    """A worker of the cluster.

    Attributes:
        address: Where it listens.
        name: Its host's name and its processor.
        run_id: What it trains for this dispatcher; ``""`` for nothing.
        problem: Why it gets no run: its versions differ, or it trains for somebody else.
    """

    address: str
    name: str = ""
    run_id: str = ""
    problem: str = ""


class ClusterReport(Struct, frozen=True, kw_only=True):
    """What a dispatcher knows of its cluster.

    Attributes:
        address: Where the scheduler listens.
        message: What it waits for, in a line; ``""`` while all is well.
        workers: All that the scheduler knows.
    """

    address: str
    message: str = ""
    workers: tuple[ClusterWorker, ...] = ()


def write_report(root: Path, report: ClusterReport) -> None:
    """Replace the report on a cluster.

    Args:
        root: The folder of the runs.
        report: What to say.

    Raises:
        OSError: The folder cannot be written.
    """
    write_json(_path(root, report.address), report)


def read_report(root: Path, address: str) -> ClusterReport | None:
    """Return the newest report on a cluster, or None if there is none.

    Args:
        root: The folder of the runs.
        address: Where the scheduler listens.
    """
    try:
        return read_record(_path(root, address), ClusterReport)
    except DamagedRunError:
        return None


def _path(root: Path, address: str) -> Path:
    return root / f".cluster-{crc32(address.encode()):08x}.json"
