"""Paths of the project's own files."""

from __future__ import annotations

from pathlib import Path

LIBRARY_PATH = Path(__file__).parent
PROJECT_PATH = LIBRARY_PATH.parent

# The data sets, the label votes and the runs that ship with the project.
ASSETS_PATH = LIBRARY_PATH / "assets"
