"""The rules of the house: rooms import downwards only, and Keras waits until a screen needs it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import PROJECT_PATH, Python

LIBRARY = PROJECT_PATH / "mnist_lib"

# From the top down, as in the docstring of mnist_lib: a room may import those after it.
# Rooms in one set do not know each other; within pages nobody knows another, within ui they do.
ROOMS = [
    {"app", "pages"},
    {"ui"},
    {"__main__"},
    {"trainer"},
    {"training"},
    {"recorder", "run_archive", "model_export"},
    {"run_model"},
    {"model", "precision"},
    {"report"},
    {"run_table"},
    {
        "paper",
        "progress",
        "curves",
        "comparison",
        "inspection",
        "neighbours",
        "own_digits",
        "evaluation_figures",
    },
    {"figures"},
    {"run_store"},
    {"runs"},
    {"pictures", "selection", "label_votes", "tables"},
    {
        "records",
        "dataset",
        "evaluation",
        "metrics",
        "certainty",
        "drawing",
        "probes",
        "saliency",
        "picture_sheet",
        "paired_test",
        "biography",
        "zip_reading",
    },
    {"network", "schedule", "augmentation", "handwriting"},
    {"machine", "wording"},
    {"config", "backend"},
]

KERAS = ("keras", "tensorflow")
MAY_IMPORT_KERAS = {"run_model", "model", "precision", "recorder", "training"}


class Import(NamedTuple):
    """One module that a file imports.

    Attributes:
        module: Its full name, for example ``mnist_lib.ui.state``.
        at_top: Whether importing the file imports it, not only a call or a type checker.
    """

    module: str
    at_top: bool


def find_imports(source: str) -> list[Import]:
    """Return every import of a file, wherever it stands."""
    found = []

    def visit(node: ast.AST, at_top: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, at_top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full here"
            assert node.module
            found.append(Import(node.module, at_top))
            # "from mnist_lib import runs" imports mnist_lib.runs.
            found.extend(Import(f"{node.module}.{alias.name}", at_top) for alias in node.names)
        elif (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)) or isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        ):
            at_top = False
        for child in ast.iter_child_nodes(node):
            visit(child, at_top)

    visit(ast.parse(source), True)
    return found


def find_sources() -> dict[Path, str]:
    """Return the room of every source file of the product."""
    rooms = {PROJECT_PATH / "app.py": "app"}
    rooms |= {path: "pages" for path in (PROJECT_PATH / "pages").rglob("*.py")}
    for path in LIBRARY.rglob("*.py"):
        first = path.relative_to(LIBRARY).parts[0]
        rooms[path] = first.removesuffix(".py")
    del rooms[LIBRARY / "__init__.py"]
    return rooms


SOURCES = find_sources()


# As test parameters, named by their path.
FILES = [pytest.param(path, room, id=str(path.relative_to(PROJECT_PATH))) for path, room in sorted(SOURCES.items())]


def floor(room: str) -> int:
    """Return the place of a room, 0 on top."""
    for number, names in enumerate(ROOMS):
        if room in names:
            return number
    raise AssertionError(f"{room} has no place in the order of rooms yet")


def room_of(module: str) -> str | None:
    """Return the room of an imported module of this project, or None for all others."""
    parts = module.split(".")
    if parts[0] in ("app", "pages"):
        return parts[0]
    return parts[1] if parts[0] == "mnist_lib" and len(parts) > 1 else None


def test_find_imports_sees_every_way_to_import() -> None:
    source = """
import os, keras.layers
from mnist_lib import runs
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import tensorflow
try:
    import numpy
except ImportError:
    pass
class Reader:
    import json
    def read(self):
        from mnist_lib.model import build_model
"""
    found = dict(find_imports(source))
    at_top = {"os", "keras.layers", "mnist_lib", "mnist_lib.runs", "typing", "typing.TYPE_CHECKING", "numpy", "json"}
    later = {"tensorflow", "mnist_lib.model", "mnist_lib.model.build_model"}
    assert found == dict.fromkeys(at_top, True) | dict.fromkeys(later, False)


def test_every_room_of_the_order_exists() -> None:
    assert {room for names in ROOMS for room in names} == set(SOURCES.values())


@pytest.mark.parametrize(("path", "room"), FILES)
def test_rooms_import_downwards_only(path: Path, room: str) -> None:
    for module, _ in find_imports(path.read_text(encoding="utf-8")):
        other = room_of(module)
        if other is None or (room == other == "ui"):
            continue
        assert floor(other) > floor(room), f"{room} imports {module}, which is not below it"


@pytest.mark.parametrize(("path", "room"), FILES)
def test_only_screens_know_streamlit(path: Path, room: str) -> None:
    if room in ("app", "pages", "ui"):
        return
    known = [name for name, _ in find_imports(path.read_text(encoding="utf-8")) if name.startswith("streamlit")]
    assert known == []


def test_every_screen_knows_streamlit() -> None:
    # Without this, a wrong path would let the test above pass over nothing.
    screens = [path for path, room in SOURCES.items() if room == "pages"]
    assert len(screens) >= 6
    for path in screens:
        assert "streamlit" in dict(find_imports(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("path", "room"), FILES)
def test_keras_is_imported_at_the_top_of_few_rooms_only(path: Path, room: str) -> None:
    imports = [entry for entry in find_imports(path.read_text(encoding="utf-8")) if entry.at_top]
    keras = [module for module, _ in imports if module.split(".")[0] in KERAS]
    if room in MAY_IMPORT_KERAS:
        assert keras
        return
    assert keras == []
    behind = [module for module, _ in imports if room_of(module) in MAY_IMPORT_KERAS]
    assert behind == [], "this imports Keras as well"


def run_imports(statements: list[str], python: Python) -> set[str]:
    """Run import statements in a fresh interpreter and return the packages that it then has."""
    script = "\n".join([*statements, "import sys", "print(*{name.split('.')[0] for name in sys.modules})"])
    code, stdout, stderr = python.run("-c", script)
    assert code == 0, stderr
    return set(stdout.split())


def test_imports_of_the_router_and_of_every_screen_leave_keras_out(python: Python) -> None:
    statements = []
    for path, room in sorted(SOURCES.items()):
        if room in ("app", "pages"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            statements += [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        elif room == "ui":
            statements.append(f"import mnist_lib.ui.{path.stem}" if path.stem != "__init__" else "import mnist_lib.ui")
    assert "from mnist_lib.ui.navigation import choose_page" in statements
    # Components can only be imported where Streamlit runs a script.
    in_streamlit = [
        "from streamlit.testing.v1 import AppTest",
        f"app = AppTest.from_string({chr(10).join(statements)!r}).run()",
        "assert not app.exception, app.exception",
    ]
    loaded = run_imports(in_streamlit, python)
    assert {"streamlit", "streamlit_drawable_canvas", "plotly", "mnist_lib"} <= loaded
    assert loaded.isdisjoint(KERAS)


def test_imports_of_the_library_leave_streamlit_out(python: Python) -> None:
    rooms = set(SOURCES.values()) - {"app", "pages", "ui", "__main__"} - MAY_IMPORT_KERAS
    loaded = run_imports([f"import mnist_lib.{room}" for room in sorted(rooms)], python)
    assert {"numpy", "plotly", "mnist_lib"} <= loaded
    assert loaded.isdisjoint({"streamlit", *KERAS})


def test_command_line_begins_without_keras_and_streamlit(python: Python) -> None:
    loaded = run_imports(["import mnist_lib.__main__"], python)
    assert "mnist_lib" in loaded
    assert loaded.isdisjoint({"streamlit", *KERAS})
