"""The terminal of a command: missing characters, closed output, and Ctrl-C while libraries load."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator

from mnist_lib.escaping import printable

# Replacements for a terminal with few characters; all others become a question mark.
_PLAIN_CHARACTERS = {"×": "x", "−": "-", "–": "-", "…": "..."}


def _replace_plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(_PLAIN_CHARACTERS.get(character, "?") for character in characters), error.end


def open_streams() -> None:
    """Make sure that the output streams exist and accept every character."""
    codecs.register_error("plain", _replace_plainly)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, open until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def drop_output() -> None:
    """Discard the rest of the output, which would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def complain(problem: object) -> None:
    """Print an error in one line on standard error."""
    with contextlib.suppress(OSError):
        print(f"mnist_lib: {printable(str(problem))}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def interrupted_afterwards() -> Iterator[None]:
    """Delay Ctrl-C to the end of an import, which may swallow it; a second one ends the process at once."""
    asked = []

    def note(*_: object) -> None:
        asked.append(True)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
