"""Tortures the project and prints the table of docs/reliability.md: ``python -m tests.torture [ROW...]``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import takewhile
from multiprocessing import get_context
from pathlib import Path

from mnist_lib.runs.store import RunStore
from tests.support.processes import Python
from tests.torture.row import Measured, Outcome, do_cases
from tests.torture.rows import ROWS

# Two epochs of a network that is quick to train and to load.
TRAINING = (
    "--limit=300", "--epochs=2", "--batch-size=32", "--seed=7", "--filters-1=4", "--filters-2=8", "--dense-units=16",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Torture the project.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one of {', '.join(ROWS)}; default: all")
    parser.add_argument("--cases", type=int, help="how many of each row; default: as many as belong to it")
    parser.add_argument("--first", type=int, default=0, help="the first case, from 0, to do one again")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--write", type=Path, help="a file with the table, in which these lines are replaced")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    began = time.monotonic()
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        code, _, stderr = Python().run("-m", "mnist_lib", "train", *TRAINING, "--runs-dir", folder)
        assert code == 0, stderr
        (source,) = RunStore(Path(folder)).own_runs()
        for name in options.rows or ROWS:
            row = ROWS[name]
            cases = row.cases if options.cases is None else min(options.cases, row.cases)
            numbers = range(options.first, options.first + cases)
            # In a process of its own: what ends it ends no other row, and the memory of its children is theirs alone.
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                try:
                    outcomes[name] = pool.submit(do_cases, row, source, options.seed, numbers, True).result()
                except BrokenProcessPool:
                    outcomes[name] = Outcome(Counter(), ["the process died"], Measured(0, 0), 0)
    lines = make_lines(outcomes)
    print("", *lines.values(), f"\nAll in {(time.monotonic() - began) / 60:.0f} minutes.", sep="\n")
    faults = [f"{name}, {fault}" for name, outcome in outcomes.items() for fault in outcome.faults]
    if options.write:
        write_table(options.write, lines)
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


def make_lines(outcomes: dict[str, Outcome]) -> dict[str, str]:
    """Return a line of the table for each row, in Markdown."""
    lines = {}
    for name, outcome in outcomes.items():
        count = sum(outcome.counts.values()) + len(outcome.faults)
        lines[name] = (
            f"| {count:,} {ROWS[name].what} | `python -m tests.torture {name}` | {outcome}; {outcome.seconds:,.0f} s |"
        )
    return lines


def write_table(path: Path, lines: dict[str, str]) -> None:
    """Replace these lines in the first table of a Markdown file, and leave the other ones."""
    before = path.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(before) if line.startswith("|"))
    head, *kept = takewhile(lambda line: line.startswith("|"), before[first:])
    rule, *kept = kept
    last = first + 2 + len(kept)
    lines = {name: line for name in ROWS for line in kept if f"`python -m tests.torture {name}`" in line} | lines
    before[first:last] = [head, rule, *(lines[name] for name in ROWS if name in lines)]
    path.write_text("\n".join(before) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
