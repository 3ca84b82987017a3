"""What Keras computes with: chosen before it is loaded, recorded, and kept when a run is continued."""

from __future__ import annotations

import json

import pytest

from mnist_lib.machine import cpu_name
from mnist_lib.network import backend
from mnist_lib.network.backend import (
    BackendError,
    choose_backend,
    choose_onednn,
    device_in_use,
)
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.processes import DEADLINE_S, Python
from tests.support.runs import change_json

SHORT = ("--limit=64", "--epochs=1")

# What TensorFlow says on its own when it is loaded with oneDNN.
ONEDNN_IS_ON = "oneDNN custom operations are on"


@pytest.mark.parametrize(
    ("setting", "environment", "with_avx2", "without"),
    [
        ("auto", "", True, None),
        ("on", "", True, True),
        ("off", "", False, False),
        # A person's own choice.
        ("auto", "0", False, False),
        ("on", "0", False, False),
        ("on", "false", False, False),
        ("auto", "1", True, True),
        ("off", "1", True, True),
        ("off", "True", True, True),
        # TensorFlow does not understand it either.
        ("auto", "yes", True, None),
        ("off", "yes", False, False),
    ],
)
def test_onednn_is_chosen_by_the_environment_then_the_setting_then_the_processor(
    setting: str, environment: str, with_avx2: bool, without: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", environment)
    monkeypatch.setattr(backend, "has_avx2", lambda: True)
    assert choose_onednn(setting) is with_avx2
    monkeypatch.setattr(backend, "has_avx2", lambda: False)
    assert choose_onednn(setting) is without


def test_onednn_is_what_was_chosen_and_is_recorded(python: Python, store: RunStore) -> None:
    arguments = ("-m", "mnist_lib", "train", *SHORT, "--onednn=off", "--runs-dir", store.root)
    code, _, stderr = python.run(*arguments, TF_ENABLE_ONEDNN_OPTS="1")
    assert code == 0, stderr
    (run,) = store.own_runs()
    assert ONEDNN_IS_ON in run.log_path.read_text()
    assert json.loads((run.path / "config.json").read_text())["onednn"] is True


def let_begin_again(run: Run) -> None:
    """Let a finished run be one that was interrupted in its first epoch."""
    change_json(run.path / "status.json", state="interrupted", result=None)
    (run.path / "metrics.jsonl").write_bytes(b"")


def let_be_recorded(run: Run, onednn: bool | None) -> None:
    """Let a run have been interrupted in its first epoch, in bfloat16, with oneDNN or without."""
    config, _ = run.read_config()
    settings = config.to_dict() | {"epochs": 1, "onednn": "on", "precision": "auto"}
    change_json(run.path / "config.json", settings=settings, onednn=onednn, precision="mixed_bfloat16")
    run.log_path.unlink()
    let_begin_again(run)


def test_continued_run_computes_as_before_whatever_the_setting_and_the_environment_say(
    run_copy: Run, store: RunStore, python: Python
) -> None:
    let_be_recorded(run_copy, onednn=False)
    arguments = ("-m", "mnist_lib", "train", f"--continue={run_copy.run_id}", "--runs-dir", store.root)
    code, _, stderr = python.run(*arguments, TF_ENABLE_ONEDNN_OPTS="1")
    assert code == 0, stderr
    _, record = run_copy.read_config()
    assert (record.onednn, record.precision) == (False, "mixed_bfloat16")
    assert ONEDNN_IS_ON not in run_copy.log_path.read_text()


def test_continued_run_that_left_it_to_tensorflow_does_so_again(
    run_copy: Run, store: RunStore, python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_be_recorded(run_copy, onednn=None)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    process = python.train(f"--continue={run_copy.run_id}", "--runs-dir", store.root)
    _, stderr = process.communicate(DEADLINE_S)
    assert process.returncode == 0, stderr
    _, record = run_copy.read_config()
    assert (record.onednn, record.precision) == (None, "mixed_bfloat16")


@pytest.mark.parametrize(
    ("on_gpu", "name", "expected"),
    [
        (False, "GPU, NVIDIA GeForce GTX 1060 6GB", cpu_name()),  # there is one, but Keras has none
        (True, "GPU, NVIDIA GeForce GTX 1060 6GB", "GPU, NVIDIA GeForce GTX 1060 6GB"),
        (True, cpu_name(), "GPU"),
    ],
)
def test_device_is_the_one_that_keras_has(
    on_gpu: bool, name: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "has_gpu", lambda: on_gpu)
    monkeypatch.setattr(backend, "device_name", lambda: name)
    assert device_in_use() == expected


# Which backend.


@pytest.mark.parametrize(
    ("asked", "recorded", "expected"),
    [
        ("", (), "tensorflow"),
        ("jax", (), "jax"),
        ("tensorflow", (), "tensorflow"),
        # A run that is continued.
        ("", ("python", "keras", "jax", "numpy"), "jax"),
        ("jax", ("python", "keras", "jax", "numpy"), "jax"),
        ("", ("python", "keras", "tensorflow", "numpy"), "tensorflow"),
    ],
)
def test_backend_is_that_of_the_run_or_that_of_the_environment(
    asked: str, recorded: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", asked)
    assert choose_backend(recorded) == expected


@pytest.mark.parametrize("recorded", [("keras", "jax"), ()])
def test_backend_that_is_not_installed_is_refused(recorded: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match=r"^jax is not installed\. "):
        choose_backend(recorded)


@pytest.mark.parametrize("name", ["torch", "nonsense", "../x"])
def test_backend_on_which_nothing_trains_is_refused_before_there_is_a_run(
    name: str, python: Python, store: RunStore
) -> None:
    answer = python.run("-m", "mnist_lib", "train", *SHORT, "--runs-dir", store.root, KERAS_BACKEND=name)
    assert answer == (2, "", f"mnist_lib: KERAS_BACKEND must be one of tensorflow, jax, not {name!r}.\n")
    assert store.own_runs() == []


def test_run_is_not_continued_on_another_backend_and_stays_as_it_is(
    run_copy: Run, store: RunStore, python: Python
) -> None:
    let_begin_again(run_copy)
    before = {path: path.stat().st_mtime_ns for path in run_copy.path.rglob("*")}
    arguments = ("-m", "mnist_lib", "train", f"--continue={run_copy.run_id}", "--runs-dir", store.root)
    assert python.run(*arguments, KERAS_BACKEND="jax") == (
        2,
        "",
        "mnist_lib: The run was trained on tensorflow and cannot be continued on jax, which KERAS_BACKEND names.\n",
    )
    assert {path: path.stat().st_mtime_ns for path in run_copy.path.rglob("*")} == before
