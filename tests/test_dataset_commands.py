"""The commands for data sets, each as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mnist_lib.data.dataset import Dataset
from tests.support.datasets import CLASS_NAMES, make_turned_digits, write_idx_files
from tests.support.processes import Python


def test_data_set_is_added_listed_and_removed(dataset: Dataset, python: Python, tmp_path: Path) -> None:
    turned = make_turned_digits(dataset)
    write_idx_files(turned, tmp_path / "idx")

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        return python.run("-m", "mnist_lib", "datasets", *arguments, "--runs-dir", tmp_path / "runs")

    add = ("add", tmp_path / "idx", "--name", "Turned", "--classes", ", ".join(CLASS_NAMES), "--licence", "CC0")
    code, stdout, _ = run(*add)
    assert code == 0
    assert stdout.splitlines()[0] == "IDX files: 600 training and 90 test images in 3 classes."
    assert "Zero" in stdout
    assert stdout.splitlines()[-1].endswith("train --dataset Turned")
    code, stdout, stderr = run(*add)
    assert (code, stdout) == (2, "")
    assert stderr == "mnist_lib: There is a data set Turned already. Choose another name, or replace it.\n"
    assert run(*add, "--replace")[0] == 0
    mnist, added = map(json.loads, run("--json")[1].splitlines())
    assert mnist["name"] == "MNIST"
    assert added["sha256"] == turned.description.sha256
    assert (added["class_names"], added["licence"]) == (list(CLASS_NAMES), "CC0")
    assert run("remove", "Turned")[0] == 0
    assert "Turned" not in run()[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--name", "a"], "nowhere cannot be read"),
        ([".", "--name", "../a"], "The name of a data set"),
        ([".", "--name", "a", "--seed", "-1"], "--seed"),
        ([".", "--name", "a", "--fitting", "round"], "invalid choice"),
    ],
)
def test_wrong_words_are_one_line(arguments: list[str], said: str, python: Python, tmp_path: Path) -> None:
    code, stdout, stderr = python.run("-m", "mnist_lib", "datasets", "add", *arguments, MNIST_RUNS_DIR=str(tmp_path))
    assert (code, stdout) == (2, "")
    (line,) = stderr.splitlines()
    assert said in line
