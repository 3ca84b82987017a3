"""Packs a run into one zip that can be kept elsewhere and loaded into another store.

The zip holds the run directory in a folder of the run's name, without what only the machine
that trained it can use: checkpoints, controls and the log. A zip may come from anyone, so
everything in it is checked before the run is added; a refused zip leaves nothing behind.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mnist_lib.config import HANDWRITING, PRESETS, SETTINGS, TrainingConfig
from mnist_lib.data.dataset import IMAGE_SIZE_PX, DatasetDescription
from mnist_lib.data.handwriting import Handwriting
from mnist_lib.network.description import agree, describe_network
from mnist_lib.network.weights import weight_shapes, weights_file_size
from mnist_lib.runs.handwriting import read_handwriting, read_start
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import (
    COMPLETE_STATES,
    RUN_NAME,
    DamagedRunError,
    RunRecord,
    RunSnapshot,
    parse_config,
    parse_json,
    read_json,
)
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import LOADING, RunStore
from mnist_lib.storage.zip_reading import CheckedZip, EntryError, ZipError, ZipLimits, open_zip, shown

if TYPE_CHECKING:
    import h5py

# The limit in both directions, and server.maxUploadSize in .streamlit/config.toml. The paper's
# network with 100 epochs, the maximum, takes about 220 MB. Larger networks reach the limit earlier
# and are refused when they are archived, not when they are loaded.
MAX_ARCHIVE_MB = 500
MAX_TOTAL_BYTES = MAX_ARCHIVE_MB * 1024 * 1024  # as Streamlit counts

# Two files per epoch, seven others and two folders.
MAX_ENTRIES = 2 * int(SETTINGS["epochs"].maximum) + 9

# The most that a zip adds to its files: about 200 bytes per entry are usual.
_ZIP_OVERHEAD_BYTES = 500 * MAX_ENTRIES

# The files that a run's folder may hold and their largest sizes in bytes, in both directions.
_SIZE_LIMITS = {
    r"config\.json|status\.json|note\.txt": 100_000,
    r"metrics\.jsonl": 20_000_000,  # 200 bytes per row, 300 rows per epoch
    # Until config.json is read.
    r"epochs/[0-9]{3}\.(npz|weights\.h5)|model\.keras|(drawings|start)\.npz": MAX_TOTAL_BYTES,
    r"(epochs/)?": 0,  # folders, which some programs add
}

# The HDF5 filters that h5py calls "gzip" and "shuffle". Source: H5Zpublic.h.
_DEFLATE, _SHUFFLE = 1, 2

_NOT_OURS = "its model is not one that this project builds"


def archive_run(run: Run) -> bytes:
    """Return a finished or stopped run as a zip that ``load_archive`` can load.

    Raises:
        RunStoreError: The run is in another state, damaged, too large or cannot be read.
    """
    snapshot = run.read()
    if snapshot.state not in COMPLETE_STATES:
        reason = f" ({snapshot.message})" if snapshot.message else ""
        raise RunStoreError(f"The run is {snapshot.state}{reason}; only a finished or stopped run can be archived.")
    if not RUN_NAME.fullmatch(run.run_id):
        raise RunStoreError("The run's name could not be loaded again. Rename it first.")
    file = io.BytesIO()
    try:
        paths = archived_files(run)
        with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
            for path in paths:
                # Weights and probabilities are compressed already or hardly compressible.
                packed = path.suffix in (".json", ".jsonl", ".txt")
                archive.write(
                    path,
                    Path(run.run_id) / path.relative_to(run.path),
                    zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED,
                )
    except OSError as error:
        raise RunStoreError(f"The run cannot be read: {error.strerror or error}.") from error
    return file.getvalue()


def archived_files(run: Run) -> list[Path]:
    """Return the files of a run that go into a zip.

    Raises:
        RunStoreError: One of them, or all together, exceed what ``load_archive`` accepts.
    """
    paths, size = [], _ZIP_OVERHEAD_BYTES
    for path in sorted(run.path.rglob("*")):
        limit = _find_limit(path.relative_to(run.path).as_posix())
        if limit is None or not path.is_file():
            continue
        if path.stat().st_size > limit:
            raise RunStoreError(f"The run is too large to be archived, at {path.name}.")
        paths.append(path)
        size += path.stat().st_size
    if size > MAX_TOTAL_BYTES:
        raise RunStoreError(
            f"The run has more than the {MAX_ARCHIVE_MB} MB that can be loaded again. Download its model and "
            "its tables one by one."
        )
    return paths


def load_archive(file: BinaryIO, store: RunStore) -> Run:
    """Add the run in a zip to a store, under its own name or, if that is taken, name-2 and so on.

    Args:
        file: A zip made by ``archive_run``, perhaps by somebody else.
        store: Where to add it.

    Raises:
        RunStoreError: The visitor may not, the zip does not hold a run of this project, or there is no room
            for it. The store is then unchanged.
    """
    with _unpacked(file, store) as run:
        check_run(run)
        store.record_owner(run)
        return _move(run, store)


def take_in_archive(file: BinaryIO, run: Run, store: RunStore) -> None:
    """Complete a run of the store with what another machine made of it. Note, owner and publication stay.

    The zip is checked as a stranger's is, together with the epochs that are here already.

    Args:
        file: A zip made by ``archive_run``.
        run: The run, which nobody else trains.
        store: Where it is.

    Raises:
        RunStoreError: The zip does not hold this run, or there is no room for it. The run is then unchanged.
    """
    with _unpacked(file, store, new=False) as came:
        (came.path / "note.txt").unlink(missing_ok=True)
        (came.path / "epochs").mkdir(exist_ok=True)
        for path in (run.path / "epochs").glob("[0-9]*"):
            if not (there := came.path / "epochs" / path.name).exists():
                shutil.copy(path, there)
        check_run(came)
        (config, record), (sent_config, sent_record) = came.read_config(), run.read_config()
        if config != sent_config or record.dataset != sent_record.dataset:
            raise DamagedRunError("it has other settings than the run that was sent")
        # The status last: until then the run is as if its trainer had ended unexpectedly.
        for path in sorted(archived_files(came), key=lambda path: path.name == "status.json"):
            path.replace(run.path / path.relative_to(came.path))


@contextmanager
def _unpacked(file: BinaryIO, store: RunStore, new: bool = True) -> Iterator[Run]:
    """Unpack a zip into a hidden folder of a store, which is removed afterwards."""
    try:
        with open_zip(file, ZipLimits("a run", MAX_ENTRIES, MAX_TOTAL_BYTES), _size_limit) as archive:
            name = _check_entries(archive)
            store.root.mkdir(parents=True, exist_ok=True)
            store.remove_leftovers()  # they may be what takes the room
            size = sum(archive.sizes.values())
            store.require_loading(size, new)
            Run(store.root).require_space(size)
            # Readers ignore a folder that begins with a dot; it is removed whatever happens.
            with TemporaryDirectory(prefix=LOADING, dir=store.root) as hidden:
                _unpack(archive, Path(hidden))
                yield Run(Path(hidden) / name)
    except ZipError as error:
        raise RunStoreError(str(error)) from error
    except DamagedRunError as error:
        # It may quote the file, so characters that Markdown interprets are replaced.
        reason = re.sub(r"[^\w .,:;/()=+-]", "?", str(error))[:150].rstrip(".")
        raise RunStoreError(f"The run was not loaded: {reason}.") from error
    except OSError as error:
        raise RunStoreError(f"Cannot write to the runs folder {store.root}: {error.strerror or error}.") from error


# The entries.


def _find_limit(name: str) -> int | None:
    """Return how many bytes a file of a run may have, or None if no file of a run has that name."""
    return next((limit for pattern, limit in _SIZE_LIMITS.items() if re.fullmatch(pattern, name)), None)


def _size_limit(name: str) -> int:
    folder, slash, rest = name.partition("/")
    if not slash or not RUN_NAME.fullmatch(folder):
        raise EntryError("is not in a run's folder")
    limit = _find_limit(rest)
    if limit is None:
        raise EntryError("is not a file of a run")
    return limit


def _check_entries(archive: CheckedZip) -> str:
    """Check the entries as a whole, by the settings among them, and return the folder's name."""
    names = {name.partition("/")[0] for name in archive.sizes}
    if not names:
        raise ZipError("The zip is empty.")
    if len(names) > 1:
        raise ZipError(f"The zip holds {len(names)} folders instead of one.")
    (name,) = names
    if f"{name}/config.json" not in archive.sizes:
        raise ZipError("The zip holds no config.json, so it is not a run.")
    config, record = parse_config(parse_json(archive.read(f"{name}/config.json"), "config.json"))
    weights = weights_file_size(config)
    limits = {".h5": weights, ".keras": weights, ".npz": _npz_size(record.dataset)}
    limits |= {"start.npz": weights, "drawings.npz": _drawings_size(record)}
    for entry, size in archive.sizes.items():
        path = Path(entry)
        limit = limits.get(path.name, limits.get(path.suffix, size))
        if size > limit:
            raise ZipError(f"The zip was not loaded: {shown(entry)} has more than {limit:,} bytes.")
    return name


def _unpack(archive: CheckedZip, folder: Path) -> None:
    for name in archive.sizes:
        if name.endswith("/"):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(archive.chunks(name))


def _move(run: Run, store: RunStore) -> Run:
    """Move the run into the store, under a name that no run has."""
    taken = {other.run_id.casefold() for other in store.runs()}
    names = chain([run.run_id], (f"{run.run_id[:95]}-{number}" for number in count(2)))
    name = next(name for name in names if name.casefold() not in taken and not (store.root / name).exists())
    return Run(run.path.rename(store.root / name))


# The run.


def check_run(run: Run) -> None:
    """Check everything that a reader of the run will read.

    Raises:
        DamagedRunError: Something was not written by this project. The message says what.
    """
    snapshot = run.read()
    if snapshot.state == "damaged" or snapshot.config is None or snapshot.status is None:
        raise DamagedRunError(snapshot.message)
    if snapshot.state not in COMPLETE_STATES:
        raise DamagedRunError(f"it is {snapshot.state}; only a finished or stopped run can be loaded")
    try:
        _check_texts(run, snapshot)
    except RecursionError as error:
        raise DamagedRunError("it is nested too deeply") from error
    _check_epochs(run, snapshot)
    for epoch in run.epochs_with_probabilities():
        _check_probabilities(run, epoch)
    _check_models(run, snapshot.config)
    _check_beginning(run, snapshot.config, snapshot.record)


def _check_texts(run: Run, snapshot: RunSnapshot) -> None:
    """Refuse text that a screen could take for Markdown, HTML or a formula; a note may hold anything."""
    if snapshot.config is None or snapshot.config.preset not in (*PRESETS, HANDWRITING.preset, "custom"):
        raise DamagedRunError("config.json has no preset of this project")
    for name in ("config.json", "status.json"):
        if not _is_plain(read_json(run.path / name)):
            raise DamagedRunError(f"{name} holds text that no trainer writes")
    if not all(_is_plain(json.loads(line)) for line in (run.path / "metrics.jsonl").read_bytes().splitlines()):
        raise DamagedRunError("metrics.jsonl holds text that no trainer writes")


def _check_epochs(run: Run, snapshot: RunSnapshot) -> None:
    """Check what the screens rely on in a run that ended."""
    epochs = [row.epoch for row in snapshot.epochs]
    if epochs != list(range(1, len(epochs) + 1)) or snapshot.config is None or len(epochs) > snapshot.config.epochs:
        raise DamagedRunError("metrics.jsonl does not hold the epochs in order")
    if not {*run.epochs_with_probabilities(), *run.epochs_with_weights()} <= set(epochs):
        raise DamagedRunError("there are files of epochs that are not in metrics.jsonl")
    if snapshot.result is None or snapshot.result.test_loss is None:
        raise DamagedRunError("status.json has no result or no test loss")


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, str) or (len(value) <= 500 and value.isprintable() and not set(value) & set("<>[]`$"))


def _check_probabilities(run: Run, epoch: int) -> None:
    path = run.probabilities_path(epoch)
    dataset = run.dataset()
    try:
        _check_npz(path, {"probabilities": _npz_size(dataset)})
    except ZipError as error:
        expected = f"{dataset.test_images:,} x {dataset.classes} probabilities"
        raise DamagedRunError(f"epochs/{path.name} does not hold {expected}") from error
    probabilities = run.probabilities(epoch)
    if probabilities.min() < 0 or abs(probabilities.sum(axis=1, dtype=np.float64) - 1).max() > 0.01:
        raise DamagedRunError(f"epochs/{path.name} does not hold probabilities")


def _check_beginning(run: Run, config: TrainingConfig, record: RunRecord) -> None:
    """Check the drawings that a run learned and the weights that it began from, if there are any."""
    if record.handwriting is None:
        if run.drawings_path.exists() or run.start_path.exists():
            raise DamagedRunError("there are drawings that config.json does not name")
        return
    weights = [f"arr_{number}" for number in range(1 + len(weight_shapes(config)))]  # as NumPy names them
    limits = {
        run.start_path: dict.fromkeys(weights, weights_file_size(config)),
        run.drawings_path: dict.fromkeys(Handwriting._fields, _drawings_size(record)),
    }
    for path in filter(Path.exists, limits):
        try:
            _check_npz(path, limits[path])
        except ZipError as error:
            raise DamagedRunError(f"{path.name} does not hold what it should") from error
    read_handwriting(run)
    read_start(run)


def _check_npz(path: Path, limits: dict[str, int]) -> None:
    """Raise ZipError if a file holds other arrays, or larger ones: NumPy would unpack anything, however large."""
    sizes = {f"{name}.npy": size for name, size in limits.items()}
    limits_of_all = ZipLimits("arrays", len(sizes), max(sizes.values()))
    with path.open("rb") as file, open_zip(file, limits_of_all, _size_limits(sizes)):
        pass


def _drawings_size(record: RunRecord) -> int:
    """Return how many bytes the drawings of a run take at most, unpacked."""
    counts = record.handwriting
    return (counts.learned + counts.set_aside) * (IMAGE_SIZE_PX**2 + 2) + 100_000 if counts else 0


def _npz_size(dataset: DatasetDescription) -> int:
    """Return how many bytes a file of probabilities takes at most: float16, uncompressed."""
    return 2 * dataset.test_images * dataset.classes + 100_000


def _size_limits(limits: dict[str, int]) -> Callable[[str], int]:
    def size_limit(name: str) -> int:
        if name not in limits:
            raise EntryError("is not allowed in it")
        return limits[name]

    return size_limit


# The model.


def _check_models(run: Run, config: TrainingConfig) -> None:
    """Check the saved network and the weights of each epoch against the network of the settings.

    A file's description of its layers is not deserialized, as ``keras.saving.load_model`` would
    do. It must equal the description of this project's network, so the file is also safe for
    others to load with Keras.
    """
    import h5py  # takes a tenth of a second, and many screens never need it

    shapes = weight_shapes(config)
    try:
        weights = _read_model_file(run.model_path, config)
    except (ZipError, ValueError, RecursionError) as error:
        raise DamagedRunError(_NOT_OURS) from error
    files: dict[str, Path | io.BytesIO] = {"model.keras": io.BytesIO(weights)}
    files |= {f"epochs/{run.weights_path(epoch).name}": run.weights_path(epoch) for epoch in run.epochs_with_weights()}
    for name, source in files.items():
        try:
            with h5py.File(source, "r") as file:
                _check_weights(file, shapes)
        except Exception as error:  # h5py raises many types for a bad file
            reason = str(error) if isinstance(error, DamagedRunError) else "it is not a file of weights"
            raise DamagedRunError(f"{name} does not hold the weights of its network: {reason}") from error
    load_network(run)


def _read_model_file(path: Path, config: TrainingConfig) -> bytes:
    """Return the file of weights inside a .keras file that describes exactly this network.

    Raises:
        ZipError: It is not a .keras file, or holds more than a .keras file.
        ValueError: It describes another network.
    """
    sizes = {"metadata.json": 10_000, "config.json": 100_000, "model.weights.h5": weights_file_size(config)}
    limits = ZipLimits("a Keras model", len(sizes), sum(sizes.values()))
    with path.open("rb") as file, open_zip(file, limits, _size_limits(sizes)) as archive:
        if archive.sizes.keys() != sizes.keys():
            raise ValueError("a file is missing")
        found = json.loads(archive.read("config.json"))
        if not agree(found, describe_network(config)):
            raise ValueError("another network")
        return archive.read("model.weights.h5")


def _check_weights(file: h5py.File, shapes: dict[str, tuple[int, ...]]) -> None:
    """Check that a file holds finite weights of these shapes, and does not refer to other files.

    Raises:
        DamagedRunError: It does not.
    """
    import h5py

    found = {}
    for number, (path, item) in enumerate(_walk(file)):
        if number > 100:  # a network of this project has 20; links may form a circle
            raise DamagedRunError("there is too much in it")
        if not isinstance(item, h5py.Group):
            found[path] = item
    if found.keys() != shapes.keys():
        raise DamagedRunError("it is for other layers")
    for path, dataset in found.items():
        if dataset.shape != shapes[path] or dataset.dtype not in (np.float16, np.float32):
            raise DamagedRunError("it is for another network")
        _check_storage(dataset)
        if not np.isfinite(dataset[()]).all():
            raise DamagedRunError("a weight is not a finite number")


def _walk(group: h5py.Group, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the items of an HDF5 file, without following links, which may lead to another file."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise DamagedRunError("there is a link in it")
        item = group[name]
        yield f"{prefix}{name}", item
        if isinstance(item, h5py.Group):
            yield from _walk(item, f"{prefix}{name}/")


def _check_storage(dataset: h5py.Dataset) -> None:
    """Refuse an array that is stored in another file, or unpacks to more than its size."""
    if dataset.external or dataset.is_virtual:
        raise DamagedRunError("an array is stored in another file")
    creation = dataset.id.get_create_plist()
    filters = [creation.get_filter(number)[0] for number in range(creation.get_nfilters())]
    if filters not in ([], [_DEFLATE], [_SHUFFLE, _DEFLATE]):
        raise DamagedRunError("an array is packed in an unsupported way")
    if dataset.chunks is None:
        return
    chunk_bytes = prod(dataset.chunks) * dataset.dtype.itemsize
    if any(map(int.__gt__, dataset.chunks, dataset.shape)):
        raise DamagedRunError("an array is packed in an unsupported way")
    # HDF5 unpacks a whole chunk at once, to a thousand times its size at worst.
    for number in range(dataset.id.get_num_chunks() if filters else 0):
        stored = dataset.id.get_chunk_info(number)
        if stored.filter_mask or stored.size > 2 * chunk_bytes + 100:
            raise DamagedRunError("an array is packed in an unsupported way")
        _, packed = dataset.id.read_direct_chunk(stored.chunk_offset)
        if len(zlib.decompressobj().decompress(packed, chunk_bytes + 1)) != chunk_bytes:
            raise DamagedRunError("an array unpacks to more than its size")
