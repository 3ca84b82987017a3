"""Reads scripts and style sheets from the files beside the modules that use them."""

from __future__ import annotations

from functools import cache

from mnist_lib.paths import LIBRARY_PATH


@cache
def read_text(name: str) -> str:
    """Return a file of this package, for example ``components/gallery/gallery.js``."""
    return (LIBRARY_PATH / "ui" / name).read_text(encoding="utf-8")


def style(name: str) -> str:
    """Return a style sheet as HTML, to put before the content that it styles."""
    return f"<style>\n{read_text(name)}</style>"
