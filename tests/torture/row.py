"""What every row of the table has: cases that follow from a seed, their limits, and what must stay as it is."""

from __future__ import annotations

import faulthandler
import hashlib
import logging
import os
import resource
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import ClassVar, NamedTuple

import pytest

from mnist_lib.runs.run import Run

# Longer than any limit: a case that hangs ends everything, and says where it hangs.
_HANGS_AFTER_S = 300


class Measured(NamedTuple):
    """What one case took: seconds of processor time, its children's included, and megabytes beyond those before."""

    processor_s: float
    memory_mb: float


class Row(ABC):
    """One row of the table: many cases of one kind.

    Args:
        folder: Empty; everything that the cases write is in it.
        source: A run that has ended, to copy.

    Attributes:
        name: What the command calls it.
        what: What the table calls it.
        cases: How many belong to the whole.
        quick_cases: How many of them ``make test`` does.
        max_processor_s: The most that one case may take.
        max_memory_mb: The most memory that one case may add to the process, or that one of its children has.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    cases: ClassVar[int]
    quick_cases: ClassVar[int]
    max_processor_s: ClassVar[float] = 20.0
    max_memory_mb: ClassVar[float] = 400.0

    def __init__(self, folder: Path, source: Run) -> None:
        self.folder = folder
        self.source = source

    @abstractmethod
    def case(self, number: int, random: Random) -> str:
        """Do one case and return in a word or two what came of it.

        Raises:
            AssertionError: It is not what should have come of it.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to end
        """End what the cases have started."""


class Outcome(NamedTuple):
    """What came of a row's cases.

    Attributes:
        counts: How often each thing came of them.
        faults: What was wrong, with the number of the case.
        worst: The most that a case took, each number on its own.
        seconds: How long all of them took.
    """

    counts: Counter[str]
    faults: list[str]
    worst: Measured
    seconds: float

    def __str__(self) -> str:
        said = ", ".join(f"{count:,} {text}" for text, count in self.counts.most_common())
        worst = f"at worst {self.worst.processor_s:.1f} s of processor time and {self.worst.memory_mb:.0f} MB"
        return f"{said or 'nothing'}; {worst}" + (f"; **{len(self.faults)} faults**" if self.faults else "")


def do_cases(row_class: type[Row], source: Run, seed: int, numbers: range, progress: bool = False) -> Outcome:
    """Do some cases of a row in a folder of their own, and compare everything else before and after each of them."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    worst = Measured(0.0, 0.0)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix=f"torture-{row_class.name}-") as name,
        recorded_errors() as errors,
        ExitStack() as stack,
    ):
        around = Path(name)
        (around / "other").mkdir()
        (around / "other" / "file.txt").write_text("not to be touched")
        folder = around / "row"
        folder.mkdir()
        row = row_class(folder, source)
        stack.callback(row.close)
        before = digest(around, folder)
        for number in numbers:
            faulthandler.dump_traceback_later(_HANGS_AFTER_S, exit=True)
            fault, text = "", "fault"
            with measured() as taken, written_outside(around) as written:
                try:
                    text = row.case(number, Random(f"{seed} {row.name} {number}"))
                except pytest.skip.Exception as error:
                    text = f"left out: {error}"
                except AssertionError as error:
                    fault = str(error) or "AssertionError"
                except Exception as error:
                    fault = f"{type(error).__name__}: {error}"
            faulthandler.cancel_dump_traceback_later()
            worst = Measured(*map(max, worst, taken[0]))
            if fault and errors:
                fault += f": {errors[0]}"
            fault = fault or next(
                (
                    said
                    for is_wrong, said in (
                        (errors, f"logged {errors[:1]}"),
                        (written, f"written outside: {written[:1]}"),
                        (digest(around, folder) != before, "other files are not as they were"),
                        (taken[0].processor_s > row.max_processor_s, f"took {taken[0].processor_s:.1f} s"),
                        (taken[0].memory_mb > row.max_memory_mb, f"took {taken[0].memory_mb:.0f} MB"),
                    )
                    if is_wrong
                ),
                "",
            )
            errors.clear()
            if fault:
                faults.append(f"case {number}: {fault}")
            else:
                counts[text] += 1
            if progress:
                said = f"FAULT: {fault}" if fault else text
                taken_text = f"{taken[0].processor_s:.2f} s, {taken[0].memory_mb:.0f} MB"
                print(f"{row.name} {number + 1}/{numbers.stop}: {said}, {taken_text}", flush=True)
    return Outcome(counts, faults, worst, time.monotonic() - began)


def digest(folder: Path, without: Path | None = None) -> dict[str, str]:
    """Return a digest of every file, link and folder below a folder, without what is below another."""
    found: dict[str, str] = {}
    for parent, folders, files in os.walk(folder):
        if without is not None and Path(parent) == without:
            folders.clear()
            continue
        for name in (*folders, *files):
            path = Path(parent, name)
            key = str(path.relative_to(folder))
            if path.is_symlink():
                found[key] = f"link to {os.readlink(path)}"
            elif path.is_file():
                found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                found[key] = "folder" if path.is_dir() else "special"
    return found


@contextmanager
def measured() -> Iterator[list[Measured]]:
    """Fill a list with what the block took; where the kernel forgets no peak, its memory is that of its children."""
    taken: list[Measured] = []
    begin_s, children_mb, begin_mb = processor_s(), _children_mb(), _memory_mb("VmRSS")
    try:
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM, the peak, begins again. Source: proc(5)
    except OSError:
        begin_mb = None
    yield taken
    peak_mb = 0.0 if begin_mb is None else (_memory_mb("VmHWM") or 0.0) - begin_mb
    largest_child_mb = _children_mb()
    if largest_child_mb == children_mb:  # none was larger than those before
        largest_child_mb = 0.0
    taken.append(Measured(processor_s() - begin_s, max(peak_mb, largest_child_mb)))


def processor_s() -> float:
    """Return the processor time of this process and its ended children."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _children_mb() -> float:
    # Kilobytes, except on macOS.
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _memory_mb(field: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(f"{field}:"))


class _Errors(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.name}: {self.format(record)}")


@contextmanager
def recorded_errors() -> Iterator[list[str]]:
    """Fill a list with every error that is logged, Streamlit's included, whose loggers do not propagate."""
    messages: list[str] = []
    handler = _Errors(messages)
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield messages
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


# Python tells an audit hook of every file that it opens or changes. A hook cannot be removed, so there is one.
_allowed: list[Path] = []
_written: list[str] = []
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if not _allowed or (event != "open" and event not in _CHANGES):
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITES):
        return
    folders = [each for each in arguments[1:] if isinstance(each, int) and event not in ("open", "os.truncate")]
    changed = {"os.rename": arguments[:2], "os.link": arguments[1:2], "os.symlink": arguments[1:2]}
    for path in changed.get(event, arguments[:1]):
        # Relative to a folder that was opened before, as shutil.rmtree does it.
        if not isinstance(path, (str, bytes, os.PathLike)) or (not os.path.isabs(path) and folders[-1:] > [-1]):
            continue
        absolute = Path(os.path.abspath(os.fsdecode(path)))
        in_vain = "__pycache__" in absolute.parts or absolute == Path(os.devnull)
        if not in_vain and not any(absolute.is_relative_to(folder) for folder in _allowed):
            _written.append(f"{event} {absolute}")


sys.addaudithook(_watch)


@contextmanager
def written_outside(folder: Path) -> Iterator[list[str]]:
    """Fill a list with what this process writes outside a folder."""
    _written.clear()
    _allowed[:] = [folder]
    try:
        yield _written
    finally:
        _allowed.clear()
