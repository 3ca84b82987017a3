"""Measure what a network learns from a person's drawings, and what it forgets: ``train --from`` for many hands.

    python -m benchmarks.handwriting STROKES [--run RUN] [--writers FIRST LAST] [--learned N] [--json]

STROKES is as for ``benchmarks.drawn_digits``, and must name the writers. Each writer's digits are drawn as on the Draw
screen, with its usual pen, in one of two sizes. The network learns some of them, by default 5 of each digit, and reads
all the others before and after. The choice, the sizes and the places come from fixed seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from benchmarks.drawn_digits import (
    BUNDLED_RUN,
    LARGEST_OFFSET_PX,
    SEED,
    SIZES_PX,
    PenDigit,
    draw_on_canvas,
    find_run,
    read_canvas,
    read_pen_digits,
)
from mnist_lib.config import handwriting_config
from mnist_lib.data.dataset import Dataset, load_mnist
from mnist_lib.data.handwriting import Handwriting
from mnist_lib.network.backend import choose_backend, choose_onednn, load_keras
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.handwriting import begin_from
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore

PEN_WIDTH_PX = 28
LEARNED_PER_DIGIT = 5


class HandResult(NamedTuple):
    """What the network learned of one hand. All but the first three are from 0 to 1.

    Attributes:
        writer: Their number.
        tested: How many drawings it did not learn from.
        seconds: Of the training, as ``train --json`` says it.
        before: Accuracy on those drawings.
        after: The same after the training.
        mnist_after: Accuracy on MNIST's test images after it.
    """

    writer: int
    tested: int
    seconds: float
    before: float
    after: float
    mnist_after: float


def draw_hand(digits: list[PenDigit], writer: int, learned_per_digit: int) -> Handwriting:
    """Draw all digits of a writer, and choose those to learn from."""
    mine = [digit for digit in digits if digit.writer == writer]
    random = np.random.default_rng([SEED, writer])
    images = [
        read_canvas(
            draw_on_canvas(
                digit.strokes,
                PEN_WIDTH_PX,
                int(random.choice(SIZES_PX)),
                random.uniform(-LARGEST_OFFSET_PX, LARGEST_OFFSET_PX, 2),
            )
        )
        for digit in mine
    ]
    labels = np.array([digit.digit for digit in mine], dtype=np.uint8)
    learned = np.zeros(len(mine), dtype=bool)
    for label in np.unique(labels):
        learned[random.permutation(np.flatnonzero(labels == label))[:learned_per_digit]] = True
    return Handwriting(np.stack(images), labels, learned)


def measure_hand(run: Run, handwriting: Handwriting, writer: int, mnist: Dataset) -> HandResult:
    """Let a run's network learn a hand, in a run folder of its own, and read the rest of it before and after."""
    from mnist_lib.training.train import train

    config = handwriting_config(run.read_config()[0])
    tested = handwriting.images[~handwriting.learned]
    labels = handwriting.labels[~handwriting.learned]

    def accuracy_of(tried: Run) -> float:
        return float((predict_probabilities(load_network(tried), tested).argmax(axis=1) == labels).mean())

    with TemporaryDirectory() as folder:
        beginning = begin_from(run, handwriting)
        with RunStore(Path(folder)).training(config, beginning=beginning) as learner:
            result = train(config, mnist, learner)
            return HandResult(
                writer,
                len(labels),
                result.train_seconds,
                accuracy_of(run),
                accuracy_of(learner),
                result.test_accuracy,
            )


def summarize(run: Run, hands: list[HandResult], mnist: Dataset) -> dict[str, Any]:
    """Return the means and the worst of all hands."""
    _, tested, seconds, before, after, mnist_after = np.array(hands, dtype=float).T
    answers = predict_probabilities(load_network(run), mnist.test_images).argmax(axis=1)
    errors_before, errors_after = ((1 - accuracy) @ tested for accuracy in (before, after))
    return {
        "run": run.run_id,
        "tested": int(tested.sum()),
        "before": {"mean": before.mean(), "worst": before.min()},
        "after": {"mean": after.mean(), "worst": after.min()},
        "errors_gone": float(1 - errors_after / errors_before) if errors_before else None,
        "worse_hands": int((after < before).sum()),
        "mnist_before": float((answers == mnist.test_labels).mean()),
        "mnist_after": {"mean": mnist_after.mean(), "worst": mnist_after.min()},
        "seconds": {"mean": seconds.mean(), "worst": seconds.max()},
    }


def print_table(hands: list[HandResult], summary: dict[str, Any]) -> None:
    """Print the result for a person."""

    def print_row(name: object, before: float, after: float, mnist: float, seconds: float) -> None:
        print(f"{name:>6}{before:>9.2%}{after:>9.2%}{mnist:>13.2%}{seconds:>10.1f}")

    print(f"{summary['run']}, {summary['tested']:,} drawings; before, MNIST: {summary['mnist_before']:.2%}")
    print("writer   before    after  MNIST after   seconds")
    for hand in hands:
        print_row(hand.writer, hand.before, hand.after, hand.mnist_after, hand.seconds)
    for name in ("mean", "worst"):
        print_row(name, *(summary[column][name] for column in ("before", "after", "mnist_after", "seconds")))
    gone, worse = summary["errors_gone"], summary["worse_hands"]
    print(f"{'no errors' if gone is None else f'{gone:.0%} of the errors'} gone; hands read worse: {worse}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, metavar="STROKES", help="a UNIPEN file of digits")
    parser.add_argument("--run", default=BUNDLED_RUN, help=f"the run to begin from (default: {BUNDLED_RUN})")
    parser.add_argument("--runs-dir", type=Path, help="folder of the runs; default MNIST_RUNS_DIR, else ./runs")
    parser.add_argument("--writers", type=int, nargs=2, metavar=("FIRST", "LAST"), default=(1, 30))
    parser.add_argument("--learned", type=int, default=LEARNED_PER_DIGIT, metavar="N", help="of each digit; default 5")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    run = find_run(parser, options)
    if options.learned < 1:
        parser.error("--learned must be at least 1")
    try:
        digits = read_pen_digits(options.strokes)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    first, last = options.writers
    writers = sorted({digit.writer for digit in digits if digit.writer is not None and first <= digit.writer <= last})
    if not writers:
        parser.error(f"none of the digits is by a writer from {first} to {last}")
    load_keras(backend=choose_backend(), onednn=choose_onednn("auto"))
    mnist = load_mnist()
    hands = []
    for writer in writers:
        hands.append(measure_hand(run, draw_hand(digits, writer, options.learned), writer, mnist))
        print(f"writer {writer}: {hands[-1].before:.2%}, then {hands[-1].after:.2%}", file=sys.stderr)
    summary = summarize(run, hands, mnist)
    if options.json:
        print(json.dumps({**summary, "hands": [hand._asdict() for hand in hands]}))
    else:
        print_table(hands, summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
