"""The command: measure, or read what was measured, and print tables, JSON or a plot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

import benchmarks.training
from benchmarks.training.measurement import (
    READINGS,
    STARTS,
    MeasurementError,
    measure_first_point,
    measure_machine,
    measure_prediction,
    measure_streaming,
    measure_trainings,
)
from benchmarks.training.results import Results, ResultsError, join_results, read_results
from benchmarks.training.streaming import IMAGES
from benchmarks.training.tables import comparison_text, describe, results_text, training_cells
from mnist_lib.config import PRESETS

PARTS = ("trainings", "streaming", "first-point", "evaluation")


def measure(options: argparse.Namespace) -> Results:
    """Measure the parts that are asked for. What is done so far goes to standard error."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    results = Results(machine=measure_machine(), training_images=options.limit)
    say(describe(results.machine))
    if "trainings" in options.parts:
        for training in measure_trainings(options.seeds, options.presets, options.limit, options.bare_onednn):
            results.trainings.append(training)
            say(", ".join(f"{name} {cell}" for name, cell in training_cells(training).items() if cell))
    if "streaming" in options.parts:
        results.streaming.extend(measure_streaming(batch_size) for batch_size in IMAGES)
    if "first-point" in options.parts:
        results.first_points.extend(measure_first_point() for _ in range(STARTS))
    if "evaluation" in options.parts:
        results.predict_seconds.extend(measure_prediction() for _ in range(READINGS))
    return results


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description=benchmarks.training.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], metavar="N")
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=list(PRESETS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument("--bare-onednn", action="store_true", help="the bare script also with oneDNN switched on")
    parser.add_argument("--limit", type=int, default=60_000, metavar="N", help="training images, for a quick try")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw test accuracy over seconds")
    parser.add_argument("--from", type=Path, nargs="+", dest="read", metavar="JSON", help="measure nothing, read these")
    parser.add_argument("--compare", type=Path, nargs=2, metavar="JSON", help="print the medians of two")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, or with --json one object, and draw the plot."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if not 1 <= options.limit <= 60_000:
        parser.error("--limit must be from 1 to 60000")
    if options.plot and not options.plot.absolute().parent.is_dir():
        parser.error(f"there is no folder {options.plot.parent}")  # said now, not after an hour
    try:
        if options.compare:
            print(comparison_text(*map(read_results, options.compare)))
            return
        results = join_results([read_results(path) for path in options.read]) if options.read else measure(options)
        print(msgspec.json.encode(results).decode() if options.json else results_text(results), flush=True)
        if options.plot:
            from benchmarks.training.plot import accuracy_figure, write_svg

            write_svg(accuracy_figure(results), options.plot)
    except (ResultsError, MeasurementError) as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
