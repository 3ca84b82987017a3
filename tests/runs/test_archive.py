"""Runs as zips: they come back file by file, and a refused zip leaves no trace."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import stat
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from mnist_lib.access import DEFAULT_LIMITS
from mnist_lib.config import SETTINGS
from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy
from mnist_lib.machine import process_start_time
from mnist_lib.runs.archive import MAX_ARCHIVE_MB, MAX_ENTRIES, MAX_TOTAL_BYTES, archive_run, load_archive
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from tests.support.disks import mounted_disk
from tests.support.runs import Trained, result_of

pytestmark = pytest.mark.usefixtures("keras_loaded")


@pytest.fixture(scope="session")
def archive(trained: Trained) -> bytes:
    """The tiny run as a zip."""
    return archive_run(trained.run)


def files(folder: Path) -> dict[str, bytes]:
    """Return everything below a folder, the hidden too."""
    paths = folder.rglob("*") if folder.exists() else []
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


# There and back.


def test_run_comes_back_file_by_file(trained: Trained, archive: bytes, store: RunStore, dataset: Dataset) -> None:
    run = load_archive(io.BytesIO(archive), store)
    assert run.path == store.root / trained.run.run_id
    left_out = {"trainer.log", "control.json"}
    assert files(run.path) == {
        name: content for name, content in files(trained.run.path).items() if name not in left_out
    }
    snapshot = run.read()
    assert snapshot.state == "finished"
    assert snapshot.last_epoch
    assert accuracy(run.probabilities(), dataset.test_labels) == snapshot.last_epoch.test_accuracy
    assert [other.run_id for other in store.own_runs()] == [run.run_id]
    assert sorted(path.name for path in store.root.iterdir()) == [run.run_id]


@pytest.mark.parametrize("run", RunStore.default().bundled_runs(), ids=lambda run: run.run_id)
def test_shipped_run_comes_back_file_by_file(run: Run, store: RunStore) -> None:
    loaded = load_archive(io.BytesIO(archive_run(run)), store)
    assert files(loaded.path) == files(run.path)
    assert loaded.read().epochs == run.read().epochs
    for before, after in zip(load_network(run)[:4], load_network(loaded)[:4], strict=True):
        np.testing.assert_array_equal(before.kernel, after.kernel)
        np.testing.assert_array_equal(before.bias, after.bias)


def test_note_goes_along_and_what_only_the_trainer_needs_does_not(run_copy: Run, tmp_path: Path) -> None:
    (run_copy.path / "note.txt").write_text("Wie gut! 👩‍🔬\nA <b>second</b> line", encoding="utf-8")
    for name in ("checkpoint-001.weights.h5", "control.json", "config.123.tmp", "unfinished.keras"):
        (run_copy.path / name).write_bytes(b"not to be seen")
    content = archive_run(run_copy)
    assert b"not to be seen" not in content
    loaded = load_archive(io.BytesIO(content), RunStore(tmp_path / "other"))
    assert (loaded.path / "note.txt").read_bytes() == (run_copy.path / "note.txt").read_bytes()


def test_name_that_is_taken_gets_a_number(archive: bytes, trained: Trained, tmp_path: Path) -> None:
    bundled = tmp_path / "bundled"
    (bundled / trained.run.run_id).mkdir(parents=True)
    store = RunStore(tmp_path / "runs", bundled_root=bundled)
    names = [load_archive(io.BytesIO(archive), store).run_id for _ in range(2)]
    assert names == [f"{trained.run.run_id}-2", f"{trained.run.run_id}-3"]
    assert all(run.read().state == "finished" for run in store.own_runs())


def test_stopped_run_is_one_as_well(run_copy: Run, tmp_path: Path) -> None:
    status = run_copy.read_status()
    result = msgspec.structs.replace(result_of(run_copy), state="stopped")
    run_copy.write_status(msgspec.structs.replace(status, state="stopped", result=result))
    assert load_archive(io.BytesIO(archive_run(run_copy)), RunStore(tmp_path / "other")).read().state == "stopped"


def test_zip_that_another_program_packed_again_is_taken(archive: bytes, store: RunStore, trained: Trained) -> None:
    name = trained.run.run_id
    content = rebuild(archive, add={f"{name}/": b"", f"{name}/epochs/": b""}, compression=zipfile.ZIP_DEFLATED)
    assert load_archive(io.BytesIO(content), store).run_id == name


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_run_of_half_precision_is_taken(policy: str, run_copy: Run, tmp_path: Path) -> None:
    snapshot = run_copy.read()
    assert snapshot.config
    run_copy.write_config(snapshot.config, msgspec.structs.replace(snapshot.record, precision=policy))
    load_archive(io.BytesIO(archive_run(run_copy)), RunStore(tmp_path / "other"))


def test_any_network_of_this_project_is_taken(run_copy: Run, tmp_path: Path) -> None:
    from mnist_lib.network.model import build_model

    snapshot = run_copy.read()
    assert snapshot.config
    config = replace(snapshot.config, filters_1=3, filters_2=5, kernel_size=2, second_pooling=True, dropout=0.0)
    run_copy.write_config(config, snapshot.record)
    model = build_model(config)
    model.save(run_copy.model_path)
    for epoch in run_copy.epochs_with_weights():
        run_copy.weights_path(epoch).unlink()
        model.save_weights(run_copy.weights_path(epoch))
    load_archive(io.BytesIO(archive_run(run_copy)), RunStore(tmp_path / "other"))


# What cannot be archived.


@pytest.mark.parametrize("state", ["running", "paused", "failed", "interrupted"])
def test_only_a_run_that_ended_well_is_archived(state: str, run_copy: Run) -> None:
    # This process takes the trainer's place.
    status = msgspec.structs.replace(
        run_copy.read_status(), state=state, pid=os.getpid(), pid_start_time=process_start_time()
    )
    run_copy.write_status(status)
    with pytest.raises(RunStoreError, match=f"is {state}.*; only a finished or stopped run can be archived"):
        archive_run(run_copy)


def test_damaged_run_is_not_archived(run_copy: Run) -> None:
    run_copy.model_path.unlink()
    with pytest.raises(RunStoreError, match=r"is damaged \(model.keras is missing\); only"):
        archive_run(run_copy)


def test_run_that_no_store_would_take_is_not_archived(run_copy: Run) -> None:
    with (run_copy.path / "note.txt").open("wb") as file:
        file.truncate(100_001)
    with pytest.raises(RunStoreError, match=r"too large to be archived, at note\.txt"):
        archive_run(run_copy)
    (run_copy.path / "note.txt").unlink()
    renamed = Run(run_copy.path.rename(run_copy.path.with_name("my run")))
    with pytest.raises(RunStoreError, match="Rename it first"):
        archive_run(renamed)


@pytest.fixture
def longest_run(run_copy: Run) -> Run:
    """A run of as many epochs as there can be: those of the tiny run, again and again."""
    epochs = int(SETTINGS["epochs"].maximum)
    rows = [json.loads(line) for line in (run_copy.path / "metrics.jsonl").read_text().splitlines()]
    last = rows[-1]
    rows += [last | {"epoch": epoch, "step": 10 * epoch, "elapsed_s": 9.0 * epoch} for epoch in range(3, epochs + 1)]
    (run_copy.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for epoch in range(3, epochs + 1):
        os.link(run_copy.weights_path(2), run_copy.weights_path(epoch))
        os.link(run_copy.probabilities_path(2), run_copy.probabilities_path(epoch))
    for name, part, values in (
        ("config.json", "settings", {"epochs": epochs}),
        ("status.json", "result", {"epochs": epochs}),
    ):
        content = json.loads((run_copy.path / name).read_text())
        content[part] |= values
        (run_copy.path / name).write_text(json.dumps(content))
    status = json.loads((run_copy.path / "status.json").read_text())
    (run_copy.path / "status.json").write_text(json.dumps(status | {"epoch": epochs}))
    return run_copy


def test_longest_run_goes_out_and_comes_in_again(longest_run: Run, store: RunStore) -> None:
    content = archive_run(longest_run)
    assert 200_000_000 < len(content) < MAX_TOTAL_BYTES
    loaded = load_archive(io.BytesIO(content), store)
    assert loaded.read().state == "finished"
    assert loaded.epochs_with_weights() == loaded.epochs_with_probabilities() == list(range(1, 101))


def test_run_too_large_to_be_loaded_again_is_refused_when_it_leaves(longest_run: Run) -> None:
    for epoch in longest_run.epochs_with_weights():
        path = longest_run.weights_path(epoch)
        path.unlink()
        with path.open("wb") as file:
            file.truncate(6_000_000)
    with pytest.raises(RunStoreError, match=r"has more than the 500 MB that can be loaded again\. Download its model"):
        archive_run(longest_run)


def test_private_installation_takes_what_a_run_may_be() -> None:
    assert DEFAULT_LIMITS["private"].upload_mb == MAX_ARCHIVE_MB


# Hostile zips. Each takes the zip of the tiny run and the name of its folder.


def rebuild(
    archive: bytes,
    add: dict[str, bytes] | None = None,
    replace_with: dict[str, bytes | None] | None = None,
    rename: Callable[[str], str] = lambda name: name,
    attributes: int | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """Return a zip with some entries changed; None leaves one out. Names are those after the folder."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(file, "w", compression) as after:
        for name in before.namelist():
            content = (replace_with or {}).get(name.split("/", 1)[1], before.read(name))
            if content is not None:
                after.writestr(rename(name), content)
        for name, content in (add or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes or 0
            info.compress_type = compression
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name for the second time
                after.writestr(info, content)
    return file.getvalue()


def read_entry(archive: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(next(entry for entry in opened.namelist() if entry.split("/", 1)[1] == name))


def change_json(archive: bytes, name: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    values = json.loads(read_entry(archive, name))
    change(values)
    return rebuild(archive, replace_with={name: json.dumps(values).encode()})


def change_model(archive: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change the description of the network in model.keras."""
    model = read_entry(archive, "model.keras")
    with zipfile.ZipFile(io.BytesIO(model)) as opened:
        entries = {name: opened.read(name) for name in opened.namelist()}
    description = json.loads(entries["config.json"])
    change(description)
    entries["config.json"] = json.dumps(description).encode()
    return rebuild(archive, replace_with={"model.keras": make_zip(entries)})


def make_zip(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_model(archive: bytes, model: Any, folder: Path) -> bytes:
    path = folder / "foreign.keras"
    model.save(path)
    return rebuild(archive, replace_with={"model.keras": path.read_bytes()})


def change_weights(archive: bytes, change: Callable[[h5py.File], object], name: str = "epochs/001.weights.h5") -> bytes:
    """Change a file of weights by h5py."""
    file = io.BytesIO(read_entry(archive, name))
    with h5py.File(file, "r+") as opened:
        change(opened)
    return rebuild(archive, replace_with={name: file.getvalue()})


def own_network(archive: bytes, **changes: Any) -> Any:
    from mnist_lib.config import TrainingConfig
    from mnist_lib.network.model import build_model

    settings = json.loads(read_entry(archive, "config.json"))["settings"]
    return build_model(TrainingConfig.from_dict(settings | changes))


def lambda_network() -> Any:
    import keras

    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()])


def nan_network(archive: bytes) -> Any:
    model = own_network(archive)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    return model


def add_lambda(description: dict[str, Any]) -> None:
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "evil"}, "registered_name": None}
    description["config"]["layers"].insert(2, layer)


def npz(array: np.ndarray, name: str = "probabilities") -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=True, **{name: array})
    return file.getvalue()


KERNEL = "layers/conv2d/vars/0"


def replace_kernel(file: h5py.File, make: Callable[[h5py.Group, str, np.ndarray], object]) -> None:
    group, name = file["layers/conv2d/vars"], "0"
    assert isinstance(group, h5py.Group)
    before = np.asarray(group[name])
    del group[name]
    make(group, name, before)


def gzip_bomb(group: h5py.Group, name: str, before: np.ndarray) -> None:
    dataset = group.create_dataset(name, before.shape, "f4", chunks=before.shape, compression="gzip")
    dataset.id.write_direct_chunk((0,) * before.ndim, zlib.compress(bytes(1_000_000)))


def virtual(group: h5py.Group, name: str, before: np.ndarray) -> None:
    layout = h5py.VirtualLayout(before.shape, "f4")
    layout[...] = h5py.VirtualSource("/etc/other.h5", "weights", before.shape)
    group.create_virtual_dataset(name, layout)


def external(group: h5py.Group, name: str, before: np.ndarray) -> None:
    group.create_dataset(name, before.shape, "f4", external=[("/etc/passwd", 0, before.nbytes)])


def circle(file: h5py.File) -> None:
    file["layers/circle"] = file["layers"]  # a hard link upwards


def set_row(archive: bytes, of_kind: str, **changes: Any) -> bytes:
    rows = [json.loads(line) for line in read_entry(archive, "metrics.jsonl").splitlines()]
    next(row for row in rows if row["kind"] == of_kind).update(changes)
    return rebuild(archive, replace_with={"metrics.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in rows)})


def layer(description: dict[str, Any], number: int) -> dict[str, Any]:
    return description["config"]["layers"][number]


LINK = (stat.S_IFLNK | 0o777) << 16
NOT_OURS = r"The run was not loaded: its model is not one that this project builds\."

HOSTILE: dict[str, tuple[Callable[[bytes, str, Path], bytes], str]] = {
    # The zip.
    "empty": (lambda z, n, t: b"", "not a zip file of a run"),
    "no zip": (lambda z, n, t: b"a poem" * 100, "not a zip file of a run"),
    "cut": (lambda z, n, t: z[:-30], "not a zip file of a run"),
    "cut in the middle": (lambda z, n, t: z[:5_000] + z[-3_000:], "damaged"),
    "one bit": (lambda z, n, t: z[:3_000_000] + bytes([z[3_000_000] ^ 1]) + z[3_000_001:], "damaged"),
    "nothing in it": (lambda z, n, t: make_zip({}), "is empty"),
    "two folders": (lambda z, n, t: rebuild(z, add={"other/config.json": b"{}"}), "holds 2 folders"),
    "no folder": (lambda z, n, t: rebuild(z, rename=lambda name: name.split("/", 1)[1]), "is not in a run's folder"),
    "path above": (lambda z, n, t: rebuild(z, add={"../evil.txt": b""}), r"\.\./evil\.txt is not in a run's folder"),
    "path above within": (lambda z, n, t: rebuild(z, add={f"{n}/../../evil.txt": b""}), "is not a file of a run"),
    "absolute path": (lambda z, n, t: rebuild(z, add={"/etc/note.txt": b""}), "is not in a run's folder"),
    "path of Windows": (lambda z, n, t: rebuild(z, add={f"{n}\\note.txt": b""}), "is not in a run's folder"),
    "hidden folder": (lambda z, n, t: rebuild(z, rename=lambda name: f".{name}"), "is not in a run's folder"),
    "long name": (lambda z, n, t: rebuild(z, rename=lambda name: "x" * 101 + name), "is not in a run's folder"),
    "markup as a name": (lambda z, n, t: rebuild(z, rename=lambda name: f"![](x)\n{name}"), r"loaded: [^!\[]* is not"),
    "log": (lambda z, n, t: rebuild(z, add={f"{n}/trainer.log": b""}), r"trainer\.log is not a file of a run"),
    "checkpoint": (lambda z, n, t: rebuild(z, add={f"{n}/checkpoint-001.weights.h5": b""}), "is not a file of a run"),
    "upper case": (lambda z, n, t: rebuild(z, add={f"{n}/Config.json": b""}), r"Config\.json is not a file of a run"),
    "digits of elsewhere": (lambda z, n, t: rebuild(z, add={f"{n}/epochs/\u0660\u0660\u0661.npz": b""}), "is not a"),
    "line feed at the end": (lambda z, n, t: rebuild(z, add={f"{n}/note.txt\n": b""}), "is not a file of a run"),
    "twice": (lambda z, n, t: rebuild(z, add={f"{n}/config.json": b"{}"}), r"config\.json is in it twice"),
    "link": (lambda z, n, t: rebuild(z, add={f"{n}/note.txt": b"/etc/passwd"}, attributes=LINK), "is a link"),
    "linked folder": (lambda z, n, t: rebuild(z, add={f"{n}/epochs/": b""}, attributes=LINK), "is a link"),
    "folder with contents": (lambda z, n, t: rebuild(z, add={f"{n}/epochs/": b"x"}), "has more than 0 bytes"),
    "encrypted": (lambda z, n, t: encrypt(z), "is encrypted"),
    "bzip2": (lambda z, n, t: rebuild(z, compression=zipfile.ZIP_BZIP2), "packed in an unsupported way"),
    "too many": (
        lambda z, n, t: make_zip({f"{n}/epochs/{epoch:03d}.npz": b"" for epoch in range(MAX_ENTRIES + 1)}),
        "too many entries; at most 209",
    ),
    "large note": (lambda z, n, t: rebuild(z, add={f"{n}/note.txt": bytes(100_001)}), "more than 100,000 bytes"),
    "large metrics": (
        lambda z, n, t: rebuild(z, replace_with={"metrics.jsonl": bytes(20_000_001)}, compression=zipfile.ZIP_DEFLATED),
        "more than 20 MB",
    ),
    "large weights": (
        lambda z, n, t: rebuild(z, replace_with={"epochs/001.weights.h5": bytes(2_300_000)}),
        r"epochs/001\.weights\.h5 has more than 2,260,584 bytes",
    ),
    # The files.
    "no settings": (lambda z, n, t: rebuild(z, replace_with={"config.json": None}), r"holds no config\.json"),
    "settings that are no JSON": (lambda z, n, t: rebuild(z, replace_with={"config.json": b"x"}), "is not JSON"),
    "nested settings": (lambda z, n, t: rebuild(z, replace_with={"config.json": b"[" * 90_000}), "is not JSON"),
    "list of settings": (lambda z, n, t: rebuild(z, replace_with={"config.json": b"[]"}), "not a JSON object"),
    "setting with markup": (
        lambda z, n, t: change_json(z, "config.json", lambda c: c["settings"].update(optimizer="![](x)")),
        r"not loaded: config.json: Optimizer must be [^!\[]*$",
    ),
    "preset with markup": (
        lambda z, n, t: change_json(z, "config.json", lambda c: c["settings"].update(preset="<b>")),
        "has no preset",
    ),
    "device with markup": (
        lambda z, n, t: change_json(z, "config.json", lambda c: c.update(device="![](http://example.org)")),
        r"config\.json holds text that no trainer writes",
    ),
    "result with markup": (
        lambda z, n, t: change_json(z, "status.json", lambda s: s["result"].update(device="<img src=x>")),
        r"status\.json holds text that no trainer writes",
    ),
    "event with markup": (
        lambda z, n, t: set_row(z, "batch", kind="event", event="<script>"),
        r"metrics\.jsonl holds text that no trainer writes",
    ),
    "deep row": (
        lambda z, n, t: rebuild(
            z,
            replace_with={
                "metrics.jsonl": read_entry(z, "metrics.jsonl").replace(
                    b'{"kind"', b'{"x": ' + b"[" * 900 + b"]" * 900 + b', "kind"', 1
                )
            },
        ),
        "nested too deeply|is not a row of metrics",
    ),
    "no status": (lambda z, n, t: rebuild(z, replace_with={"status.json": None}), r"status\.json is missing"),
    "running": (
        lambda z, n, t: change_json(z, "status.json", lambda s: s.update(state="running")),
        "it is interrupted; only a finished or stopped run",
    ),
    "failed": (
        lambda z, n, t: change_json(z, "status.json", lambda s: s.update(state="failed")),
        "it is failed; only a finished or stopped run",
    ),
    "no result": (
        lambda z, n, t: change_json(z, "status.json", lambda s: s.update(result=None)), "has no result",
    ),
    "endless result": (
        lambda z, n, t: change_json(z, "status.json", lambda s: s["result"].update(misclassified=10**400)),
        "status.json has a wrong value, at misclassified",
    ),
    "result of countless epochs": (
        lambda z, n, t: change_json(z, "status.json", lambda s: s["result"].update(epochs=1e299)),
        "status.json has a wrong value, at epochs",
    ),
    "begun before time": (
        lambda z, n, t: change_json(z, "config.json", lambda c: c.update(created_at=-1e12)),
        "config.json has a wrong value, at created_at",
    ),
    "begun after time": (
        lambda z, n, t: change_json(z, "config.json", lambda c: c.update(created_at=1e18)),
        "config.json has a wrong value, at created_at",
    ),
    "epochs as floats": (lambda z, n, t: set_row(z, "epoch", epoch=1.0), "is not a row of metrics"),
    "row that is none": (lambda z, n, t: set_row(z, "batch", loss="high"), "line 1, is not a row of metrics"),
    "epochs in disorder": (lambda z, n, t: set_row(z, "epoch", epoch=2), "does not hold the epochs in order"),
    "epoch from nowhere": (
        lambda z, n, t: rebuild(z, add={f"{n}/epochs/003.npz": read_entry(z, "epochs/002.npz")}),
        "files of epochs that are not in metrics.jsonl",
    ),
    # The probabilities.
    "no probabilities": (lambda z, n, t: rebuild(z, replace_with={"epochs/002.npz": None}), r"002\.npz is missing"),
    "garbled probabilities": (lambda z, n, t: rebuild(z, replace_with={"epochs/001.npz": b"x"}), "does not hold"),
    "few probabilities": (
        lambda z, n, t: rebuild(z, replace_with={"epochs/001.npz": npz(np.full((9_999, 10), 0.1, np.float16))}),
        "does not hold 10,000 x 10 probabilities",
    ),
    "probabilities above one": (
        lambda z, n, t: rebuild(z, replace_with={"epochs/001.npz": npz(np.ones((10_000, 10), np.float16))}),
        "does not hold probabilities",
    ),
    "pickle": (
        lambda z, n, t: rebuild(z, replace_with={"epochs/001.npz": npz(np.array([{}], dtype=object))}),
        "001.npz is missing or unreadable",
    ),
    "probabilities that unpack to a lot": (
        lambda z, n, t: rebuild(z, replace_with={"epochs/001.npz": npz(np.zeros((10_000_000, 10), np.float16))}),
        "does not hold 10,000 x 10 probabilities",
    ),
    # The model.
    "no model": (lambda z, n, t: rebuild(z, replace_with={"model.keras": None}), r"model\.keras is missing"),
    "text as a model": (lambda z, n, t: rebuild(z, replace_with={"model.keras": b"x"}), "is not a Keras model"),
    "empty zip as a model": (lambda z, n, t: rebuild(z, replace_with={"model.keras": make_zip({})}), NOT_OURS),
    "network with a Lambda layer": (lambda z, n, t: with_model(z, lambda_network(), t), NOT_OURS),
    "network of another size": (lambda z, n, t: with_model(z, own_network(z, dense_units=32), t), NOT_OURS),
    "network with another dropout": (lambda z, n, t: with_model(z, own_network(z, dropout=0.5), t), NOT_OURS),
    "added Lambda layer": (lambda z, n, t: change_model(z, add_lambda), NOT_OURS),
    "missing layer": (lambda z, n, t: change_model(z, lambda d: d["config"]["layers"].pop(2)), NOT_OURS),
    "foreign module": (lambda z, n, t: change_model(z, lambda d: layer(d, 1).update(module="os")), NOT_OURS),
    "foreign class": (lambda z, n, t: change_model(z, lambda d: layer(d, 4).update(class_name="Lambda")), NOT_OURS),
    "registered name": (
        lambda z, n, t: change_model(z, lambda d: layer(d, 1).update(registered_name="evil>Layer")), NOT_OURS,
    ),
    "foreign activation": (
        lambda z, n, t: change_model(z, lambda d: layer(d, 1)["config"].update(activation="evil>relu")), NOT_OURS,
    ),
    "foreign initializer": (
        lambda z, n, t: change_model(
            z, lambda d: layer(d, 1)["config"]["kernel_initializer"].update(module="builtins", class_name="exec")
        ),
        NOT_OURS,
    ),
    "unknown key": (
        lambda z, n, t: change_model(z, lambda d: layer(d, 1)["config"].update(hook={"class_name": "evil"})), NOT_OURS,
    ),
    "compiled": (
        lambda z, n, t: change_model(z, lambda d: d.update(compile_config={"optimizer": "evil"})), NOT_OURS,
    ),
    "input with a foreign name": (
        lambda z, n, t: change_model(z, lambda d: layer(d, 0)["config"].update(name="input_layer<b>")), NOT_OURS,
    ),
    "network that is a list": (
        lambda z, n, t: rebuild(
            z,
            replace_with={
                "model.keras": make_zip({"metadata.json": b"", "config.json": b"[]", "model.weights.h5": b""})
            },
        ),
        NOT_OURS,
    ),
    "network nested too deeply": (
        lambda z, n, t: rebuild(
            z,
            replace_with={
                "model.keras": make_zip({"metadata.json": b"", "config.json": b"[" * 90_000, "model.weights.h5": b""})
            },
        ),
        NOT_OURS,
    ),
    "assets in the model": (
        lambda z, n, t: rebuild(
            z, replace_with={"model.keras": rebuild_model(read_entry(z, "model.keras"), {"assets/evil.py": b""})}
        ),
        NOT_OURS,
    ),
    "path in the model": (
        lambda z, n, t: rebuild(
            z, replace_with={"model.keras": rebuild_model(read_entry(z, "model.keras"), {"../evil.py": b""})}
        ),
        NOT_OURS,
    ),
    "model without weights": (
        lambda z, n, t: rebuild(
            z, replace_with={"model.keras": rebuild_model(read_entry(z, "model.keras"), {"model.weights.h5": b"x"})}
        ),
        r"model\.keras does not hold the weights of its network: it is not a file of weights",
    ),
    "model of NaN": (
        lambda z, n, t: with_model(z, nan_network(z), t),
        r"model\.keras does not hold .*: a weight is not a finite number",
    ),
    # The weights of an epoch.
    "text as weights": (
        lambda z, n, t: rebuild(z, replace_with={"epochs/001.weights.h5": b"x"}), "it is not a file of weights",
    ),
    "cut weights": (
        lambda z, n, t: rebuild(
            z, replace_with={"epochs/002.weights.h5": read_entry(z, "epochs/002.weights.h5")[:-100_000]}
        ),
        r"epochs/002\.weights\.h5 does not hold",
    ),
    "weights of NaN": (
        lambda z, n, t: change_weights(
            z, lambda f: replace_kernel(f, lambda g, n, w: g.create_dataset(n, data=np.full_like(w, np.nan)))
        ),
        r"epochs/001\.weights\.h5 does not hold .*: a weight is not a finite number",
    ),
    "weights of another shape": (
        lambda z, n, t: change_weights(
            z, lambda f: replace_kernel(f, lambda g, n, w: g.create_dataset(n, data=np.zeros((3, 3, 1, 16), "f4")))
        ),
        "it is for another network",
    ),
    "weights of text": (
        lambda z, n, t: change_weights(
            z, lambda f: replace_kernel(f, lambda g, n, w: g.create_dataset(n, w.shape, h5py.string_dtype()))
        ),
        "it is for another network",
    ),
    "weights missing": (lambda z, n, t: change_weights(z, lambda f: f.pop(KERNEL)), "it is for other layers"),
    "weights too many": (
        lambda z, n, t: change_weights(z, lambda f: f.create_dataset("layers/evil/vars/0", data=[1.0])),
        "it is for other layers",
    ),
    "link to another file": (
        lambda z, n, t: change_weights(
            z, lambda f: replace_kernel(f, lambda g, n, w: g.update({n: h5py.ExternalLink("/etc/other.h5", "/w")}))
        ),
        "there is a link in it",
    ),
    "soft link": (
        lambda z, n, t: change_weights(
            z, lambda f: replace_kernel(f, lambda g, n, w: g.update({n: h5py.SoftLink("/layers/conv2d/vars/1")}))
        ),
        "there is a link in it",
    ),
    "virtual weights": (
        lambda z, n, t: change_weights(z, lambda f: replace_kernel(f, virtual)), "an array is stored in another file",
    ),
    "weights in another file": (
        lambda z, n, t: change_weights(z, lambda f: replace_kernel(f, external)), "an array is stored in another file",
    ),
    "weights that unpack to a lot": (
        lambda z, n, t: change_weights(z, lambda f: replace_kernel(f, gzip_bomb)), "unpacks to more than its size"
    ),
    "weights packed otherwise": (
        lambda z, n, t: change_weights(
            z, lambda f: replace_kernel(f, lambda g, n, w: g.create_dataset(n, data=w, compression="lzf"))
        ),
        "packed in an unsupported way",
    ),
    "circle": (lambda z, n, t: change_weights(z, circle), "there is too much in it|it is for other layers"),
}  # fmt: skip


def encrypt(content: bytes) -> bytes:
    """Set the flag of an encrypted entry in the zip's directory."""
    changed = bytearray(content)
    changed[content.rindex(b"PK\x01\x02") + 8] |= 1  # model.keras has a directory as well
    return bytes(changed)


def rebuild_model(model: bytes, add: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(model)) as opened:
        return make_zip({name: opened.read(name) for name in opened.namelist()} | add)


@pytest.mark.parametrize(("make", "line"), HOSTILE.values(), ids=HOSTILE.keys())
def test_zip_that_is_not_right_is_refused_in_one_line_and_leaves_nothing(
    make: Callable[[bytes, str, Path], bytes],
    line: str,
    archive: bytes,
    trained: Trained,
    store: RunStore,
    tmp_path: Path,
) -> None:
    (store.root / "an older run").mkdir(parents=True)
    content = make(archive, trained.run.run_id, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RunStoreError, match=line) as raised:
        load_archive(io.BytesIO(content), store)
    assert len(str(raised.value).splitlines()) == 1
    assert len(str(raised.value)) < 250
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_unpacks_beyond_what_a_run_holds(
    archive: bytes, trained: Trained, store: RunStore, tmp_path: Path
) -> None:
    make, _ = HOSTILE["probabilities that unpack to a lot"]
    content = io.BytesIO(make(archive, trained.run.run_id, tmp_path))
    tracemalloc.start()
    try:
        with pytest.raises(RunStoreError):
            load_archive(content, store)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 20_000_000


# The disk.


def test_no_room_is_seen_before_anything_is_written(
    archive: bytes, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        needed = sum(entry.file_size for entry in opened.infolist())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(needed, 0, needed - 1))  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(Path, "open", lambda path, *mode: pytest.fail(f"{path} was opened"))
    with pytest.raises(RunStoreError, match=r"Cannot write to the runs folder .*: No space left on device\."):
        load_archive(io.BytesIO(archive), store)
    assert list(store.root.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB: the tiny run's 6 MB go beyond it."""
    with mounted_disk(tmp_path / "disk", "4m") as folder:
        yield folder


def test_disk_that_fills_up_meanwhile_is_left_as_it_was(
    small_disk: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "require_space", lambda run, size: None)
    store = RunStore(small_disk, bundled_root=small_disk / "none")
    with pytest.raises(RunStoreError, match="No space left on device"):
        load_archive(io.BytesIO(archive), store)
    assert list(small_disk.iterdir()) == []


def test_folder_that_cannot_be_made_is_one_line(archive: bytes, store: RunStore) -> None:
    store.root.write_text("a file in its place")
    with pytest.raises(RunStoreError, match=r"Cannot write to the runs folder .*: File exists\."):
        load_archive(io.BytesIO(archive), store)


def test_failing_rename_leaves_nothing(archive: bytes, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, target: Path) -> Path:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RunStoreError, match="Permission denied"):
        load_archive(io.BytesIO(archive), store)
    assert list(store.root.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_another_one_loads_is_not(
    archive: bytes, store: RunStore
) -> None:
    for name in (".loading-killed", ".loading-now", ".deleted-a-run-1"):
        (store.root / name).mkdir(parents=True)
    os.utime(store.root / ".loading-killed", (0, 1))
    run = load_archive(io.BytesIO(archive), store)
    assert sorted(path.name for path in store.root.iterdir()) == [".loading-now", run.run_id]


# Drawings, and the weights from which a run began.


def test_drawings_and_first_weights_go_along(learned: Run, store: RunStore) -> None:
    loaded = load_archive(io.BytesIO(archive_run(learned)), store)
    for name in ("drawings.npz", "start.npz", "config.json"):
        assert (loaded.path / name).read_bytes() == (learned.path / name).read_bytes()


DRAWINGS = ("images.npy", "labels.npy", "learned.npy")


def pack(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def change_drawings(content: bytes, name: str, **arrays: Any) -> bytes:
    """Pack the zip of a run again with other arrays among its drawings."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        before = dict(np.load(io.BytesIO(archive.read(f"{name}/drawings.npz"))))
    return rebuild(content, replace_with={"drawings.npz": pack(**before | arrays)})


def change_start(content: bytes, name: str, number: int, value: Any) -> bytes:
    """Pack the zip of a run again with another array among the weights from which it began."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        before = dict(np.load(io.BytesIO(archive.read(f"{name}/start.npz"))))
    return rebuild(content, replace_with={"start.npz": pack(**before | {f"arr_{number}": value})})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda z, n: rebuild(z, replace_with={"drawings.npz": None}), "drawings.npz is missing or unreadable"),
        (lambda z, n: rebuild(z, replace_with={"start.npz": None}), "start.npz is missing or unreadable"),
        (lambda z, n: rebuild(z, replace_with={"drawings.npz": b"PK"}), "drawings.npz does not hold what it should"),
        (lambda z, n: change_drawings(z, n, images=np.zeros((20, 28, 27), np.uint8)), "does not hold 20 drawings"),
        (lambda z, n: change_drawings(z, n, images=np.zeros((20, 28, 28))), "does not hold what it should"),
        (lambda z, n: change_drawings(z, n, labels=np.full(20, 10, np.uint8)), "does not hold 20 drawings"),
        (lambda z, n: change_drawings(z, n, learned=np.ones(20, bool)), "does not hold 20 drawings"),
        (
            lambda z, n: rebuild(z, replace_with={"drawings.npz": make_zip(dict.fromkeys(DRAWINGS, b"no array"))}),
            "drawings.npz does not hold 20 drawings",
        ),
        (lambda z, n: change_drawings(z, n, more=np.zeros(1)), "does not hold what it should"),
        (lambda z, n: change_start(z, n, 2, np.full(32, np.nan, np.float32)), "start.npz is missing or unreadable"),
        (lambda z, n: change_start(z, n, 2, np.zeros(32, np.float64)), "start.npz is missing or unreadable"),
        (lambda z, n: change_start(z, n, 2, np.zeros(10**7, np.float32)), "start.npz does not hold what it should"),
        (lambda z, n: change_json(z, "config.json", lambda c: c.pop("handwriting")), "more than 0 bytes"),
        (
            lambda z, n: change_json(z, "config.json", lambda c: c["handwriting"].update(begun_from="<b>")),
            "config.json has a wrong value, at begun_from",
        ),
    ],
)
def test_drawings_that_are_not_right_are_refused_in_one_line(
    damage: Callable[[bytes, str], bytes], message: str, learned: Run, store: RunStore
) -> None:
    content = damage(archive_run(learned), learned.run_id)
    with pytest.raises(RunStoreError, match=re.escape(message)) as raised:
        load_archive(io.BytesIO(content), store)
    assert len(str(raised.value).splitlines()) == 1
    assert store.own_runs() == []
