"""The command ``experiment``: plans several runs, trains them, and says what came of them."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import subprocess
import sys
import time
from typing import Any

from mnist_lib.config import config_from_choices
from mnist_lib.dataset_commands import find_dataset
from mnist_lib.escaping import printable
from mnist_lib.evaluation.repeated import Summary
from mnist_lib.experiments.halving import Halving
from mnist_lib.experiments.library import Experiment, ExperimentError, ExperimentLibrary
from mnist_lib.experiments.plan import combination_text, parse_vary, plan_experiment
from mnist_lib.experiments.results import Combination, ExperimentRun, Results, read_results, summary_text
from mnist_lib.experiments.start import start_experiment
from mnist_lib.runs.expected_time import expected_time
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.store import RunStore
from mnist_lib.setting_arguments import add_setting_arguments, given_settings
from mnist_lib.training.launch import REFUSED_EXIT_CODE, last_line, start_process, stop_process
from mnist_lib.training.work import work
from mnist_lib.wording import count_text, duration_text, rough_duration_text

SECONDS_PER_LOOK = 1.0
SECONDS_PER_REFUSED_START = 5.0

QUEUE_IS_PAUSED = "The queue is paused: nothing begins until somebody lets it go on, on the Train screen."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can follow ``experiment``."""
    parser.add_argument("--name", help="what it is called; default: the preset with a number")
    parser.add_argument("--note", default="", metavar="TEXT", help="what is noted about it")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="how often each is trained, 1 to 100")
    # Without its short name, argparse would take --seed for the beginning of --seeds.
    parser.add_argument("--first-seed", "--seed", dest="seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="SETTING=VALUES",
        help="up to four times: learning_rate=0.001..0.01, batch_size=64,128, optimizer=adam,muon",
    )
    parser.add_argument("--samples", type=int, metavar="N", help="draw N combinations at random; default: all")
    parser.add_argument("--halving", action="store_true", help="stop the runs that are behind, by Optuna")
    parser.add_argument("--cluster", default="", metavar="ADDRESS", help="of a Dask scheduler: train there")
    add_setting_arguments(parser, without=("seed",))


def experiment_command(options: argparse.Namespace) -> int:
    """Train an experiment, with one line for each run that has ended, and the summary at the end."""
    store = RunStore(options.runs_dir.absolute()) if options.runs_dir else RunStore.default()
    library, dataset = ExperimentLibrary.beside(store.root), find_dataset(options)
    preset = options.preset or "paper"
    config = config_from_choices(preset, dataset.training_data, **given_settings(options))
    plan = plan_experiment(
        config,
        dataset.training_data,
        [parse_vary(text) for text in options.vary],
        options.seeds,
        options.samples,
        options.halving,
    )
    if options.cluster:
        require_usable_cluster(options.cluster)
    name = library.new_name(preset) if options.name is None else options.name
    experiment = start_experiment(store, name, plan, dataset, options.cluster, options.note)
    configs = plan.configs()
    progress = _Progress(store, experiment, sys.stderr if options.json else sys.stdout)
    runs = count_text(plan.runs, "run")
    expected = "" if options.cluster else f", about {rough_duration_text(*expected_time(store, configs))}"
    progress.print(f"Experiment {name}: {runs}{expected}.")
    if RunQueue(store).is_paused():
        progress.print(QUEUE_IS_PAUSED)
    try:
        _train(store, experiment, progress)
    except KeyboardInterrupt:
        where = ["--cluster", options.cluster] if options.cluster else []
        where += ["--runs-dir", str(options.runs_dir)] if options.runs_dir else []
        command = shlex.join(["python", "-m", "mnist_lib", "work", *where])
        progress.print(f"Interrupted. What waits is trained by: {command}")
        return 130
    results = read_results(store, experiment)
    if options.json:
        print(json.dumps(_as_json(results)))
    else:
        for line in _in_words(results):
            print(printable(line))
    return 0


def require_usable_cluster(address: str) -> None:
    """Raise an error unless runs can be given to the cluster from here.

    Raises:
        ExperimentError: Dask is not installed.
        RunStoreError: The address is none, or it is for TLS and the settings for that are missing.
    """
    try:
        from mnist_lib.cluster.dispatch import require_usable  # Dask is optional, and takes half a second
    except ImportError as error:
        raise ExperimentError(f"A cluster needs Dask: pip install -r requirements-cluster.txt ({error})") from error
    require_usable(address)


class _Progress:
    """Prints a line for each run of an experiment that has ended."""

    def __init__(self, store: RunStore, experiment: Experiment, file: Any) -> None:
        self._store, self._experiment, self._file = store, experiment, file
        self._told: set[int] = set()
        self._looked_at = -SECONDS_PER_LOOK
        self.halving = Halving(store)

    def has_ended(self) -> bool:
        """Look at the experiment, at most once a second, and tell whether all its runs have ended."""
        if time.monotonic() - self._looked_at < SECONDS_PER_LOOK:
            return False
        self._looked_at = time.monotonic()
        results = read_results(self._store, self._experiment)
        for run in results.runs:
            if run.has_ended and run.number not in self._told:
                self._told.add(run.number)
                self.halving.look(run.run)
                self.print(f"{len(self._told):>3}/{len(results.runs)}  {_line(run, self._experiment)}")
        return results.has_ended

    def print(self, text: str) -> None:
        """Print a line. The training continues even if nobody reads it any more."""
        with contextlib.suppress(OSError):
            print(printable(text), file=self._file, flush=True)


def _train(store: RunStore, experiment: Experiment, progress: _Progress) -> None:
    """Work the queue until the experiment has ended."""
    if not experiment.cluster:
        work(store, is_done=progress.has_ended, on_look=progress.halving.look)
        return
    command = ["work", f"--cluster={experiment.cluster}"]
    worker = start_process(store, command)
    try:
        while not progress.has_ended():
            with contextlib.suppress(subprocess.TimeoutExpired):
                _, errors = worker.communicate(timeout=SECONDS_PER_LOOK)
                if worker.returncode not in (0, REFUSED_EXIT_CODE):
                    raise ExperimentError(last_line(errors))
                # Another process works for this cluster already, but it may end before this experiment.
                time.sleep(SECONDS_PER_REFUSED_START)
                worker = start_process(store, command)
    finally:
        if worker.poll() is None:
            stop_process(worker)


def _line(run: ExperimentRun, experiment: Experiment) -> str:
    if run.config is None:
        return f"{run.run.run_id}: {run.state} ({run.message})"
    settings = {name: getattr(run.config, name) for name in experiment.plan.varied}
    said = [combination_text(settings | {"seed": run.config.seed})]
    if run.validation_accuracy is not None:
        said.append(f"validation accuracy {run.validation_accuracy:.2%}")
    if run.test_accuracy is not None:
        said.append(f"test accuracy {run.test_accuracy:.2%}")
    said.append(duration_text(run.seconds))
    if not run.is_finished:
        said.append(f"{run.state}: {run.message}" if run.message else run.state)
    return ", ".join(said)


def _in_words(results: Results) -> list[str]:
    lines = []
    if len(results.combinations) > 1:
        lines += [f"{combination_text(each.settings)}: {summary_text(each)}" for each in results.combinations]
    else:
        lines.append(summary_text(results.whole))
    if results.best:
        lines.append(f"Best by validation accuracy: {combination_text(results.best.settings)}.")
    elif results.experiment.plan.vary:
        lines.append(results.why_no_best)
    return lines


def _as_json(results: Results) -> dict[str, Any]:
    def summary(each: Combination) -> dict[str, Any]:
        figures = {"test_accuracy": each.accuracy, "misclassified": each.misclassified}
        figures |= {"validation_accuracy": each.validation}
        return {name: _figures(figure) for name, figure in figures.items()}

    return {
        "experiment": results.experiment.name,
        "runs": [
            {
                "run_id": run.run.run_id,
                "number": run.number,
                "state": run.state,
                "message": run.message,
                "settings": {name: getattr(run.config, name, None) for name in results.experiment.plan.varied},
                "seed": run.config.seed if run.config else None,
                "validation_accuracy": run.validation_accuracy,
                "test_accuracy": run.test_accuracy,
                "misclassified": run.misclassified,
                "seconds": run.seconds,
            }
            for run in results.runs
        ],
        "summary": summary(results.whole),
        "combinations": [{"settings": each.settings} | summary(each) for each in results.combinations],
        "best": results.best.settings if results.best else None,
        "why_no_best": results.why_no_best,
    }


def _figures(summary: Summary | None) -> dict[str, Any] | None:
    return summary._asdict() if summary else None
