"""Damages to bytes, JSON and zips, each chosen by a random number generator of its own."""

from __future__ import annotations

import copy
import io
import json
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np

from tests.support.runs import HOSTILE_TEXT

HOSTILE_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 7, 10**6, 10**30, 10**400, -(10**400), 0.5, 1e-300, 1e308, -1e308, float("nan"),
    float("inf"), -float("inf"), "", "x", HOSTILE_TEXT, "half a character \ud800", "nought\0inside", "../../outside",
    "/etc/passwd", "9" * 5_000, "é" * 300, "\u202eesrever", "paper", "finished", [], {}, [1], {"settings": {}},
    [[[[[[]]]]]],
]  # fmt: skip

HOSTILE_NAMES = (
    "../outside.txt", "../../outside.txt", "/tmp/outside.txt", "C:\\outside.txt", "a\\..\\..\\outside.txt",
    "nought\0inside", "new\nline", "x" * 300, "x/" * 100, "", ".", "..", "/", "~/outside", "CON", "é" * 200,
    "\u202egnp.x", "config.json/", "epochs/../../outside", "\ud83d\ude00"[:1] + "half", HOSTILE_TEXT,
)  # fmt: skip

NUMBERS = (0, 1, 7, 0x7F, 0xFF, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """Return the bytes with flipped bits, a hole, a piece twice, other bytes, an end too early or too late."""
    if not content:
        return random.randbytes(100)
    changed = bytearray(content)
    place = random.randrange(len(content))
    length = min(random.choice((1, 4, 50, 2_000)), len(content) - place)
    kind = random.choice(("bits", "bits", "bits", "cut", "hole", "twice", "garbage", "noughts", "longer"))
    if kind == "bits":
        for _ in range(random.choice((1, 1, 2, 8, 64))):
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del changed[place:]
    elif kind == "hole":
        del changed[place : place + length]
    elif kind == "twice":
        changed[place:place] = content[place : place + length]
    elif kind == "longer":
        changed += random.randbytes(length)
    else:
        changed[place : place + length] = random.randbytes(length) if kind == "garbage" else bytes(length)
    return bytes(changed)


def mutate_json(value: Any, random: Random) -> Any:
    """Return a JSON value with something in it missing, of another type or out of its range."""
    changed = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def find_places(parent: Any) -> None:
        for key in list(parent) if isinstance(parent, dict) else range(len(parent)):
            places.append((parent, key))
            if isinstance(parent[key], (dict, list)):
                find_places(parent[key])

    if isinstance(changed, (dict, list)):
        find_places(changed)
    if not places or random.random() < 0.03:
        return random.choice(HOSTILE_VALUES)
    parent, key = random.choice(places)
    kind = random.choice(("other", "other", "other", "missing", "scaled", "unknown"))
    if kind == "missing":
        del parent[key]
    elif kind == "scaled" and isinstance(parent[key], (int, float)):
        parent[key] *= random.choice((-1, 0, 1.5, 10, 10**6, 10**18))
    elif kind == "unknown" and isinstance(parent, dict):
        parent[HOSTILE_TEXT] = parent[key]
    else:
        parent[key] = random.choice(HOSTILE_VALUES)
    return changed


def mutate_file(name: str, content: bytes, random: Random) -> bytes:
    """Return a file's content, damaged as its kind allows, or like any bytes."""
    if random.random() < 0.3:
        return mutate_bytes(content, random)
    if name.endswith(".json"):
        return json.dumps(mutate_json(json.loads(content), random)).encode(errors="surrogatepass")
    if name.endswith(".jsonl"):
        lines = content.splitlines()
        number = random.randrange(len(lines))
        kind = random.choice(("value", "value", "value", "away", "twice", "order"))
        if kind == "value":
            lines[number] = json.dumps(mutate_json(json.loads(lines[number]), random)).encode(errors="surrogatepass")
        elif kind == "away":
            del lines[number]
        elif kind == "twice":
            lines.insert(number, lines[number])
        else:
            random.shuffle(lines)
        return b"\n".join(lines) + b"\n"
    if name.endswith((".npz", ".keras")):
        return mutate_zip(content, random)
    if name.endswith(".npy"):
        return mutate_array(content, random)
    if name.endswith(".h5"):
        return mutate_weights(content, random)
    if name.endswith(".png"):
        return mutate_png(content, random)
    return mutate_bytes(content, random)


def mutate_array(content: bytes, random: Random) -> bytes:
    """Return a .npy file of other numbers, another shape or another type."""
    array = np.atleast_1d(np.load(io.BytesIO(content)))
    values = random.choice((np.nan, np.inf, -1.0, 2.0, 1e4, 0.0) if array.dtype.kind == "f" else (0, 1, 11))
    place = tuple(random.randrange(length) for length in array.shape)
    other: Callable[[], Any] = random.choice(
        (
            lambda: (array.__setitem__(place, values), array)[1],
            lambda: array * np.float16(values),
            lambda: array[: random.randrange(len(array))],
            lambda: array.T,
            lambda: array.astype(random.choice(("f4", "f8", "i8", "u1", "S3", "c8", "?", "O"))),
            lambda: array.reshape(-1),
            lambda: array[None],
            lambda: np.float16(0.1),
        )
    )
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.save(file, other())
    return file.getvalue()


def mutate_weights(content: bytes, random: Random) -> bytes:
    """Return a file of weights with one array or link in it that is not as it was."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as opened:
        names: list[str] = []
        opened.visit(lambda name: names.append(name) if isinstance(opened[name], h5py.Dataset) else None)
        name = random.choice(names)
        before = np.asarray(opened[name])
        del opened[name]
        kind = random.choice(
            ("away", "number", "shape", "type", "soft", "external", "packed", "elsewhere", "attribute")
        )
        if kind == "number":
            before.flat[random.randrange(before.size)] = random.choice((np.nan, np.inf, 3e38, 0))
            opened[name] = before
        elif kind == "shape":
            opened[name] = before.reshape(-1)[: random.randrange(before.size)]
        elif kind == "type":
            opened[name] = before.astype(random.choice(("f2", "f8", "i4", "S4", "c8")))
        elif kind == "soft":
            opened[name] = h5py.SoftLink(random.choice(("/", f"/{name}", "/nowhere")))
        elif kind == "external":
            opened[name] = h5py.ExternalLink(random.choice(("/etc/passwd", "/proc/self/environ")), "/")
        elif kind == "packed":
            opened.create_dataset(name, data=before, chunks=before.shape, compression=random.choice(("gzip", "lzf")))
        elif kind == "elsewhere":
            opened.create_dataset(name, before.shape, "f4", external=[("/etc/passwd", 0, before.nbytes)])
        elif kind == "attribute":
            opened[name] = before
            opened[name].attrs[HOSTILE_TEXT] = before[:1]
    return file.getvalue()


def mutate_png(content: bytes, random: Random) -> bytes:
    """Return a PNG one of whose chunks is damaged, doubled, away or named otherwise, with its checksum right."""
    chunks, place = [], 8
    while place < len(content):
        length = struct.unpack(">L", content[place : place + 4])[0]
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += length + 12
    number = random.randrange(len(chunks))
    kind, data = chunks[number]
    what = random.choice(("data", "data", "data", "kind", "twice", "away", "header"))
    if what == "data":
        chunks[number] = kind, mutate_bytes(data, random)
    elif what == "kind":
        chunks[number] = random.choice((b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"zTXt", b"iCCP", b"acTL")), data
    elif what == "twice":
        chunks.insert(number, chunks[number])
    elif what == "away":
        del chunks[number]
    else:
        header = bytearray(chunks[0][1])
        place = random.choice((0, 4, 8, 9, 10, 11, 12))
        size = 4 if place < 8 else 1
        header[place : place + size] = (random.choice(NUMBERS) % 256**size).to_bytes(size, "big")
        chunks[0] = chunks[0][0], bytes(header)
    return content[:8] + b"".join(
        struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data)) for kind, data in chunks
    )


def mutate_zip(content: bytes, random: Random) -> bytes:
    """Return a zip that is damaged as bytes, that lies about itself, or one of whose entries is not as it was."""
    kind = random.choice(("bytes", "field", "field", "entries", "entries", "content", "content", "content"))
    if kind == "bytes":
        return mutate_bytes(content, random)
    if kind == "field":
        return mutate_field(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        entries = [(entry.filename, opened.read(entry)) for entry in opened.infolist()]
    if kind == "entries":
        return mutate_entries(entries, random)
    # Each kind of file as often as the others: most of a run's files are weights.
    endings = sorted({name.rpartition(".")[2] for name, _ in entries})
    ending = random.choice(endings)
    number = random.choice([number for number, (name, _) in enumerate(entries) if name.endswith(ending)])
    name, before = entries[number]
    entries[number] = name, mutate_file(name, before, random)
    return make_zip(entries)


def mutate_field(content: bytes, random: Random) -> bytes:
    """Return a zip with another number in one field of its records: sizes, places, methods, flags, counts."""
    sizes = {
        b"PK\x03\x04": (4, 2, 6, 2, 8, 2, 14, 4, 18, 4, 22, 4, 26, 2, 28, 2),
        b"PK\x01\x02": (6, 2, 8, 2, 10, 2, 16, 4, 20, 4, 24, 4, 28, 2, 30, 2, 32, 2, 38, 4, 42, 4),
        b"PK\x05\x06": (4, 2, 8, 2, 10, 2, 12, 4, 16, 4, 20, 2),
    }
    mark = random.choice([mark for mark in sizes if mark in content])
    places, place = [], -1
    while (place := content.find(mark, place + 1)) >= 0:
        places.append(place)
    fields = sizes[mark]
    number = random.randrange(len(fields) // 2)
    offset, size = fields[2 * number : 2 * number + 2]
    begin = random.choice(places) + offset
    value = random.choice((*NUMBERS, random.getrandbits(32))) % 256**size
    return content[:begin] + value.to_bytes(size, "little") + content[begin + size :]


def mutate_entries(entries: list[tuple[str, bytes]], random: Random) -> bytes:
    """Return a zip with an entry renamed, doubled, swapped, away, added, linked, packed otherwise, or a bomb."""
    number = random.randrange(len(entries))
    name, before = entries[number]
    kind = random.choice(
        (
            "named",
            "named",
            "added",
            "twice",
            "away",
            "swapped",
            "bomb",
            "link",
            "method",
            "shuffled",
            "deflated",
            "many",
        )
    )
    changed = list(entries)
    options: dict[str, Any] = {}
    hostile = random.choice(HOSTILE_NAMES)
    if kind in ("named", "added") and "/" in name and random.random() < 0.5:
        hostile = f"{name.split('/')[0]}/{hostile}"
    if kind == "named":
        changed[number] = hostile, before
    elif kind == "added":
        changed.insert(number, (hostile, before))
    elif kind == "twice":
        changed.append((name, random.choice(entries)[1]))
    elif kind == "away":
        del changed[number]
    elif kind == "swapped":
        other = random.randrange(len(entries))
        changed[number], changed[other] = (name, entries[other][1]), (entries[other][0], before)
    elif kind == "bomb":
        changed[number] = name, bytes(random.choice((10**5, 10**7, 10**8)))
        options = {"method": zipfile.ZIP_DEFLATED}
    elif kind == "link":
        options = {"linked": number}
    elif kind == "method":
        options = {"method": random.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))}
    elif kind == "shuffled":
        random.shuffle(changed)
    elif kind == "deflated":
        options = {"method": zipfile.ZIP_DEFLATED}
    else:
        changed += [(f"{name}{extra}", b"") for extra in range(random.choice((10, 3_000)))]
    return make_zip(changed, **options)


def make_zip(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED, linked: int | None = None) -> bytes:
    """Return a zip of these entries, whatever their names, with right sizes and checksums."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name for the second time
        for number, (name, content) in enumerate(entries):
            info = zipfile.ZipInfo("x")
            # Its constructor would end the name at a NUL, and half a character has no bytes.
            info.filename = name.encode(errors="replace").decode()
            info.compress_type = method
            if number == linked:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
    return file.getvalue()
