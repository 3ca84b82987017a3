"""A file is replaced whole or stays unchanged."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_lib.storage.files import MAX_BYTES, file_stamp, read_file, write_whole


def fail_halfway(path: Path) -> None:
    path.write_text("half")
    raise ValueError("no more")


def fail_at_once(path: Path) -> None:
    raise KeyboardInterrupt


def write_nothing(path: Path) -> None:
    pass


def test_file_is_new_or_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "001.weights.h5"
    for text in ("one", "two"):
        write_whole(path, lambda temporary, text=text: temporary.write_text(text))
        assert path.read_text() == text
    assert os.listdir(tmp_path) == ["001.weights.h5"]


def test_writer_gets_a_new_file_with_the_same_ending_and_the_old_one_is_there_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "001.weights.h5"
    path.write_text("old")

    def write(temporary: Path) -> None:
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".weights.h5")
        assert not temporary.exists()
        assert path.read_text() == "old"
        temporary.write_text("new")

    write_whole(path, write)
    assert path.read_text() == "new"


@pytest.mark.parametrize(
    ("write", "error"),
    [(fail_halfway, ValueError), (fail_at_once, KeyboardInterrupt), (write_nothing, FileNotFoundError)],
)
def test_failed_writer_leaves_the_old_file_alone(
    write: Callable[[Path], None], error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "status.json"
    path.write_text("old")
    with pytest.raises(error):
        write_whole(path, write)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["status.json"]


def test_writers_at_the_same_time_do_not_get_into_each_other_s_way(tmp_path: Path) -> None:
    path, barrier, errors = tmp_path / "control.json", threading.Barrier(8), []

    def write(number: int) -> None:
        def write_in_step(temporary: Path) -> None:
            temporary.write_text(str(number) * 1000)
            barrier.wait()  # every writer has its file written, and none has replaced the other's

        try:
            write_whole(path, write_in_step)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(path.read_text())) == 1
    assert os.listdir(tmp_path) == ["control.json"]


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX's")
@pytest.mark.parametrize("kind", ["folder", "pipe", "endless device", "circle", "more than is read"])
def test_what_is_no_file_or_too_large_is_not_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    make: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "endless device": lambda: path.symlink_to("/dev/zero"),
        "circle": lambda: path.symlink_to(path),
        "more than is read": lambda: (path.touch(), os.truncate(path, MAX_BYTES + 1)),
    }
    make[kind]()
    with pytest.raises(OSError, match=r"directory|Invalid argument|links|too large"):
        read_file(path)


def test_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert file_stamp(path) == 0
    path.touch()
    before = file_stamp(path)
    os.utime(path, ns=(before, before + 1_000_000))
    assert file_stamp(path) != before > 0
