"""What a run that learns a person's drawings begins with: the drawings, and the weights of another run.

Both are copied into its folder, so that it depends neither on the drawings nor on the other run.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np

from mnist_lib.data.dataset import DIGIT_NAMES, IMAGE_SIZE_PX
from mnist_lib.data.handwriting import Handwriting
from mnist_lib.network.forward import Network
from mnist_lib.network.weights import WeightsError, read_live_network, weights_of, write_live_network
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import RUN_NAME, DamagedRunError, HandwritingRecord
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.storage.files import read_file, write_whole


class Beginning(NamedTuple):
    """What a run begins with.

    Attributes:
        record: What config.json says of it.
        network: The network of the other run.
        handwriting: The drawings.
    """

    record: HandwritingRecord
    network: Network
    handwriting: Handwriting


def begin_from(run: Run, handwriting: Handwriting) -> Beginning:
    """Return what a run begins with that continues from another one and learns drawings.

    Args:
        run: The other run.
        handwriting: The drawings.

    Raises:
        RunStoreError: The other run learned another data set than MNIST, or drawings, or has a name that cannot be
            recorded.
        DamagedRunError: It has no model that can be read.
    """
    if problem := beginning_problem(run):
        raise RunStoreError(problem)
    learned = int(handwriting.learned.sum())
    record = HandwritingRecord(begun_from=run.run_id, learned=learned, set_aside=len(handwriting.labels) - learned)
    return Beginning(record, load_network(run), handwriting)


def beginning_problem(run: Run) -> str:
    """Return why no run can begin from this one, in one line; empty if one can.

    Raises:
        DamagedRunError: Its settings cannot be read.
    """
    record = run.read_config()[1]
    if not record.dataset.is_mnist:
        return "Drawings can be learned only by a run of MNIST."
    if record.handwriting:  # among those to be set aside now may be some that it has seen
        return f"This run has learned drawings already. Begin from {record.handwriting.begun_from} again."
    if not RUN_NAME.fullmatch(run.run_id):
        return "The run's name could not be recorded. Rename it first."
    return ""


def write_beginning(run: Run, beginning: Beginning) -> None:
    """Copy what a run begins with into its folder.

    Raises:
        OSError: The folder cannot be written.
    """
    drawings = beginning.handwriting._asdict()
    write_whole(run.drawings_path, lambda temporary: np.savez_compressed(temporary, **drawings))
    write_live_network(run.start_path, 0, weights_of(beginning.network))


def read_handwriting(run: Run) -> Handwriting:
    """Return the drawings of a run that learns some.

    Raises:
        DamagedRunError: It has none, or the file is not what a trainer writes.
    """
    record = _record(run)
    try:
        with np.load(io.BytesIO(read_file(run.drawings_path)), allow_pickle=False) as file:
            # NumPy returns the bytes of what is no array.
            found = Handwriting(*(np.asarray(file[name]) for name in Handwriting._fields))
    except Exception as error:  # NumPy and zipfile raise many types for a bad file
        raise DamagedRunError(f"{run.drawings_path.name} is missing or unreadable") from error
    count = record.learned + record.set_aside
    expected = ((count, IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8), ((count,), np.uint8), ((count,), np.bool_)
    fits = all((array.shape, array.dtype) == form for array, form in zip(found, expected, strict=True))
    if not fits or found.labels.max() >= len(DIGIT_NAMES) or found.learned.sum() != record.learned:
        raise DamagedRunError(f"{run.drawings_path.name} does not hold {count:,} drawings")
    return found


def read_start(run: Run) -> Network:
    """Return the network that a run began from.

    Raises:
        DamagedRunError: It began from none, or the file is not what a trainer writes.
    """
    _record(run)
    try:
        return read_live_network(run.start_path, run.read_config()[0]).network
    except WeightsError as error:
        raise DamagedRunError(f"{run.start_path.name} is missing or unreadable") from error


def _record(run: Run) -> HandwritingRecord:
    record = run.read_config()[1].handwriting
    if record is None:
        raise DamagedRunError("the run learned no drawings")
    return record
