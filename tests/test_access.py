"""Who may do what: modes and limits, as the environment says them, and as the store holds them."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from mnist_lib.access import DEFAULT_LIMITS, OWNER, Access, AccessError, Visitor, read_access
from mnist_lib.command_line import main
from mnist_lib.config import PRESETS, TrainingConfig
from mnist_lib.runs.archive import archive_run, load_archive
from mnist_lib.runs.run import NotAllowedError, Run, RunStoreError
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import continue_training, start_handwriting, start_training
from tests.support.processes import wait_until
from tests.support.runs import PAPER_RUN, copy_bundled_run, let_it_train

ANNA, OTHER_ANNA = Visitor("a1", "Anna"), Visitor("a2", "Anna")
TEACHER = Visitor("t1", "Teacher", may_do_all=True)


def as_visitor(store: RunStore, mode: str, visitor: Visitor | None, **limits: Any) -> RunStore:
    """Return the same folder as a visitor may use it."""
    allowed = replace(DEFAULT_LIMITS[mode], **limits)
    return RunStore(store.root, store.bundled_root, Access(mode, allowed, visitor))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_private_is_the_default_and_allows_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_MODE", raising=False)
    access = read_access(None)
    assert access == Access("private", DEFAULT_LIMITS["private"], OWNER)
    assert access.may_do_all
    assert access.problem_of(replace(PRESETS["accurate"], epochs=100)) == ""


def test_environment_gives_mode_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_MODE", "class")
    monkeypatch.setenv("MNIST_MAX_EPOCHS", "3")
    access = read_access(ANNA)
    assert (access.mode, access.limits.epochs, access.limits.images) == ("class", 3, 60_000)
    assert access.problem_of(TrainingConfig(epochs=4)) == "Epochs: at most 3 here."
    assert access.problem_of(TrainingConfig(epochs=3)) == ""
    assert read_access(TEACHER).problem_of(TrainingConfig(epochs=4)) == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MNIST_MODE", "Public"),
        ("MNIST_MODE", "open"),
        ("MNIST_MAX_RUNS", "many"),
        ("MNIST_MAX_MINUTES", "-1"),
        ("MNIST_MAX_EPOCHS", "0"),
        ("MNIST_MAX_IMAGES", "²"),
        ("MNIST_MAX_GIGABYTES", "9" * 5_000),
    ],
)
def test_wrong_environment_is_one_line(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(AccessError, match=f"{name} must be "):
        read_access()
    assert main(["summary"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1


def changes(store: RunStore, run: Run) -> list[Callable[[], object]]:
    """Return every way to change a run."""
    return [
        lambda: store.delete(run),
        lambda: store.rename(run, "mine"),
        lambda: store.write_note(run, "mine"),
        lambda: store.request(run, stop=True),
        lambda: store.request(run, paused=True),
        lambda: store.request(run, learning_rate=0.1),
        lambda: store.publish(run),
        lambda: continue_training(store, run),
    ]


def test_pupil_changes_only_what_is_theirs(store: RunStore) -> None:
    run = copy_bundled_run(store)
    before = content(store.root)
    for owner in (None, ANNA):
        if owner:
            run.write_owner(owner)
            before = content(store.root)
        for mode, visitor in (("class", OTHER_ANNA), ("class", None), ("public", None)):
            for change in changes(as_visitor(store, mode, visitor), run):
                with pytest.raises(NotAllowedError):
                    change()
            assert content(store.root) == before
    anna, teacher = as_visitor(store, "class", ANNA), as_visitor(store, "class", TEACHER)
    assert anna.may_change(run)
    assert teacher.may_change(run)
    anna.write_note(run, "mine")
    assert run.read_note() == "mine"
    renamed = anna.rename(run, "mine")
    assert renamed.read_owner() == ANNA
    with pytest.raises(NotAllowedError):
        anna.publish(renamed)
    teacher.publish(renamed)
    teacher.delete(renamed)
    assert teacher.own_runs() == []


def test_public_shows_shipped_and_published_runs_only(store: RunStore) -> None:
    store.bundled_root = PAPER_RUN.path.parent
    hidden, shown = copy_bundled_run(store, "hidden"), copy_bundled_run(store, "shown")
    store.publish(shown)
    let_it_train(hidden, store)
    public = as_visitor(store, "public", None)
    assert [run.run_id for run in public.own_runs()] == ["shown"]
    assert len(public.runs()) == 3
    assert public.find("hidden") is None
    assert public.active_run() is None
    store.publish(shown, False)
    assert public.own_runs() == []


def test_command_publishes_a_run(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    run = copy_bundled_run(store, "shown")
    command = ["publish", "shown", "--runs-dir", str(store.root)]
    assert main(command) == 0
    assert run.is_published()
    assert main([*command, "--undo"]) == 0
    assert not run.is_published()
    assert main(["publish", "no-run", "--runs-dir", str(store.root)]) == 2
    assert main(["publish", PAPER_RUN.run_id, "--runs-dir", str(store.root)]) == 2
    assert "ships with the project" in capsys.readouterr().err


def test_what_a_visitor_may_not_train_or_load_leaves_nothing(store: RunStore) -> None:
    zipped = archive_run(PAPER_RUN)
    for mode, visitor in (("public", None), ("class", None)):
        nobody = as_visitor(store, mode, visitor)
        with pytest.raises(NotAllowedError):
            start_training(nobody, TrainingConfig())
        with pytest.raises(NotAllowedError):
            start_handwriting(nobody, PAPER_RUN, store.root)
        with pytest.raises(NotAllowedError):
            load_archive(io.BytesIO(zipped), nobody)
    for config in (TrainingConfig(epochs=21), TrainingConfig(training_images=60_000)):
        with pytest.raises(NotAllowedError, match=r"at most .* here\."):
            start_training(as_visitor(store, "class", ANNA, images=59_999), config)
    assert content(store.root) == {}


def test_run_that_a_pupil_loads_is_theirs(store: RunStore) -> None:
    loaded = load_archive(io.BytesIO(archive_run(PAPER_RUN)), as_visitor(store, "class", ANNA))
    assert loaded.read_owner() == ANNA


def test_folder_that_is_full_takes_no_more(store: RunStore) -> None:
    copy_bundled_run(store)
    zipped = archive_run(PAPER_RUN)
    for limit, message in (({"runs": 1}, "At most 1 runs"), ({"gigabytes": 0.001}, "more than the 0.001 GB")):
        full = as_visitor(store, "private", OWNER, **limit)
        with pytest.raises(RunStoreError, match=message), full.training(TrainingConfig()):
            pass
        with pytest.raises(RunStoreError, match=message):
            load_archive(io.BytesIO(zipped), full)
    assert len(store.own_runs()) == 1
    with store.training(TrainingConfig()):  # the claim was given back
        pass


@pytest.mark.process
def test_training_of_a_pupil_ends_with_its_minutes_and_keeps_its_model(store: RunStore) -> None:
    anna = as_visitor(store, "class", ANNA, minutes=0.02)
    config = TrainingConfig("custom", epochs=20, training_images=600, filters_1=1, filters_2=1, dense_units=1)
    run = start_training(anna, replace(config, batch_size=1))
    trainer = psutil.Process(run.read_status().pid)
    try:
        assert run.read_owner() == ANNA
        wait_until(lambda: run.read().state == "stopped")
    finally:
        with suppress(psutil.NoSuchProcess):
            trainer.kill()
    assert run.read().message == "its time of 0.02 minutes was over"
    assert run.has_model()
