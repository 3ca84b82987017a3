"""Addresses, versions and what a dispatcher says, without Dask."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_lib.cluster.report import ClusterReport, ClusterWorker, read_report, write_report
from mnist_lib.cluster.versions import compare_versions, find_versions
from mnist_lib.runs.queue import require_cluster
from mnist_lib.runs.run import RunStoreError

ADDRESS = "tcp://127.0.0.1:8786"


@pytest.mark.parametrize("address", [ADDRESS, "tls://dask.example:8786", "tcp://[::1]:8786"])
def test_an_address_as_dask_prints_it_is_taken(address: str) -> None:
    require_cluster(address)


@pytest.mark.parametrize(
    "address", ["", "localhost", "localhost:8786", "http://a:1", "tcp://a", "tcp://a:1\n", f"tcp://{'a' * 200}:1"]
)
def test_another_address_is_refused_in_one_line(address: str) -> None:
    with pytest.raises(RunStoreError) as caught:
        require_cluster(address)
    assert str(caught.value) == "The address of a Dask scheduler is as in tcp://host:8786 or tls://host:8786."


def test_a_report_is_read_as_it_was_written_and_for_its_cluster_alone(tmp_path: Path) -> None:
    worker = ClusterWorker(address="tcp://127.0.0.1:1", name="here", problem="numpy is 1 there and 2 here")
    report = ClusterReport(address=ADDRESS, message="1 run waits for a worker", workers=(worker,))
    write_report(tmp_path, report)
    assert read_report(tmp_path, ADDRESS) == report
    assert read_report(tmp_path, "tcp://127.0.0.1:8787") is None


def test_a_damaged_report_is_none(tmp_path: Path) -> None:
    write_report(tmp_path, ClusterReport(address=ADDRESS))
    (path,) = tmp_path.iterdir()
    path.write_text('{"address": 1}')
    assert read_report(tmp_path, ADDRESS) is None


def test_versions_that_differ_are_both_named() -> None:
    here = find_versions()
    assert compare_versions(here, dict(here)) == ""
    there = here | {"numpy": "1.0"}
    assert compare_versions(here, there) == f"numpy is 1.0 there and {here['numpy']} here"
    del there["keras"]
    assert compare_versions(here, there).startswith(f"keras is unknown there and {here['keras']} here; numpy is ")
