"""The commands for data sets: datasets, datasets add, datasets remove."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import get_args

import msgspec

from mnist_lib.data.dataset import MNIST, DatasetDescription, DatasetError, Fitting
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.escaping import printable
from mnist_lib.formats.preparation import Choices, split_class_names
from mnist_lib.formats.reading import read_dataset
from mnist_lib.runs.store import RunStore


def find_library(options: argparse.Namespace) -> DatasetLibrary:
    """Return the data sets that belong to the runs of ``--runs-dir``."""
    root = options.runs_dir.absolute() if options.runs_dir else RunStore.default().root
    return DatasetLibrary.beside(root)


def find_dataset(options: argparse.Namespace) -> DatasetDescription:
    """Return the data set of ``--dataset``, by default MNIST.

    Raises:
        DatasetError: There is none of this name.
    """
    name = MNIST if options.dataset is None else options.dataset
    dataset = find_library(options).find(name)
    if dataset is None:
        raise DatasetError(f"There is no data set {name!r}. `python -m mnist_lib datasets` lists them.")
    return dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can follow ``datasets``."""
    actions = parser.add_subparsers(metavar="add|remove")
    text = "Add a data set: IDX files, an npz, a CSV table, class folders with pictures, or your drawings."
    adding = actions.add_parser("add", help=text, description=text)
    adding.set_defaults(command=add_command)
    adding.add_argument("path", type=Path, metavar="PATH", help="a file, a zip or a folder")
    adding.add_argument("--name", required=True, help="what it will be called")
    adding.add_argument("--classes", metavar="NAMES", help='names of the classes in the order of their labels: "A,B,C"')
    adding.add_argument(
        "--fitting",
        choices=get_args(Fitting),
        default=Choices().fitting,
        help="how other pictures and drawings are brought to 28 x 28: whole, or cropped to the ink and centred as "
        "MNIST's digits (default: whole)",
    )
    adding.add_argument("--as-is", action="store_true", help="do not turn dark on light into light on dark")
    adding.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the shuffling and of the choice of test images"
    )
    adding.add_argument("--origin", default="", metavar="TEXT", help="where it comes from")
    adding.add_argument("--licence", default="", metavar="TEXT", help="under what terms")
    adding.add_argument("--replace", action="store_true", help="take the place of a data set of this name")
    text = "Remove a data set. Its runs stay."
    removing = actions.add_parser("remove", help=text, description=text)
    removing.set_defaults(command=remove_command)
    removing.add_argument("name", metavar="NAME")
    for action in (adding, removing):
        action.add_argument("--runs-dir", type=Path, default=argparse.SUPPRESS, help="folder of the runs")
    adding.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def datasets_command(options: argparse.Namespace) -> int:
    """List the data sets, MNIST first."""
    for description in find_library(options).descriptions():
        if options.json:
            print(msgspec.json.encode(description).decode())
            continue
        images = f"{description.training_images:,} + {description.test_images:,} images"
        texts = ", ".join(filter(None, (description.origin, description.licence)))
        line = f"{description.name:<20} {description.classes:>2} classes  {images}  {texts}"
        print(printable(line.rstrip()))
    return 0


def add_command(options: argparse.Namespace) -> int:
    """Read a data set, print what was found, and keep it."""
    if options.seed < 0:
        raise DatasetError("--seed must be a whole number from 0.")
    library = find_library(options)
    library.require_name(options.name, options.replace)  # before minutes of reading
    names = split_class_names(options.classes) if options.classes is not None else None
    choices = Choices(fitting=options.fitting, as_is=options.as_is, class_names=names, seed=options.seed)
    dataset, inspection = read_dataset(options.path, options.name, choices, _print_share)
    description = msgspec.structs.replace(dataset.description, origin=options.origin, licence=options.licence)
    library.add(dataclasses.replace(dataset, description=description), options.replace)
    if options.json:
        print(msgspec.json.encode({"dataset": description, "inspection": inspection}).decode())
        return 0
    print(printable(inspection.headline))
    counts = zip(inspection.class_names, inspection.training_counts, inspection.test_counts, strict=True)
    for name, training, test in counts:
        print(printable(f"  {name:<24} {training:>7,} + {test:,}"))
    for line in (*inspection.notes, *inspection.warnings):
        print(printable(line))
    print(f"Added. Train with it: python -m mnist_lib train --dataset {options.name}")
    return 0


def remove_command(options: argparse.Namespace) -> int:
    """Remove a data set."""
    find_library(options).remove(options.name)
    return 0


def _print_share(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)
