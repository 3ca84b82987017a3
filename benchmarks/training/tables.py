"""The results as Markdown tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from benchmarks.training.results import Machine, Results, Training

# Test accuracies whose first time is of interest.
MILESTONES = (0.99, 0.992)

_Number = Callable[[Training], float | None]


def describe(machine: Machine) -> str:
    """Return a line about a machine."""
    parts = [f"{machine.processor}, {machine.cores} cores"]
    parts += [" ".join(machine.flags)] if machine.flags else []
    parts += [machine.gpu or "no GPU"]
    parts += [f"oneDNN {_on(machine.onednn)} by default"] if machine.onednn is not None else []
    return "; ".join([*parts, ", ".join(f"{name} {version}" for name, version in machine.versions.items())])


def training_cells(training: Training) -> dict[str, str]:
    """Return a row of the table of trainings: the columns' names and the cells."""
    return {
        "recipe": training.recipe,
        "seed": f"{training.seed}",
        "test accuracy": f"{training.test_accuracy:.2%}",
        "misclassified": f"{training.misclassified}",
        "seconds": f"{training.seconds:.1f}",
        "ratio": f"{training.ratio:.3f}",
        "times faster": f"{1 / training.ratio:.2f}",
        "ratio, oneDNN": _text(training.onednn_ratio, ".3f"),
        **{_until(accuracy): _text(training.seconds_until(accuracy), ".1f") for accuracy in MILESTONES},
        "images/s": f"{training.images_per_second:,.0f}",
        "precision": training.precision,
        "oneDNN": _on(training.onednn),
        "time left off": _text(training.time_left_error, ".0%"),
        "kB of rows per epoch": _text(training.row_bytes_per_epoch and training.row_bytes_per_epoch / 1e3, ".1f"),
    }


def summary_cells(recipe: str, trainings: Sequence[Training]) -> dict[str, str]:
    """Return a row of the summary: median and worst of all seeds."""

    def both(number: _Number, form: str, worst: Callable[..., float] = max) -> str:
        values = [value for value in map(number, trainings) if value is not None]
        return ", ".join(_text(pick(values), form) for pick in (statistics.median, worst)) if values else ""

    return {
        "median, worst of": recipe,
        "seeds": f"{len(trainings)}",
        "misclassified": both(lambda one: one.misclassified, "g"),
        "seconds": both(lambda one: one.seconds, ".1f"),
        "ratio": both(lambda one: one.ratio, ".3f"),
        "times faster": both(lambda one: 1 / one.ratio, ".2f", min),
        "ratio, oneDNN": both(lambda one: one.onednn_ratio, ".3f"),
        **{
            _until(accuracy): both(lambda one, accuracy=accuracy: one.seconds_until(accuracy), ".1f")
            for accuracy in MILESTONES
        },
        "images/s": both(lambda one: one.images_per_second, ",.0f", min),
        "time left off": both(lambda one: one.time_left_error, ".0%"),
    }


def results_text(results: Results) -> str:
    """Return all that was measured."""
    parts = [describe(results.machine)]
    if results.trainings:
        if results.training_images != 60_000:
            parts.append(f"Only {results.training_images:,} training images.")
        parts.append(table([training_cells(training) for training in results.trainings]))
        parts.append(table([summary_cells(*item) for item in results.trainings_by_recipe().items()]))
    if results.streaming:
        parts.append(
            table(
                [
                    {
                        "batch size": f"{row.batch_size:,}",
                        "streaming": f"{row.share:.2%}",
                        "of seconds": f"{row.seconds:.1f}",
                        "rows": f"{row.rows:,}",
                    }
                    for row in results.streaming
                ]
            )
        )
    if results.first_points:
        slowest = max(results.first_points, key=lambda point: point.seconds)
        median = statistics.median(point.seconds for point in results.first_points)
        parts.append(
            f"From Start to the first point: median {median:.1f} s, worst {slowest.seconds:.1f} s, with "
            + ", ".join(f"{phase} from {seconds:.1f} s on" for phase, seconds in slowest.phases.items())
        )
    if results.predict_seconds:
        median, worst = statistics.median(results.predict_seconds), max(results.predict_seconds)
        parts.append(f"Reading the 10,000 test images: median {median:.2f} s, worst {worst:.2f} s")
    return "\n\n".join(parts)


def comparison_text(old: Results, new: Results) -> str:
    """Return the medians of two results, for the recipes that are in both.

    Ratios to the bare script beside each training, since a machine's speed drifts.
    """
    news = new.trainings_by_recipe()
    rows = []
    for recipe, trainings in old.trainings_by_recipe().items():
        if recipe not in news:
            continue
        before, after = (statistics.median(one.ratio for one in some) for some in (trainings, news[recipe]))
        wrong = [statistics.median(one.misclassified for one in some) for some in (trainings, news[recipe])]
        rows.append(
            {
                "median": recipe,
                "ratio, old": f"{before:.3f}",
                "ratio, new": f"{after:.3f}",
                "new / old": f"{after / before:.3f}",
                "misclassified, old": f"{wrong[0]:g}",
                "misclassified, new": f"{wrong[1]:g}",
            }
        )
    machines = [f"old: {describe(old.machine)}", f"new: {describe(new.machine)}"]
    return "\n".join([*machines, "", table(rows) if rows else "No recipe is in both."])


def table(rows: Sequence[dict[str, str]]) -> str:
    """Return rows as a Markdown table, without the columns that are empty in all of them.

    Args:
        rows: At least one, all with the same columns: their names and the cells.
    """
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in columns}
    lines = [{name: name for name in columns}, {name: "-" * widths[name] for name in columns}, *rows]
    return "\n".join("| " + " | ".join(line[name].ljust(widths[name]) for name in columns) + " |" for line in lines)


def _on(value: bool | None) -> str:
    return "" if value is None else "on" if value else "off"


def _until(accuracy: float) -> str:
    return f"s to {100 * accuracy:g}%"


def _text(value: float | None, form: str) -> str:
    """Return a number as text; nothing for None, ``never`` for infinity."""
    return "" if value is None else f"{value:{form}}" if math.isfinite(value) else "never"
