"""A run that another machine trained comes into its folder here, checked as a stranger's zip is."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from mnist_lib.runs.archive import archive_run, take_in_archive
from mnist_lib.runs.records import Status
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from tests.support.runs import Trained, change_json


@pytest.fixture
def sent(run_copy: Run) -> Run:
    """The tiny run as it was after its first epoch, when it was sent to another machine."""
    run_copy.rewind(1)
    run_copy.write_status(Status("running"))
    run_copy.write_note("mine")
    (run_copy.path / "queue.json").write_text("{}")
    return run_copy


def archived(trained: Trained, tmp_path: Path, change: str = "", **values: object) -> io.BytesIO:
    """Return the zip of the whole run, with some values of a JSON file changed."""
    run = Run(Path(shutil.copytree(trained.run.path, tmp_path / trained.run.run_id)))
    run.write_note("not mine")
    run.weights_path(1).unlink()
    run.probabilities_path(1).unlink()
    if change:
        change_json(run.path / change, **values)
    return io.BytesIO(archive_run(run))


def content_of(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_a_run_that_comes_back_is_whole_and_keeps_what_is_this_machine_s(
    sent: Run, trained: Trained, store: RunStore, tmp_path: Path
) -> None:
    first_weights = sent.weights_path(1).read_bytes()
    take_in_archive(archived(trained, tmp_path), sent, store)
    snapshot = sent.read()
    assert (snapshot.state, snapshot.epochs) == ("finished", trained.run.read().epochs)
    assert sent.epochs_with_weights() == sent.epochs_with_probabilities() == [1, 2]
    assert sent.weights_path(1).read_bytes() == first_weights
    assert sent.read_note() == "mine"
    assert (sent.path / "queue.json").read_text() == "{}"
    assert not list(store.root.glob(".*"))


def test_a_run_with_other_settings_is_refused_and_changes_nothing(
    sent: Run, trained: Trained, store: RunStore, tmp_path: Path
) -> None:
    before = content_of(sent)
    config = json.loads((trained.run.path / "config.json").read_text())
    zipped = archived(trained, tmp_path, "config.json", settings=config["settings"] | {"seed": 8})
    with pytest.raises(RunStoreError, match="other settings than the run that was sent"):
        take_in_archive(zipped, sent, store)
    assert content_of(sent) == before


def test_a_machine_s_name_that_is_markup_is_refused(
    sent: Run, trained: Trained, store: RunStore, tmp_path: Path
) -> None:
    zipped = archived(trained, tmp_path)
    with zipfile.ZipFile(zipped) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    metrics = next(name for name in files if name.endswith("metrics.jsonl"))
    files[metrics] = files[metrics].replace(b'"trained_on":""', b'"trained_on":"a<b>"')
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(RunStoreError, match=r"metrics\.jsonl holds text that no trainer writes"):
        take_in_archive(hostile, sent, store)


def test_an_earlier_epoch_that_is_here_is_checked_with_the_others(
    sent: Run, trained: Trained, store: RunStore, tmp_path: Path
) -> None:
    sent.probabilities_path(1).write_bytes(b"no array")
    with pytest.raises(RunStoreError, match=r"epochs/001\.npz"):
        take_in_archive(archived(trained, tmp_path), sent, store)
