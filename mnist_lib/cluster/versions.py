"""What has to be the same here and on a worker, for a run to be the same there."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version

from mnist_lib.paths import PROJECT_PATH

_PACKAGES = ("keras", "tensorflow", "numpy")


@functools.cache
def find_versions() -> dict[str, str]:
    """Return the versions of Python, without its last number, of what trains, and of this project: a hash."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python} | {name: _version(name) for name in _PACKAGES} | {"this project": _source_hash()}


def compare_versions(here: dict[str, str], there: dict[str, str]) -> str:
    """Return what differs, with both versions, in a line; ``""`` if nothing does."""
    names = [name for name in here if here[name] != there.get(name)]
    return "; ".join(f"{name} is {there.get(name, 'unknown')} there and {here[name]} here" for name in names)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _source_hash() -> str:
    digest = hashlib.sha256()
    root = PROJECT_PATH / "mnist_lib"
    for path in sorted(root.rglob("*.py")):
        # As text: Git may have written other line ends on Windows.
        digest.update(f"{path.relative_to(root).as_posix()}\n{path.read_text(encoding='utf-8')}".encode())
    return digest.hexdigest()[:12]
