"""Mutated files for the upload fields: zips of runs, zips of drawings, pictures."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from mnist_lib.data.dataset import load_mnist
from mnist_lib.drawing.limited_process import LimitError, call_in_limited_process
from mnist_lib.drawing.normalization import DrawingError
from mnist_lib.drawing.own_test_set import OwnDigits, OwnDigitsError, read_zip
from mnist_lib.drawing.picture_files import read_picture
from mnist_lib.runs.archive import archive_run, load_archive
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import COMPLETE_STATES
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from tests.support.drawings import add_drawings
from tests.torture.mutations import mutate_bytes, mutate_png, mutate_zip
from tests.torture.row import Row, digest

# The limits of the Draw screen's fields, whose modules only a screen can import.
ZIP_READING_S, PICTURE_READING_S = 12.0, 2.0


def require_one_line(error: Exception) -> None:
    """Hold that an error is one line that a screen can show."""
    text = str(error)
    assert text.strip(), "an error without a word"
    assert len(text.splitlines()) == 1, f"not one line: {text!r}"
    assert text.isprintable(), f"not printable: {text!r}"
    assert len(text) < 500, f"a long line: {text[:80]}..."


class RunZips(Row):
    """A zip that is refused leaves nothing; one that is loaded is a run that can be read and packed again."""

    name = "run-zips"
    what = "mutated zips of a run"
    cases = 1_000
    quick_cases = 10

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        run = Run(Path(shutil.copytree(source.path, folder / "source" / source.run_id)))
        add_drawings(run, load_mnist())  # so that it has every file that a zip may have
        self.zip = archive_run(run)
        self.store = RunStore(folder / "runs", bundled_root=folder / "none")
        load_archive(io.BytesIO(self.zip), self.store)

    def case(self, number: int, random: Random) -> str:
        content = mutate_zip(self.zip, random)
        before = digest(self.folder)
        try:
            run = load_archive(io.BytesIO(content), self.store)
        except RunStoreError as error:
            require_one_line(error)
            assert digest(self.folder) == before, "a refused zip left something"
            return "refused in one line"
        assert run.path.parent == self.store.root
        assert run.read().state in COMPLETE_STATES
        load_network(run)
        for epoch in run.epochs_with_weights():
            load_network(run, epoch)
        for epoch in run.epochs_with_probabilities():
            run.probabilities(epoch)
        archive_run(run)
        self.store.delete(run)
        assert digest(self.folder) == before, "something is left of a deleted run"
        return "loaded and sound"


class DrawingZips(Row):
    """A zip of drawings adds all of its drawings or none."""

    name = "drawing-zips"
    what = "mutated zips of drawings"
    cases = 500
    quick_cases = 2

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        images = load_mnist().test_images[:6] / np.float32(255)
        kept = OwnDigits(folder / "elsewhere")
        for digit, image in enumerate(images[1:]):
            kept.add(np.pad(image, 20), digit, "canvas")
        self.zip = kept.to_zip()
        self.own = OwnDigits(folder / "drawings")
        self.own.add(np.pad(images[0], 20), 7, "canvas")

    def case(self, number: int, random: Random) -> str:
        content = mutate_zip(self.zip, random)
        before = digest(self.folder)
        try:
            brought = call_in_limited_process(read_zip, content, ZIP_READING_S)
            loaded = self.own.add_all(brought)
        except (OwnDigitsError, LimitError) as error:
            require_one_line(error)
            assert digest(self.folder) == before, "a refused zip left something"
            return "refused in one line"
        snapshot = self.own.read()
        assert snapshot.damaged == 0
        assert len(snapshot.digits) == 1 + loaded.added
        self.own.delete([digit.digit_id for digit, _ in brought])
        assert len(self.own.read().digits) == 1
        return "loaded and sound"


class Pictures(Row):
    """A picture has ink or is refused, in little time and memory."""

    name = "pictures"
    what = "mutated pictures"
    cases = 500
    quick_cases = 2
    max_processor_s = 4.0  # the limit of reading, and starting Python
    max_memory_mb = 400.0

    def __init__(self, folder: Path, source: Run) -> None:
        super().__init__(folder, source)
        digit = Image.fromarray(255 - np.pad(load_mnist().test_images[0], 8)).resize((200, 200))
        colour = digit.convert("RGBA")
        colour.putalpha(Image.fromarray(np.full((200, 200), 200, np.uint8)))
        large = digit.resize((3_000, 3_000))
        self.pictures: list[tuple[str, bytes]] = []
        for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF"):
            for picture in (digit, digit.convert("RGB"), large):
                file = io.BytesIO()
                picture.save(file, kind)
                self.pictures.append((kind, file.getvalue()))
        for kind, options in (("PNG", {}), ("GIF", {"save_all": True, "append_images": [digit] * 3}), ("TIFF", {})):
            file = io.BytesIO()
            (digit if kind == "GIF" else colour).save(file, kind, **options)
            self.pictures.append((kind, file.getvalue()))

    def case(self, number: int, random: Random) -> str:
        kind, content = random.choice(self.pictures)
        if kind == "PNG" and random.random() < 0.6:
            content = mutate_png(content, random)
        else:
            # What stands at the beginning says how large the picture is and how it is packed.
            head = random.choice((len(content), 400, 60))
            content = mutate_bytes(content[:head], random) + content[head:]
        try:
            ink = call_in_limited_process(read_picture, content, PICTURE_READING_S)
        except (DrawingError, LimitError) as error:
            require_one_line(error)
            return "given up at its limits" if isinstance(error, LimitError) else "refused in one line"
        assert ink.dtype == np.float32
        assert max(ink.shape) <= 1_000
        assert ink.min() >= 0
        assert ink.max() <= 1
        return "read"
