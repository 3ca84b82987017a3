"""One's own drawings, as the Draw screen keeps them, in their folder or in the zip that it gives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX, DatasetError
from mnist_lib.drawing.own_test_set import LIST_NAME, OwnDigits, OwnDigitsError, read_zip
from mnist_lib.formats.found import Found, Part, require_size
from mnist_lib.formats.source import Source


def has_drawings(source: Source) -> bool:
    """Tell whether there is a list of drawings."""
    return LIST_NAME in source.sizes


def read_drawings(path: Path) -> Found:
    """Read drawings, as a network sees them.

    Args:
        path: The folder or the zip.

    Raises:
        DatasetError: They cannot be read.
    """
    try:
        if path.is_dir():
            return _read_folder(OwnDigits(path))
        with TemporaryDirectory() as folder, path.open("rb") as file:
            own = OwnDigits(Path(folder))
            own.add_all(read_zip(file))
            return _read_folder(own)
    except OwnDigitsError as error:
        raise DatasetError(str(error)) from error


def _read_folder(own: OwnDigits) -> Found:
    snapshot = own.read()
    count = len(snapshot.digits)
    require_size(count)
    return Found(
        "own drawings",
        Part(snapshot.images, snapshot.labels, np.ones(count, dtype=bool)),
        None,
        Counter({(IMAGE_SIZE_PX, IMAGE_SIZE_PX): count}),
        "centred",
        unreadable=[f"{snapshot.damaged:,} damaged"] if snapshot.damaged else [],
    )
