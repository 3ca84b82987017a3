"""``work --cluster`` with what cannot be used: one line each, and an end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes import Python


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("nowhere", "The address of a Dask scheduler is as in tcp://host:8786 or tls://host:8786."),
        (
            "tls://127.0.0.1:8786",
            "tls://127.0.0.1:8786 needs Dask's settings for TLS: DASK_DISTRIBUTED__COMM__TLS__CA_FILE and others, see "
            "docs/cluster.md.",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_said_in_one_line(
    address: str, line: str, python: Python, tmp_path: Path
) -> None:
    code, stdout, stderr = python.run("-m", "mnist_lib", "work", "--cluster", address, "--runs-dir", tmp_path)
    assert (code, stdout, stderr) == (2, "", f"mnist_lib: {line}\n")


def test_nothing_that_waits_needs_no_scheduler(python: Python, tmp_path: Path) -> None:
    ended = python.run("-m", "mnist_lib", "work", "--cluster", "tcp://127.0.0.1:1", "--runs-dir", tmp_path)
    assert ended == (0, "", "")
