"""python -m mnist_lib: what it prints, and one clear line for every error."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from PIL import Image

from mnist_lib.command_line import main
from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.evaluation.predictions import accuracy
from mnist_lib.export.script import keras_script
from mnist_lib.network.weights import weights_of
from mnist_lib.runs import store as run_store
from mnist_lib.runs.handwriting import read_handwriting, read_start
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import HandwritingRecord
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.drawings import keep_digits
from tests.support.processes import PROJECT_PATH, Python, wait_until
from tests.support.runs import PAPER_RUN, RESULT_FIELDS, Trained, result_of


class Output(NamedTuple):
    """What a command printed, and its exit code."""

    code: int | str | None
    stdout: str
    stderr: str


@pytest.fixture
def command(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Output]:
    """Return a function that runs a command in this process, on ``store`` and without bundled runs.

    A process of its own for each would load TensorFlow each time. Some below have one.
    """
    monkeypatch.setattr(run_store, "BUNDLED_RUNS_PATH", tmp_path / "no bundled runs")
    monkeypatch.setenv("MNIST_RUNS_DIR", str(store.root))

    def run_command(*arguments: str | Path) -> Output:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        printed = capsys.readouterr()
        return Output(code, printed.out, printed.err)

    return run_command


def only_line(output: Output, code: int = 2) -> str:
    """Check that a command failed as it should: its exit code, nothing but one line on stderr. Return the line."""
    assert output.code == code
    assert output.stdout == ""
    line, end, rest = output.stderr.partition("\n")
    assert (end, rest) == ("\n", ""), output.stderr
    assert line.startswith("mnist_lib: ")
    assert "Traceback" not in line
    return line.removeprefix("mnist_lib: ")


# train.


def test_training_prints_one_json_object_last(trained: Trained) -> None:
    assert trained.stdout.count("\n") == 1
    assert list(json.loads(trained.stdout)) == RESULT_FIELDS
    assert trained.result["state"] == "finished"
    assert trained.result["epochs"] == 2
    labels_right = 10_000 - trained.result["misclassified"]
    assert trained.result["test_accuracy"] == pytest.approx(labels_right / 10_000)
    assert trained.result["run_id"] == trained.run.run_id


def test_training_prints_a_line_an_epoch_in_the_form_of_table_ii(trained: Trained) -> None:
    lines = trained.stderr.splitlines()  # with --json stdout is for the object
    epochs = trained.run.read().epochs
    assert len(lines) == len(epochs) == 2
    for line, row in zip(lines, epochs, strict=True):
        numbers = re.fullmatch(
            r"epoch +(\d+)/2 +([\d.]+) s  loss ([\d.]+)  accuracy ([\d.]+)  test loss ([\d.]+)  test accuracy ([\d.]+)",
            line,
        )
        assert numbers, line
        assert int(numbers[1]) == row.epoch
        printed = [float(text) for text in numbers.groups()[2:]]
        names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
        assert printed == pytest.approx([getattr(row, name) for name in names], abs=6e-5)


@pytest.fixture(scope="session")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Output, Run]:
    """A long training on the command line that gets a Ctrl-C in its first epoch."""
    root = tmp_path_factory.mktemp("interrupted")
    python = Python()
    process = python.train("--limit", "30000", "--batch-size", "8", "--runs-dir", root)
    try:
        (folder,) = wait_until(lambda: list(root.glob("2*")) or process.returncode)
        wait_until(lambda: Run(folder).read().batches or process.returncode)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=120)
    finally:
        python.end_all()
    return Output(process.returncode, stdout, stderr), Run(folder)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_stops_and_says_so(interrupted: tuple[Output, Run]) -> None:
    output, run = interrupted
    assert output.code == 0
    assert output.stderr == ""
    epoch, last = output.stdout.splitlines()
    assert epoch.startswith("epoch   1/5 ")
    wrong = result_of(run).misclassified
    assert last.endswith(f"Run {run.run_id} stopped.")
    assert f"Test accuracy {1 - wrong / 10_000:.2%}, {wrong:,} of 10,000 misclassified, " in last


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_keeps_the_model(interrupted: tuple[Output, Run], dataset: Dataset) -> None:
    _, run = interrupted
    snapshot = run.read()
    assert (snapshot.state, snapshot.message) == ("stopped", "")
    assert snapshot.status is not None
    assert 0 < snapshot.status.step < snapshot.status.total_steps == 5 * 3750
    assert [row.complete for row in snapshot.epochs] == [False]
    assert run.model_path.is_file()
    assert result_of(run).test_accuracy == accuracy(run.probabilities(), dataset.test_labels)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_ctrl_c_before_the_first_batch_is_said_in_one_line(python: Python, store: RunStore) -> None:
    process = python.start("-m", "mnist_lib", "train", "--runs-dir", store.root)
    run = wait_until(lambda: store.active_run() or process.poll())
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    line = only_line(Output(process.returncode, stdout, stderr))
    assert line == f"{run.run_id} failed: interrupted before the first batch (see {run.log_path})"
    assert run.read().state == "failed"
    assert "KeyboardInterrupt" in run.log_path.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "Epochs must be a whole number from 1 to 100, not 0."),
        (["--epochs", "101"], "Epochs must be a whole number from 1 to 100, not 101."),
        (["--epochs", "2.5"], "argument --epochs: invalid int value: '2.5'"),
        (["--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["--epochs"], "argument --epochs: expected one argument"),
        (["--epochs", "9" * 400], "Epochs must be a whole number from 1 to 100"),
        (["--batch-size", "0"], "Batch size must be a whole number from 1 to 4,096, not 0."),
        (["--learning-rate", "0"], "Learning rate must be from 0.000001 to 1, not 0.0."),
        (["--learning-rate", "nan"], "Learning rate must be from 0.000001 to 1, not nan."),
        (["--learning-rate", "1e999"], "Learning rate must be from 0.000001 to 1, not inf."),
        (["--learning-rate", "fast"], "argument --learning-rate: invalid float value: 'fast'"),
        (["--seed", "-1"], "Seed must be a whole number from 0 to 4,294,967,295, not -1."),
        (["--limit", "60001"], "Training images must be a whole number from 1 to 60,000, not 60001."),
        (["--preset", "slow"], "Preset must be one of paper"),
        (["--preset=--"], "--preset cannot be --."),
        (["--background-run=--"], "--background-run cannot be --."),
        (["--speed", "9"], "unrecognized arguments: --speed 9"),
        (["extra"], "unrecognized arguments: extra"),
    ],
)
def test_bad_setting_is_said_and_leaves_no_run(
    arguments: list[str], message: str, command: Callable[..., Output], store: RunStore
) -> None:
    assert only_line(command("train", *arguments)).startswith(message)
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--drawings", "."], "--drawings is for --from."),
        (["--from", "nobody"], "There is no run 'nobody'. `python -m mnist_lib runs` lists them."),
        (["--from", "RUN"], "There are no drawings in "),
        (["--from", "RUN", "--drawings", "README.md"], "This is not a zip file of drawings."),
        (["--from", "RUN", "--drawings", "tests"], "At least 3 drawings of at least 2 digits are needed."),
        (["--from", "RUN", "--preset", "fast"], "--from has its own preset and data set: leave out"),
        (["--from", "RUN", "--filters-1", "8"], "Filters, first convolution: the network is that of the run"),
        (["--from", "RUN", "--continue", "RUN"], "--continue uses the run's own settings: leave out"),
    ],
)
def test_what_cannot_be_learned_from_is_said_and_leaves_no_run(
    arguments: list[str], message: str, command: Callable[..., Output], run_copy: Run, store: RunStore
) -> None:
    given = [argument.replace("RUN", run_copy.run_id) for argument in arguments]
    assert only_line(command("train", *given)).startswith(message)
    assert store.own_runs() == [run_copy]


def test_run_of_other_data_or_drawings_or_without_a_model_cannot_learn_drawings(
    command: Callable[..., Output], run_copy: Run, dataset: Dataset
) -> None:
    keep_digits(OwnDigits.beside(run_copy.path.parent), dataset, 20)
    config, record = run_copy.read_config()
    clothes = msgspec.structs.replace(record.dataset, name="clothes")
    run_copy.write_config(replace(config, dataset="clothes"), msgspec.structs.replace(record, dataset=clothes))
    line = only_line(command("train", "--from", run_copy.run_id))
    assert line == "Drawings can be learned only by a run of MNIST."
    drawings = HandwritingRecord(begun_from="other", learned=1, set_aside=1)
    run_copy.write_config(config, msgspec.structs.replace(record, handwriting=drawings))
    line = only_line(command("train", "--from", run_copy.run_id))
    assert line == "This run has learned drawings already. Begin from other again."
    run_copy.write_config(config, record)
    run_copy.model_path.write_bytes(b"none")
    line = only_line(command("train", "--from", run_copy.run_id))
    assert line.startswith(f"model.keras of {run_copy.run_id} cannot be read")


def test_run_that_learned_drawings_holds_all_that_it_needs(learned: Run, dataset: Dataset) -> None:
    config, record = learned.read_config()
    assert (config.preset, config.epochs, config.has_paper_network) == ("custom", 1, True)
    assert record.handwriting == HandwritingRecord(begun_from=PAPER_RUN.run_id, learned=13, set_aside=7)
    drawings = read_handwriting(learned)
    assert sorted(drawings.labels) == sorted(dataset.test_labels[:20])
    assert drawings.learned.sum() == 13
    first, shipped = read_start(learned), load_network(PAPER_RUN)
    for before, after in zip(weights_of(shipped), weights_of(first), strict=True):
        np.testing.assert_array_equal(before, after)


def test_going_on_with_a_run_without_a_name_is_said_and_trains_nothing(
    command: Callable[..., Output], store: RunStore
) -> None:
    line = only_line(command("train", "--continue", "", "--limit", "100"))
    assert line == "--continue uses the run's own settings: leave out all other settings."
    assert only_line(command("train", "--continue", "")) == "There is no run '' of this machine to continue."
    assert store.runs() == []


def test_empty_name_is_not_taken_for_the_newest_run(command: Callable[..., Output], run_copy: Run) -> None:
    assert run_copy.has_model()
    for arguments in (["evaluate", ""], ["predict", "digit.png", "--run", ""]):
        assert only_line(command(*arguments)) == "There is no run ''. `python -m mnist_lib runs` lists them."


@pytest.mark.parametrize("name", ["", ".", "../outside", "a/b", ".hidden", "a b", "x" * 101])
def test_run_is_made_only_in_the_runs_folder(name: str, python: Python, store: RunStore, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    options = ["--runs-dir", store.root, "--limit", "100", "--epochs", "1", f"--background-run={name}"]
    line = only_line(Output(*python.run("-m", "mnist_lib", "train", *options)))
    assert line.startswith("A name has 1 to 100 English letters, digits, dots, dashes and underscores")
    assert set(tmp_path.rglob("*")) == before
    assert store.runs() == []


def test_training_in_a_folder_that_cannot_be_written_is_said(command: Callable[..., Output], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = only_line(command("train", "--runs-dir", tmp_path / "file"))
    assert line.startswith(f"Cannot write to the runs folder {tmp_path / 'file'}: ")


def test_second_training_is_refused_with_the_name_of_the_first(command: Callable[..., Output], store: RunStore) -> None:
    with store.training(TrainingConfig()) as run:
        line = only_line(command("train", "--epochs", "1"), code=3)
    assert line == f"A training is already running: {run.run_id}. Wait for it to end, or stop it first."
    assert [other.run_id for other in store.runs()] == [run.run_id]


# script.


def test_script_prints_the_script_of_a_run(command: Callable[..., Output], run_copy: Run) -> None:
    output = command("script", run_copy.run_id)
    assert (output.code, output.stderr) == (0, "")
    assert output.stdout == keras_script(run_copy.read_config()[0], run_copy.read())
    assert "epochs = 2\n" in output.stdout


def test_script_of_a_run_without_settings_is_refused(command: Callable[..., Output], run_copy: Run) -> None:
    (run_copy.path / "config.json").unlink()
    assert only_line(command("script", run_copy.run_id)) == "config.json is missing"


# Commands as such.


def test_missing_or_unknown_command_is_said_with_the_list(command: Callable[..., Output]) -> None:
    assert only_line(command()) == "the following arguments are required: COMMAND"
    line = only_line(command("learn"))
    for name in ("learn", "train", "evaluate", "predict", "summary", "runs", "script"):
        assert name in line


@pytest.mark.parametrize("name", ["", "train", "evaluate", "predict", "summary", "runs", "script"])
def test_help_is_printed_and_is_no_error(name: str, command: Callable[..., Output]) -> None:
    output = command(*([name] if name else []), "--help")
    assert (output.code, output.stderr) == (0, "")
    assert output.stdout.startswith("usage: python -m mnist_lib")
    if name == "train":
        assert "from 1 to 500,000" in output.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--epochs", "0"], "Epochs must be"),
        (["learn"], "invalid choice"),
        (["evaluate", "no such run"], "There is no run 'no such run'."),
        (["predict", "missing.png", "--run", "no such run"], "There is no run 'no such run'."),
        (["script", "no such run"], "There is no run 'no such run'."),
        (["predict"], "the following arguments are required: IMAGE_OR_FOLDER"),
        (["train", "--runs-dir", "app.py"], "Cannot write to the runs folder"),
    ],
)
def test_bad_input_ends_a_real_process_with_one_line(
    arguments: list[str], message: str, python: Python, store: RunStore
) -> None:
    output = Output(*python.run("-m", "mnist_lib", *arguments, MNIST_RUNS_DIR=str(store.root)))
    assert message in only_line(output)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a pipe breaks otherwise")
def test_reader_that_has_seen_enough_is_no_error(python: Python, run_copy: Run) -> None:
    process = python.start("-m", "mnist_lib", "runs", "--runs-dir", run_copy.path.parent)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


# runs.


def test_runs_lists_the_newest_first_with_state_and_results(
    command: Callable[..., Output], run_copy: Run, store: RunStore
) -> None:
    broken = store.root / "20990101-000000-broken"
    shutil.copytree(run_copy.path, broken)
    (broken / "config.json").unlink()
    output = command("runs")
    assert (output.code, output.stderr) == (0, "")
    first, second = output.stdout.splitlines()
    assert first.split() == ["20990101-000000-broken", "damaged", "0", "epochs", "(config.json", "is", "missing)"]
    result = result_of(run_copy)
    result_words = [f"{result.test_accuracy:.2%},", f"{result.misclassified:,}", "misclassified"]
    assert second.split() == [run_copy.run_id, "finished", "2", "epochs", *result_words]


def test_runs_prints_a_json_object_a_line(command: Callable[..., Output], run_copy: Run, store: RunStore) -> None:
    (store.root / "1-foreign").mkdir()
    output = command("runs", "--json")
    assert output.code == 0
    first, second = [json.loads(line) for line in output.stdout.splitlines()]
    result = result_of(run_copy)
    created_at = first.pop("created_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", created_at)
    assert first == {
        "run_id": run_copy.run_id,
        "state": "finished",
        "message": "",
        "preset": "custom",
        "dataset": "MNIST",
        "paper_network": True,
        "epochs": 2,
        "test_accuracy": result.test_accuracy,
        "misclassified": result.misclassified,
    }
    assert (second["run_id"], second["state"], second["created_at"]) == ("1-foreign", "damaged", None)


def test_runs_of_an_empty_or_missing_folder_prints_nothing(command: Callable[..., Output], tmp_path: Path) -> None:
    assert command("runs") == (0, "", "")
    assert command("runs", "--runs-dir", tmp_path / "missing") == (0, "", "")


# summary.


def test_summary_prints_table_i(command: Callable[..., Output]) -> None:
    output = command("summary")
    assert (output.code, output.stderr) == (0, "")
    lines = output.stdout.splitlines()
    assert len(lines) == 9
    counts = [int(re.split(r"  +", line)[2].replace(",", "")) for line in lines[1:8]]
    assert counts == [320, 0, 18496, 0, 495680, 0, 650]
    assert "26 × 26 × 32" in lines[1]
    assert "3 × 3 × 1 × 32 + 32 = 320" in lines[1]
    assert lines[8].split() == ["Total", "515,146"]


# evaluate.


def test_evaluate_computes_the_metrics_again(command: Callable[..., Output], run_copy: Run) -> None:
    expected = result_of(run_copy)
    # It does not print the stored metrics.
    shutil.rmtree(run_copy.path / "epochs")
    (run_copy.path / "status.json").unlink()
    output = command("evaluate", run_copy.run_id, "--json")
    assert (output.code, output.stderr) == (0, "")
    result = json.loads(output.stdout)
    assert set(result) == {"run_id", "test_accuracy", "test_loss", "misclassified", "predict_seconds"}
    assert result["predict_seconds"] > 0
    for name in ("run_id", "test_accuracy", "misclassified"):
        assert result[name] == getattr(expected, name)
    assert result["test_loss"] == pytest.approx(expected.test_loss, rel=1e-4)


def test_evaluate_takes_the_newest_run_with_a_model(
    command: Callable[..., Output], run_copy: Run, store: RunStore
) -> None:
    with store.training(TrainingConfig()) as newer:
        newer.fail("it was only begun")
    output = command("evaluate")
    assert (output.code, output.stderr) == (0, "")
    result = result_of(run_copy)
    metrics = f"test accuracy {result.test_accuracy:.2%}, {result.misclassified:,} of 10,000 misclassified"
    expected = f"{run_copy.run_id}: test loss {result.test_loss:.4f}, {metrics}, read in "
    assert re.fullmatch(re.escape(expected) + r"\d+\.\d\d s\n", output.stdout)


@pytest.mark.parametrize("name", ["evaluate", "predict"])
def test_without_any_model_the_cure_is_said(name: str, command: Callable[..., Output], store: RunStore) -> None:
    with store.training(TrainingConfig()) as run:
        run.fail("it was only begun")
    arguments = ["picture.png"] if name == "predict" else []
    expected = "There is no run with a model yet. Train one: python -m mnist_lib train"
    assert only_line(command(name, *arguments)) == expected


def test_evaluate_of_a_damaged_model_is_said(command: Callable[..., Output], run_copy: Run) -> None:
    run_copy.model_path.write_bytes(b"garbage")
    line = only_line(command("evaluate", run_copy.run_id))
    assert line.startswith(f"model.keras of {run_copy.run_id} cannot be read")
    run_copy.model_path.unlink()
    shutil.rmtree(run_copy.path / "epochs")
    assert only_line(command("evaluate", run_copy.run_id)).startswith(f"{run_copy.run_id} has no model")


# predict.


class Pictures(NamedTuple):
    """A folder of pictures of test digits that the tiny run reads rightly, by their file names."""

    folder: Path
    digits: dict[str, int]


@pytest.fixture
def pictures(trained: Trained, dataset: Dataset, tmp_path: Path) -> Pictures:
    """The three surest test digits of each of three classes, in different kinds of picture."""
    probabilities, labels = trained.run.probabilities(), dataset.test_labels
    folder = tmp_path / "pictures"
    folder.mkdir()
    digits = {}
    for digit in (0, 1, 7):
        sure = np.argsort(-np.where(labels == digit, probabilities[:, digit], 0), kind="stable")[:3]
        for index, ending in zip(sure, ("png", "bmp", "jpg"), strict=True):
            picture = Image.fromarray(dataset.test_images[index]).resize((140, 140), Image.Resampling.NEAREST)
            if ending != "bmp":
                picture = picture.point(lambda value: 255 - value)  # dark on light
            if ending == "jpg":  # in light that falls off to the left
                picture = Image.fromarray((np.asarray(picture) * np.linspace(0.5, 1, 140)).astype(np.uint8))
            picture.save(folder / f"{digit}.{ending}")
            digits[f"{digit}.{ending}"] = digit
    return Pictures(folder, digits)


def test_predict_reads_pictures_of_test_digits(
    command: Callable[..., Output], run_copy: Run, pictures: Pictures
) -> None:
    paths = [pictures.folder / name for name in pictures.digits]
    output = command("predict", *paths, "--run", run_copy.run_id)
    assert (output.code, output.stderr) == (0, "")
    lines = output.stdout.splitlines()
    for line, path in zip(lines, paths, strict=True):
        assert re.fullmatch(rf"{re.escape(str(path))}: {pictures.digits[path.name]} \(\d+\.\d%\)", line)


def test_predict_reads_a_folder_and_prints_a_json_object_a_line(
    command: Callable[..., Output], run_copy: Run, pictures: Pictures
) -> None:
    (pictures.folder / "notes.txt").write_text("not a picture")
    output = command("predict", pictures.folder, "--json")
    assert (output.code, output.stderr) == (0, "")
    rows: list[dict[str, Any]] = [json.loads(line) for line in output.stdout.splitlines()]
    assert [row["file"] for row in rows] == [str(pictures.folder / name) for name in sorted(pictures.digits)]
    for row in rows:
        assert set(row) == {"file", "digit", "confidence", "probabilities"}
        assert row["digit"] == pictures.digits[Path(row["file"]).name]
        assert len(row["probabilities"]) == 10
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert row["confidence"] == max(row["probabilities"]) == row["probabilities"][row["digit"]]


def test_predict_continues_after_a_bad_picture_and_says_so(
    command: Callable[..., Output], run_copy: Run, pictures: Pictures
) -> None:
    bad = pictures.folder / "0.gif"
    bad.write_bytes(b"GIF89a and no more")
    output = command("predict", pictures.folder)
    assert output.code == 2
    assert output.stderr == f"mnist_lib: {bad}: It cannot be read as a picture.\n"
    assert len(output.stdout.splitlines()) == len(pictures.digits)


def save_garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 100)


def save_empty(path: Path) -> None:
    path.write_bytes(b"")


def save_blank(path: Path) -> None:
    Image.new("L", (200, 100), 255).save(path)


def save_huge(path: Path) -> None:
    """Write a sound PNG of 20,000 x 20,000 white pixels, one bit each."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(20_000 * 2_501), 1)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def save_damaged_tiff(path: Path) -> None:
    """Save a picture that claims 65,283 colours a pixel, of which Pillow's log complains on stderr."""
    Image.new("RGB", (20, 20), "white").save(path, "TIFF")
    samples_per_pixel = struct.pack("<HHIHH", 277, 3, 1, 3, 0)
    content = path.read_bytes()
    assert samples_per_pixel in content
    path.write_bytes(content.replace(samples_per_pixel, struct.pack("<HHIHH", 277, 3, 1, 65_283, 0)))


def save_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (save_garbage, "It cannot be read as a picture."),
        (save_empty, "It cannot be read as a picture."),
        (save_damaged_tiff, "It cannot be read as a picture."),
        (save_blank, "It is empty: no ink stands out from the paper."),
        (save_huge, "It has far too many pixels; at most 20 million are read."),
        (save_folder, "there are no pictures in this folder."),
        (lambda path: None, "There is no such file."),
    ],
)
def test_bad_picture_is_said_in_one_line_by_a_real_process(
    save: Callable[[Path], None], message: str, run_copy: Run, tmp_path: Path, python: Python
) -> None:
    path = tmp_path / "picture.png"
    save(path)
    output = Output(*python.run("-m", "mnist_lib", "predict", path, "--runs-dir", run_copy.path.parent))
    line = only_line(output)
    assert line.startswith(f"{path}: ")
    assert line.endswith(message)


def test_picture_with_a_name_too_long_is_no_such_file(command: Callable[..., Output], run_copy: Run) -> None:
    assert only_line(command("predict", "n" * 300 + ".png")).endswith(": It cannot be read as a picture.")


def test_predict_with_a_damaged_model_is_said(
    command: Callable[..., Output], run_copy: Run, pictures: Pictures
) -> None:
    run_copy.model_path.write_bytes(b"garbage")
    line = only_line(command("predict", pictures.folder, "--run", run_copy.run_id))
    assert line.startswith(f"model.keras of {run_copy.run_id} cannot be read")


def test_data_file_that_is_damaged_is_said_with_the_cure(
    command: Callable[..., Output], run_copy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.data import library
    from mnist_lib.data.dataset import load_mnist

    monkeypatch.setattr(library, "load_mnist", lambda: load_mnist(tmp_path / "mnist.npz"))
    line = only_line(command("evaluate"))
    assert line.startswith(f"The data file {tmp_path / 'mnist.npz'} is missing. Restore it with: git checkout")


# The terminal.


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_everything_is_printed_on_any_terminal(encoding: str, run_copy: Run, python: Python) -> None:
    for arguments in (["summary"], ["runs", "--runs-dir", str(run_copy.path.parent)], ["train", "--help"]):
        code, stdout, stderr = python.run("-m", "mnist_lib", *arguments, PYTHONIOENCODING=encoding)
        assert (code, stderr) == (0, "")
        assert stdout
    if encoding == "ascii":
        assert "26 x 26 x 32" in python.run("-m", "mnist_lib", "summary", PYTHONIOENCODING=encoding)[1]


def test_runs_prints_no_escape_and_no_line_break_of_a_name(run_copy: Run, python: Python) -> None:
    run_copy.path.rename(run_copy.path.with_name("red\x1b[31m\nrun"))
    code, stdout, stderr = python.run("-m", "mnist_lib", "runs", "--runs-dir", run_copy.path.parent)
    assert (code, stderr) == (0, "")
    assert "\x1b" not in stdout
    assert stdout.splitlines()[0].startswith(r"red\x1b[31m\nrun ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.process
@pytest.mark.parametrize("arguments", [["summary"], ["runs"]])
def test_full_output_is_one_line(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "mnist_lib", *arguments]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=PROJECT_PATH, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "mnist_lib: the output cannot be written: No space left on device\n")


@pytest.mark.skipif(os.name != "posix", reason="a shell's redirections")
@pytest.mark.process
@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-", "<&-", "| head -1"])
@pytest.mark.parametrize("arguments", ["summary", "runs --json", "train --help", "evaluate nobody"])
def test_closed_output_is_no_traceback(closing: str, arguments: str) -> None:
    command = f"{sys.executable} -m mnist_lib {arguments} {closing}"
    done = subprocess.run(["sh", "-c", command], cwd=PROJECT_PATH, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if "head" not in closing:  # whose own exit code it is then
        assert done.returncode == (2 if arguments == "evaluate nobody" else 0)


def test_training_continues_if_nobody_reads_its_lines(python: Python, store: RunStore) -> None:
    options = ["--limit", "64", "--epochs", "3", "--runs-dir", str(store.root)]
    process = python.start("-m", "mnist_lib", "train", *options)
    assert process.stdout
    process.stdout.close()
    process.wait(timeout=120)
    (run,) = store.own_runs()
    assert (run.read().state, len(run.read().epochs)) == ("finished", 3)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells which libraries a process has loaded")
@pytest.mark.parametrize("wait_s", [0.0, 0.2, 0.6, 1.5])
@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_ctrl_c_while_it_loads_is_no_traceback(command: str, wait_s: float, python: Python, store: RunStore) -> None:
    options = ["--limit", "640", "--epochs", "1"] if command == "train" else []
    process = python.start("-m", "mnist_lib", command, "--runs-dir", str(store.root), *options)
    # Before the first library of ours it is Python itself that says what happened.
    wait_until(lambda: "numpy" in Path(f"/proc/{process.pid}/maps").read_text())
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in process.communicate(timeout=120)[1]
