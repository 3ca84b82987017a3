"""An untrusted zip is checked before it is unpacked; test_own_test_set and test_archive have hostile ones."""

from __future__ import annotations

import io
import zipfile

import pytest

from mnist_lib.storage.zip_reading import EntryError, ZipError, ZipLimits, open_zip

LIMITS = ZipLimits("poems", 3, 3_000_000)


def size_limit(name: str) -> int:
    if not name.endswith(".txt"):
        raise EntryError("is no poem")
    return 2_000_000


def make_zip(**poems: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, poem in poems.items():
            archive.writestr(name.replace("_", "."), poem)
    return file


def test_entries_are_unpacked_whole_or_piece_by_piece() -> None:
    with open_zip(make_zip(long_txt=bytes(1_500_000), short_txt=b"Rose"), LIMITS, size_limit) as archive:
        assert archive.sizes == {"long.txt": 1_500_000, "short.txt": 4}
        assert archive.read("short.txt") == b"Rose"
        assert [len(chunk) for chunk in archive.chunks("long.txt")] == [1_000_000, 500_000]


@pytest.mark.parametrize(
    ("poems", "line"),
    [
        ({"picture_png": b""}, "The zip was not loaded: picture.png is no poem."),
        ({"epic_txt": bytes(2_000_001)}, "The zip was not loaded: epic.txt has more than 2 MB."),
        ({"a_txt": bytes(1_500_000), "b_txt": bytes(1_500_001)}, "The zip unpacks to more than 3 MB."),
        (dict.fromkeys(("a_txt", "b_txt", "c_txt", "d_txt"), b""), "The zip has too many entries; at most 3 are read."),
    ],
)
def test_what_is_beyond_the_limits_is_refused_in_one_line(poems: dict[str, bytes], line: str) -> None:
    with pytest.raises(ZipError) as raised, open_zip(make_zip(**poems), LIMITS, size_limit):
        pytest.fail("it was opened")
    assert str(raised.value) == line


def test_entry_that_is_not_what_its_checksum_says_is_damage() -> None:
    content = bytearray(make_zip(a_txt=b"Rose is a rose is a rose").getvalue())
    content[content.index(b"a.txt") + 10] ^= 1
    with (
        open_zip(io.BytesIO(bytes(content)), LIMITS, size_limit) as archive,
        pytest.raises(ZipError, match="is damaged"),
    ):
        archive.read("a.txt")


def test_what_goes_wrong_with_an_opened_zip_is_not_called_its_damage() -> None:
    with pytest.raises(OSError, match="No space left"), open_zip(make_zip(a_txt=b"Rose"), LIMITS, size_limit):
        raise OSError(28, "No space left on device")
