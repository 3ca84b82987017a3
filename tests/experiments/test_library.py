"""The experiments of a machine: kept whole, refused to strangers, and never in the way when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_lib.access import Visitor, read_access
from mnist_lib.config import TrainingConfig
from mnist_lib.experiments.library import ExperimentError, ExperimentLibrary
from mnist_lib.experiments.plan import Plan, parse_vary, plan_experiment
from tests.support.runs import change_json

ANNA, BEN = Visitor("1", "Anna"), Visitor("2", "Ben")


@pytest.fixture
def library(tmp_path: Path) -> ExperimentLibrary:
    return ExperimentLibrary.beside(tmp_path / "runs")


@pytest.fixture
def plan() -> Plan:
    return plan_experiment(TrainingConfig(), vary=[parse_vary("learning_rate=0.001..0.1")], samples=3, seeds=2)


def test_experiment_is_found_as_it_was_added(library: ExperimentLibrary, plan: Plan, tmp_path: Path) -> None:
    added = library.add("first", plan, note=" Which rate? ")
    library.add("second", plan, cluster="tcp://teacher:8786")
    assert library.find("first") == added
    assert added.note == "Which rate?"
    assert added.owner is None
    assert [each.name for each in library.experiments()] == ["second", "first"]
    assert (tmp_path / "experiments" / "first" / "experiment.json").is_file()
    assert library.new_name("first") == "first-1"
    library.write_note(added, "")
    assert [each.note for each in library.experiments()] == ["", ""]
    library.remove("first")
    assert [path.name for path in library.root.iterdir()] == ["second"]


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".a", "a" * 101, "a\n", "ä"])
def test_name_that_is_no_folder_is_refused(name: str, library: ExperimentLibrary, plan: Plan) -> None:
    with pytest.raises(ExperimentError, match="A name has 1 to 100"):
        library.add(name, plan)
    assert library.find(name) is None
    assert not library.root.exists()


def test_name_that_is_taken_and_a_note_too_long_are_refused(library: ExperimentLibrary, plan: Plan) -> None:
    library.add("rates", plan)
    with pytest.raises(ExperimentError, match="There is an experiment RATES already"):
        library.add("RATES", plan)
    with pytest.raises(ExperimentError, match="at most 2,000 characters"):
        library.add("other", plan, note="x" * 2_001)
    with pytest.raises(ExperimentError, match=r"There is no experiment .\.\./rates"):
        library.remove("../rates")


def test_damaged_experiment_is_told_in_a_line_and_can_be_removed(library: ExperimentLibrary, plan: Plan) -> None:
    for name in ("garbage", "missing", "wrong", "other", "whole"):
        library.add(name, plan)
    (library.root / "garbage" / "experiment.json").write_bytes(b"\xff{")
    (library.root / "missing" / "experiment.json").unlink()
    change_json(library.root / "wrong" / "experiment.json", plan={"base": {"epochs": 1_000}})
    change_json(library.root / "other" / "experiment.json", name="whole")
    assert [each.name for each in library.experiments()] == ["whole"]
    assert library.damaged() == {
        "garbage": "experiment.json is not JSON",
        "missing": "experiment.json is missing",
        "other": "experiment.json has another name than its folder",
        "wrong": "experiment.json has a wrong value, at plan",
    }
    library.remove("garbage")
    assert len(library.damaged()) == 3


def test_pupils_change_their_own_experiments_only_and_the_public_sees_none(
    library: ExperimentLibrary, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_MODE", "class")
    as_anna, as_ben = (ExperimentLibrary(library.root, read_access(visitor)) for visitor in (ANNA, BEN))
    experiment = as_anna.add("annas", plan)
    assert experiment.owner == ANNA
    with pytest.raises(ExperimentError, match="owner or a teacher"):
        as_ben.write_note(experiment, "Ben was here")
    with pytest.raises(ExperimentError, match="owner or a teacher"):
        as_ben.remove("annas")
    assert as_ben.find("annas") == experiment
    as_anna.write_note(experiment, "mine")
    monkeypatch.setenv("MNIST_MODE", "public")
    public = ExperimentLibrary(library.root, read_access(None))
    assert public.experiments() == []
    assert public.find("annas") is None
    with pytest.raises(ExperimentError, match="only shows runs"):
        public.add("public", plan)
