"""What a run is called where people read it: ``custom, 12,000 images, 23:22``; ``fast, Fashion-MNIST, 23:22``."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache

from mnist_lib.config import HANDWRITING
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import file_stamp
from mnist_lib.wording import count_text

# As RunStore.new_run_id makes it; a copy that was loaded again has a number at its end, too.
_MADE_NAME = re.compile(r"(\d{8}-\d{6})-(paper|fast|accurate|handwriting|custom)-seed(\d{1,9})(?:-(\d+))?", re.ASCII)


# Both caches hold a few bytes per run: the screens list hundreds of runs, several times at every click.
@lru_cache(maxsize=4096)
def run_title(
    run_id: str,
    training_images: int | None = None,
    today: date | None = None,
    with_seconds: bool = False,
    dataset: DatasetDescription = MNIST_DESCRIPTION,
) -> str:
    """Return a run's preset and time, and between them data set, number of images and seed if they are not the usual.

    A run that ships with the project or that a person renamed keeps its name, which is not trusted.

    Args:
        run_id: The name of the run's folder.
        training_images: How many images it trains on, if that is known.
        today: A time of this day has no date, one of this year no year; None gives the whole date.
        with_seconds: Whether the time has seconds.
        dataset: What it learns from.
    """
    made = _MADE_NAME.fullmatch(run_id)
    if not made:
        return run_id
    stamp, preset, seed, number = made.groups()
    try:
        when = datetime.strptime(stamp, "%Y%m%d-%H%M%S")
    except ValueError:  # there is no such day: a person made up the name
        return run_id
    parts = [preset]
    if not dataset.is_mnist:
        parts.append(dataset.name)
    usual = HANDWRITING.training_images if preset == HANDWRITING.preset else dataset.training_images
    if training_images not in (None, usual):
        parts.append(count_text(training_images, "image"))
    if int(seed):
        parts.append(f"seed {int(seed)}")
    if today != when.date():
        year = "" if today and today.year == when.year else f" {when.year}"
        parts.append(f"{when.day} {when:%b}{year}")
    parts.append(f"{when:%H:%M:%S}" if with_seconds else f"{when:%H:%M}")
    return ", ".join(parts) + (f" ({number})" if number else "")


def run_titles(runs: Iterable[Run], today: date) -> dict[str, str]:
    """Return the titles of runs by the names of their folders, with seconds where two would be the same.

    Args:
        runs: All runs that the titles have to tell apart, even damaged ones.
        today: As for ``run_title``.
    """
    learned = {run.run_id: _learned_from(run, file_stamp(os.path.join(run.path, "config.json"))) for run in runs}
    titles = {run_id: run_title(run_id, count, today, dataset=dataset) for run_id, (count, dataset) in learned.items()}
    uses = Counter(titles.values())
    return {
        run_id: title if uses[title] == 1 else run_title(run_id, count, today, with_seconds=True, dataset=dataset)
        for (run_id, title), (count, dataset) in zip(titles.items(), learned.values(), strict=True)
    }


@lru_cache(maxsize=4096)
def _learned_from(run: Run, stamp: int) -> tuple[int | None, DatasetDescription]:
    """Return how many images of which data set a run learns from; None and MNIST if its settings are damaged."""
    try:
        config, record = run.read_config()
    except DamagedRunError:
        return None, MNIST_DESCRIPTION
    return config.training_images, record.dataset
