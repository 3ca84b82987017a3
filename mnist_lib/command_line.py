"""The command line: train, evaluate, predict, summary, runs, datasets, script, publish.

Bad input gives one line on stderr and exit code 2.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import math
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TextIO

import msgspec

from mnist_lib.access import AccessError, read_access
from mnist_lib.config import (
    ConfigError,
    TrainingConfig,
    config_from_choices,
    handwriting_config,
)
from mnist_lib.data.dataset import DatasetDescription, DatasetError
from mnist_lib.data.handwriting import Handwriting, require_enough, set_aside
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.dataset_commands import add_arguments as add_dataset_arguments
from mnist_lib.dataset_commands import datasets_command, find_dataset, find_library
from mnist_lib.drawing.normalization import DrawingError, fit_drawing
from mnist_lib.drawing.own_test_set import OwnDigits, OwnDigitsError, read_drawings
from mnist_lib.drawing.picture_files import find_pictures, read_picture
from mnist_lib.escaping import printable
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.experiment_command import QUEUE_IS_PAUSED, experiment_command, require_usable_cluster
from mnist_lib.experiment_command import add_arguments as add_experiment_arguments
from mnist_lib.experiments.halving import Halving
from mnist_lib.experiments.library import ExperimentError
from mnist_lib.export.script import keras_script
from mnist_lib.machine import end_with_input, run_in_background, survive_parent
from mnist_lib.network.backend import BackendError, choose_backend, choose_onednn, load_keras
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.layers import NOT_THE_PAPERS, layer_columns
from mnist_lib.runs.handwriting import Beginning, begin_from
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.queue import NothingWaitsError, QueueIsWorkedError, RunQueue
from mnist_lib.runs.records import COMPLETE_STATES, DamagedRunError, EpochRow, RunResult
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore, TrainingRefusedError
from mnist_lib.setting_arguments import add_setting_arguments, given_settings
from mnist_lib.terminal import drop_output, interrupted_afterwards, open_streams, print_error
from mnist_lib.training.launch import REFUSED_EXIT_CODE
from mnist_lib.training.work import work
from mnist_lib.wording import count_text, duration_text, first_line, percent_text, time_over_text


class CommandError(Exception):
    """The command cannot be executed. The message is one line."""


class OneLineParser(argparse.ArgumentParser):
    """Reports an error in one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with code 2."""
        self.exit(2, f"mnist_lib: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    open_streams()
    try:
        try:
            arguments = sys.argv[1:] if arguments is None else arguments
            # argparse takes "--" for the end of the options there as well, and gives an empty list as the value.
            if wrong := next((text for text in arguments if re.fullmatch("--[a-z0-9-]+=--", text)), None):
                raise CommandError(f"{wrong.removesuffix('=--')} cannot be --.")
            options = _parser().parse_args(arguments)
            read_access()  # raises if the environment is wrong, whatever the command
            return options.command(options)
        finally:
            sys.stdout.flush()  # not at exit, where a closed pipe could not be caught
    except (
        AccessError,
        BackendError,
        CommandError,
        ConfigError,
        DatasetError,
        DamagedRunError,
        DrawingError,
        ExperimentError,
        OwnDigitsError,
        RunStoreError,
    ) as error:
        print_error(error)
        return REFUSED_EXIT_CODE if isinstance(error, (TrainingRefusedError, QueueIsWorkedError)) else 2
    except BrokenPipeError:  # the reader, such as `head`, has stopped reading
        drop_output()
        return 0
    except OSError as error:
        drop_output()
        print_error(f"the output cannot be written: {error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        print_error("interrupted")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m mnist_lib", description="Train and use the MNIST network.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        added.add_argument("--runs-dir", type=Path, help="folder of the runs; default MNIST_RUNS_DIR, else ./runs")
        if name not in ("summary", "script", "publish"):
            added.add_argument("--json", action="store_true", help="print JSON")
        return added

    training = add("train", train_command, "Train the network. Ctrl-C stops the training and keeps the model.")
    add_setting_arguments(training)
    training.add_argument("--from", dest="begun_from", metavar="RUN", help="learn your drawings from a run's weights")
    training.add_argument(
        "--drawings",
        type=Path,
        metavar="FOLDER",
        help="with --from: their folder or zip; default: drawings, beside the runs",
    )
    training.add_argument("--continue", dest="continued_run", metavar="RUN", help="continue a run that ended too early")
    training.add_argument(
        "--minutes", type=_minutes, metavar="N", help="stop after so many minutes, pauses included, and keep the model"
    )
    training.add_argument("--queue", action="store_true", help="let it wait in the queue, and print its name")
    training.add_argument("--background-run", metavar="RUN_ID", help=argparse.SUPPRESS)
    training.add_argument("--worker", default="", metavar="NAME", help=argparse.SUPPRESS)  # one of a cluster started it

    working = add("work", work_command, "Train what waits in the queue, one run after the other.")
    working.add_argument("--wait", action="store_true", help="when nothing waits any more, wait for more")
    working.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    working.add_argument(
        "--cluster", metavar="ADDRESS", help="let a Dask cluster train what waits for it: its scheduler"
    )

    following = add("train-next", train_next_command, "Train the next run of the queue.")
    following.add_argument("--background-run", default="", help=argparse.SUPPRESS)
    following.set_defaults(worker="")

    text = "Train several runs that belong together: seeds, a grid, or random samples of settings."
    add_experiment_arguments(add("experiment", experiment_command, text))

    evaluating = add("evaluate", evaluate_command, "Evaluate a run's model on the 10,000 test images.")
    evaluating.add_argument("run", nargs="?", metavar="RUN", help="a run's name; default: the newest with a model")

    predicting = add("predict", predict_command, "Read the digit in each picture.")
    predicting.add_argument("pictures", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER")
    predicting.add_argument("--run", help="a run's name; default: the newest with a model")

    add("summary", summary_command, "Print Table I: the layers and their parameters.")
    add("runs", runs_command, "List the runs, the newest first.")

    listing = add("datasets", datasets_command, "List the data sets, add one, remove one.")
    add_dataset_arguments(listing)

    writing = add("script", script_command, "Print a run as one Keras script, without this project.")
    writing.add_argument("run", metavar="RUN", help="a run's name")

    publishing = add("publish", publish_command, "Show a run in public, where MNIST_MODE is public.")
    publishing.add_argument("run", metavar="RUN", help="a run's name")
    publishing.add_argument("--undo", action="store_true", help="do not show it any more")
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < 100_000:
        raise ValueError
    return minutes


def train_command(options: argparse.Namespace) -> int:
    """Train in this process, with one progress line per epoch."""
    if options.worker:
        end_with_input()
    choices = given_settings(options)
    given = [*choices.values(), options.dataset, options.begun_from, options.drawings]
    if options.continued_run is not None and any(value is not None for value in given):
        raise CommandError("--continue uses the run's own settings: leave out all other settings.")
    dataset = find_dataset(options)
    if options.begun_from is None:
        if options.drawings is not None:
            raise CommandError("--drawings is for --from.")
        beginning = None
        config = config_from_choices(options.preset or "paper", dataset.training_data, **choices)
    else:
        if options.preset or options.dataset:
            raise CommandError("--from has its own preset and data set: leave out --preset and --dataset.")
        begun_from = _find_run(options, options.begun_from)
        config = handwriting_config(begun_from.read_config()[0], **choices)
        beginning = begin_from(begun_from, _read_handwriting(options, config.seed))
    if options.queue:
        if options.continued_run is not None:
            raise CommandError("--continue continues a run at once: leave out --queue.")
        run = RunQueue(_store(options)).add(config, dataset, beginning, options.background_run, options.minutes)
        print(json.dumps({"run_id": run.run_id, "state": "queued"}) if options.json else run.run_id)
        return 0
    continued = _store(options).find(options.continued_run) if options.continued_run is not None else None
    choose_backend(continued.read().record.versions if continued else ())  # raises before there is a run
    if options.background_run is not None:
        run_in_background()
    with _claimed_run(options, config, dataset, beginning) as (run, config):
        return _train_claimed(options, config, run, options.minutes)


def train_next_command(options: argparse.Namespace) -> int:
    """Train the next run of the queue in this process; for ``work``."""
    run_in_background()
    try:
        with RunQueue(_store(options)).training_next() as (run, config, record):
            return _train_claimed(options, config, run, record.minutes)
    except NothingWaitsError:
        return 0


def _train_claimed(options: argparse.Namespace, config: TrainingConfig, run: Run, minutes: float | None) -> int:
    """Train a run that this process has claimed."""
    queue = RunQueue(_store(options))
    with _open_log(run) as log:
        if options.background_run is not None:
            os.dup2(log.fileno(), 2)
        try:
            result, ended_by_signal = _train(config, run, log, options, minutes)
        except (KeyboardInterrupt, Exception) as error:
            with contextlib.suppress(OSError):  # of a disk that is full
                log.write(traceback.format_exc())
            stopped = isinstance(error, KeyboardInterrupt)
            reason = "interrupted before the first batch" if stopped else _reason(error)
            run.fail(reason)
            queue.leave(run)
            raise CommandError(f"{run.run_id} failed: {reason} (see {run.log_path})") from error
    if not ended_by_signal:  # else whoever works the queue next continues it
        queue.leave(run)
    if options.json:
        print(msgspec.json.encode(result).decode())
    else:
        tested = run.dataset().test_images
        print(
            f"Test accuracy {result.test_accuracy:.2%}, {result.misclassified:,} of {tested:,} misclassified, "
            f"{duration_text(result.train_seconds)} on {result.device}. Run {result.run_id} {result.state}."
        )
    return 0


def work_command(options: argparse.Namespace) -> int:
    """Train what waits in the queue, with one line for each run that has ended."""
    if options.background:
        survive_parent()  # the trainers have the low priority

    def print_end(run: Run) -> None:
        snapshot = run.read()
        result = f"{snapshot.last_epoch.test_accuracy:.2%}" if snapshot.last_epoch else snapshot.message
        with contextlib.suppress(OSError):
            print(printable(f"{run.run_id:<36} {snapshot.state:<12} {result}".rstrip()), flush=True)

    store = _store(options)
    halving = Halving(store)
    if RunQueue(store).is_paused():
        print_error(QUEUE_IS_PAUSED)

    def note_end(run: Run) -> None:
        halving.look(run)
        print_end(run)

    if options.cluster is None:
        work(store, wait=options.wait, on_look=halving.look, on_end=note_end)
        return 0
    require_usable_cluster(options.cluster)
    from mnist_lib.cluster.dispatch import dispatch

    dispatch(store, options.cluster, on_look=halving.look, on_end=note_end, on_message=print_error)
    return 0


def _read_handwriting(options: argparse.Namespace, seed: int) -> Handwriting:
    drawings = read_drawings(options.drawings or OwnDigits.beside(_store(options).root).path)
    if drawings.damaged:
        print_error(f"left out: {count_text(drawings.damaged, 'drawing')} that cannot be read")
    require_enough(drawings.labels)
    return set_aside(drawings.images, drawings.labels, seed)


def _open_log(run: Run) -> TextIO:
    """Open a run's log without a buffer: what a full disk did not take would be written once more when it is closed."""
    return io.TextIOWrapper(run.log_path.open("ab", buffering=0), encoding="utf-8", write_through=True)


@contextlib.contextmanager
def _claimed_run(
    options: argparse.Namespace, config: TrainingConfig, dataset: DatasetDescription, beginning: Beginning | None
) -> Iterator[tuple[Run, TrainingConfig]]:
    """Claim the store, and create a run or take the one to continue."""
    store = _store(options)
    if options.continued_run is not None:
        with store.continuing(options.continued_run) as (run, recorded):
            yield run, recorded
    else:
        with store.training(config, options.background_run, dataset, beginning) as run:
            yield run, config


def _train(
    config: TrainingConfig, run: Run, log: Any, options: argparse.Namespace, minutes: float | None
) -> tuple[RunResult, bool]:
    """Return the result, and whether a signal ended the training."""
    _, record = run.read_config()
    backend = choose_backend(record.versions)
    dataset = DatasetLibrary.beside(run.path.parent).load(record.dataset)
    # A run that is continued computes as before; it has versions if it ever got as far as Keras.
    onednn = record.onednn if record.versions else choose_onednn(config.onednn)
    with interrupted_afterwards():
        load_keras(log, backend=backend, onednn=onednn)
        from mnist_lib.training.train import train

    def print_epoch(row: EpochRow) -> None:
        line = (
            f"epoch {row.epoch:>3}/{config.epochs}  {row.seconds:6.1f} s  "
            f"loss {_number(row.train_loss)}  accuracy {_number(row.train_accuracy)}  "
            f"test loss {_number(row.test_loss)}  test accuracy {_number(row.test_accuracy)}"
        )
        print(line, file=log)
        # The training continues even if nobody reads its output any more.
        with contextlib.suppress(OSError):
            print(line, file=sys.stderr if options.json else sys.stdout, flush=True)

    # From here on, Ctrl-C stops the training and keeps the model.
    signals = []

    def stop(number: int, _: object) -> None:
        signals.append(number)
        run.request(stop=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with _stopped_after(minutes, run) if minutes else contextlib.nullcontext():
        return train(config, dataset, run, print_epoch, options.worker), bool(signals)


@contextlib.contextmanager
def _stopped_after(minutes: float, run: Run) -> Iterator[None]:
    """Request a stop after so many minutes."""
    request = {"stop": True, "reason": time_over_text(minutes)}
    timer = threading.Timer(60 * minutes, run.request, kwargs=request)
    timer.daemon = True  # a trainer that fails ends at once
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _reason(error: BaseException) -> str:
    if getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error):
        return "the disk is full"  # h5py's message is a long line that contains it
    return first_line(error)


def _number(value: float | None) -> str:
    return f"{math.nan if value is None else value:6.4f}"


def evaluate_command(options: argparse.Namespace) -> int:
    """Evaluate a run's model on the test images, not from the stored probabilities."""
    run = _run_with_model(options, options.run)
    dataset = find_library(options).load(run.dataset())
    network = load_network(run)
    began = time.perf_counter()
    probabilities = predict_probabilities(network, dataset.test_images)
    predict_seconds = time.perf_counter() - began
    test_accuracy = accuracy(probabilities, dataset.test_labels)
    tested = len(dataset.test_labels)
    result = {
        "run_id": run.run_id,
        "test_accuracy": test_accuracy,
        "test_loss": cross_entropy(probabilities, dataset.test_labels),
        "misclassified": round((1 - test_accuracy) * tested),
        "predict_seconds": round(predict_seconds, 3),
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"{run.run_id}: test loss {result['test_loss']:.4f}, test accuracy {test_accuracy:.2%}, "
            f"{result['misclassified']:,} of {tested:,} misclassified, read in {predict_seconds:.2f} s"
        )
    return 0


def predict_command(options: argparse.Namespace) -> int:
    """Read every picture, and continue after a bad one."""
    run = _run_with_model(options, options.run)
    data = run.dataset()
    failed = False
    network = None
    for path in find_pictures(options.pictures):
        try:
            image = fit_drawing(read_picture(path), data.fitting)
        except DrawingError as error:
            print_error(f"{path}: {error}")
            failed = True
            continue
        network = network or load_network(run)
        probabilities = predict_probabilities(network, image[None])[0]
        answer = int(probabilities.argmax())
        if options.json:
            row = {
                "file": str(path),
                data.kind: answer if data.is_mnist else data.class_names[answer],
                "confidence": round(float(probabilities[answer]), 6),
                "probabilities": [round(float(value), 6) for value in probabilities],
            }
            print(json.dumps(row), flush=True)
        else:
            said = f"{data.class_names[answer]} ({percent_text(probabilities[answer])})"
            print(f"{printable(str(path))}: {said}", flush=True)
    return 2 if failed else 0


def summary_command(options: argparse.Namespace) -> int:
    """Print Table I."""
    columns = layer_columns(TrainingConfig())
    for cells in (columns, *zip(*columns.values(), strict=True)):
        print("{:<38}{:<14}{:>11}  {}".format(*cells).rstrip())
    return 0


def runs_command(options: argparse.Namespace) -> int:
    """List the runs with their state, and damaged ones with the reason."""
    for run in _store(options).runs():
        snapshot = run.read()
        last = snapshot.last_epoch
        row = {
            "run_id": run.run_id,
            "state": snapshot.state,
            "message": snapshot.message,
            "preset": snapshot.config.preset if snapshot.config else None,
            "dataset": snapshot.config.dataset if snapshot.config else None,
            "paper_network": snapshot.config.has_paper_network if snapshot.config else None,
            "epochs": last.epoch if last else 0,
            "test_accuracy": last.test_accuracy if last else None,
            "misclassified": last.misclassified if last else None,
            "created_at": _iso_time(snapshot.record.created_at) if snapshot.record.created_at else None,
        }
        if options.json:
            print(json.dumps(row))
            continue
        result = f"{row['test_accuracy']:.2%}, {last.misclassified:,} misclassified" if last else ""
        epochs = "epoch " if row["epochs"] == 1 else "epochs"
        notes = [snapshot.message] if snapshot.message else []
        if snapshot.config and not snapshot.config.trains_on_mnist:
            notes.append(snapshot.config.dataset)
        if snapshot.config and not snapshot.config.has_paper_network:
            notes.append(NOT_THE_PAPERS)
        reason = f"({'; '.join(notes)})" if notes else ""
        line = f"{run.run_id:<36} {snapshot.state:<12} {row['epochs']:>3} {epochs}  {result} {reason}"
        print(printable(line.rstrip()))
    return 0


def script_command(options: argparse.Namespace) -> int:
    """Print a run as a Keras script."""
    run = _find_run(options, options.run)
    config, _ = run.read_config()
    print(keras_script(config, run.read()), end="")
    return 0


def publish_command(options: argparse.Namespace) -> int:
    """Mark a run for the public, or take the mark away."""
    _store(options).publish(_find_run(options, options.run), not options.undo)
    return 0


def _iso_time(created_at: float) -> str:
    return datetime.fromtimestamp(created_at).isoformat(timespec="seconds")


def _store(options: argparse.Namespace) -> RunStore:
    return RunStore(options.runs_dir.absolute()) if options.runs_dir else RunStore.default()


def _run_with_model(options: argparse.Namespace, run_id: str | None) -> Run:
    if run_id is not None:
        return _find_run(options, run_id)
    for run in _store(options).runs():
        if run.read().state in COMPLETE_STATES:
            return run
    raise CommandError("There is no run with a model yet. Train one: python -m mnist_lib train")


def _find_run(options: argparse.Namespace, run_id: str) -> Run:
    run = _store(options).find(run_id)
    if run is None:
        raise CommandError(f"There is no run {run_id!r}. `python -m mnist_lib runs` lists them.")
    return run
