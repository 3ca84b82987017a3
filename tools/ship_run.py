"""Copy a finished run into mnist_lib/assets/runs, small enough to ship.

    python -m tools.ship_run RUN_FOLDER NAME

The epochs' weights are rounded to 7 bits after the binary point, which reduces them from 2 MB
to 0.8 MB each. The final model and all metrics stay as they were trained.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np

from mnist_lib.runs.store import BUNDLED_RUNS_PATH
from mnist_lib.storage.files import UNFINISHED, write_whole

RUNS_PATH = BUNDLED_RUNS_PATH
MANTISSA_BITS = 7
# The requests to this machine's trainer and its output are of no use to others.
LEFT_OUT = ("control.json", "trainer.log", f"{UNFINISHED}*", "*.tmp")


def ship(source: Path, name: str) -> Path:
    """Copy the run folder and shrink its weights."""
    target = RUNS_PATH / name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    status = json.loads((target / "status.json").read_text())
    status["result"]["run_id"] = name
    (target / "status.json").write_text(json.dumps(status, indent=1) + "\n")
    for path in sorted((target / "epochs").glob("*.weights.h5")):
        shrink_weights(path)
    return target


def shrink_weights(path: Path) -> None:
    """Rewrite a Keras weights file in float16, rounded and compressed."""
    write_whole(path, lambda temporary: _write_shrunk(path, temporary))


def _write_shrunk(path: Path, shrunk: Path) -> None:
    with h5py.File(path) as original, h5py.File(shrunk, "w") as copy:

        def copy_item(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                weights = round_mantissa(np.asarray(item).astype(np.float16))
                packing = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if weights.ndim else {}
                copied = copy.create_dataset(name, data=weights, **packing)
            else:
                copied = copy.require_group(name)
            copied.attrs.update(item.attrs)

        copy.attrs.update(original.attrs)
        original.visititems(copy_item)


def round_mantissa(values: np.ndarray) -> np.ndarray:
    """Round float16 values to MANTISSA_BITS, the last of its 10 bits to zero, which compresses."""
    dropped = 10 - MANTISSA_BITS
    bits = values.view(np.uint16).astype(np.uint32) + (1 << (dropped - 1))
    return (bits >> dropped << dropped).astype(np.uint16).view(np.float16)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m tools.ship_run RUN_FOLDER NAME")
    print(ship(Path(sys.argv[1]), sys.argv[2]))
