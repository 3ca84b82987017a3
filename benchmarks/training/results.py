"""What a run of the benchmark measures, as ``--json`` prints it and ``--from`` and ``--compare`` read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]

BARE, BARE_ONEDNN = "bare script", "bare script, oneDNN"


class ResultsError(Exception):
    """Results cannot be read or put together. The message is one line."""


class Machine(Struct, frozen=True, kw_only=True):
    """The machine and the software.

    Attributes:
        processor: Its name.
        cores: How many may be used.
        flags: Those of its instructions that decide how fast it multiplies matrices.
        gpu: The GPU's name, or None.
        onednn: Whether TensorFlow computes with oneDNN if nobody says otherwise; None with another backend.
        versions: Of Python, Keras, its backend and NumPy.
    """

    processor: str
    cores: int
    flags: list[str]
    gpu: str | None
    onednn: bool | None
    versions: dict[str, str]


class Training(Struct, frozen=True, kw_only=True):
    """One training.

    Attributes:
        recipe: A preset, ``BARE`` or ``BARE_ONEDNN``.
        seed: Its seed.
        test_accuracy: After the last epoch.
        seconds: From the call of fit to its return.
        images_per_second: Training images per second, over all of that time.
        precision: Keras's dtype policy.
        onednn: Whether TensorFlow computed with oneDNN, if that is known.
        curve: After each epoch the seconds since the call of fit, and the test accuracy.
        bare_seconds: What the bare script beside it took.
        bare_onednn_seconds: What the bare script with oneDNN beside it took, if it was asked for.
        time_left_error: The largest error of the estimated time left after a tenth, relative to the time really left.
        row_bytes_per_epoch: What its metrics.jsonl takes.
    """

    recipe: str
    seed: int
    test_accuracy: Share
    seconds: Seconds
    images_per_second: float
    precision: str
    curve: Annotated[list[tuple[Seconds, Share]], Meta(min_length=1)]
    bare_seconds: Seconds
    bare_onednn_seconds: Seconds | None = None
    onednn: bool | None = None
    time_left_error: float | None = None
    row_bytes_per_epoch: float | None = None

    @property
    def misclassified(self) -> int:
        """Misclassified test images, of 10,000."""
        return round((1 - self.test_accuracy) * 10_000)

    @property
    def ratio(self) -> float:
        """Its time, divided by that of the bare script beside it."""
        return self.seconds / self.bare_seconds

    @property
    def onednn_ratio(self) -> float | None:
        """Its time, divided by that of the bare script with oneDNN beside it."""
        return self.seconds / self.bare_onednn_seconds if self.bare_onednn_seconds else None

    def seconds_until(self, accuracy: float) -> float:
        """Return the seconds until an epoch first ended with this test accuracy; infinity if none did."""
        return next((seconds for seconds, reached in self.curve if reached >= accuracy), float("inf"))


class Streaming(Struct, frozen=True, kw_only=True):
    """What streaming takes: the callbacks' work between batches.

    Attributes:
        batch_size: The batch size.
        share: Its share of the training's time.
        rows: How many rows were written.
        seconds: The training's time.
    """

    batch_size: int
    share: float
    rows: int
    seconds: float


class FirstPoint(Struct, frozen=True, kw_only=True):
    """How long the first point of the curves takes.

    Attributes:
        seconds: From the Start button to the first row.
        phases: What the status said meanwhile, and since when, in seconds.
    """

    seconds: float
    phases: dict[str, float]


class Results(Struct, frozen=True, kw_only=True):
    """All that one or several runs of the benchmark measured on one machine.

    Attributes:
        machine: The machine.
        training_images: How many images each training had.
        trainings: In the order in which they ran.
        streaming: One for each batch size.
        first_points: One for each start.
        predict_seconds: What ``evaluate`` took to read the 10,000 test images, once for each time.
    """

    machine: Machine
    training_images: int
    trainings: list[Training] = []
    streaming: list[Streaming] = []
    first_points: list[FirstPoint] = []
    predict_seconds: list[float] = []

    def trainings_by_recipe(self) -> dict[str, list[Training]]:
        """Return the trainings of each recipe."""
        recipes = dict.fromkeys(training.recipe for training in self.trainings)
        return {recipe: [one for one in self.trainings if one.recipe == recipe] for recipe in recipes}


def read_results(path: Path) -> Results:
    """Read what ``--json`` printed.

    Raises:
        ResultsError: It cannot be read, or is something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path} holds no results of this benchmark: {error}") from error


def join_results(parts: Sequence[Results]) -> Results:
    """Put the results of several runs together.

    Raises:
        ResultsError: They were measured on different machines, or with different numbers of images.
    """
    first = parts[0]
    if any((part.machine, part.training_images) != (first.machine, first.training_images) for part in parts):
        raise ResultsError("results of different machines, versions or numbers of images cannot be put together")
    return Results(
        machine=first.machine,
        training_images=first.training_images,
        trainings=[training for part in parts for training in part.trainings],
        streaming=[row for part in parts for row in part.streaming],
        first_points=[point for part in parts for point in part.first_points],
        predict_seconds=[seconds for part in parts for seconds in part.predict_seconds],
    )
