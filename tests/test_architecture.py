"""The order of the packages: they import downwards only, and Keras waits until it is needed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

import mnist_lib
import mnist_lib.ui
from tests.support.processes import PROJECT_PATH, Python

LIBRARY_PATH = PROJECT_PATH / "mnist_lib"
UI_PATH = LIBRARY_PATH / "ui"
KERAS = ("keras", "tensorflow", "jax")
EXTRAS = ("dask", "distributed", "optuna")  # which not everybody installs
MAY_IMPORT_KERAS = {
    "mnist_lib.network.model",
    "mnist_lib.network.precision",
    "mnist_lib.training.checkpoints",
    "mnist_lib.training.optimizers",
    "mnist_lib.training.train",
}  # and the callbacks, below


class Import(NamedTuple):
    """One module that a file imports.

    Attributes:
        module: Its full name, for example ``mnist_lib.ui.session``.
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
            # "from mnist_lib.runs import store" imports mnist_lib.runs.store.
            found.extend(Import(f"{node.module}.{alias.name}", at_top) for alias in node.names)
        elif (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)) or isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        ):
            at_top = False
        for child in ast.iter_child_nodes(node):
            visit(child, at_top)

    visit(ast.parse(source), True)
    return found


def module_of(path: Path) -> str:
    """Return the full name of a module."""
    return ".".join(path.relative_to(PROJECT_PATH).with_suffix("").parts).removesuffix(".__init__")


MAY_IMPORT_KERAS |= {module_of(path) for path in (LIBRARY_PATH / "training" / "callbacks").glob("*.py")}

LIBRARY_FILES = [path for path in sorted(LIBRARY_PATH.rglob("*.py")) if path != LIBRARY_PATH / "__init__.py"]
SCREEN_FILES = [PROJECT_PATH / "app.py", *sorted((PROJECT_PATH / "pages").glob("*.py"))]
UI_FILES = [path for path in LIBRARY_FILES if path.is_relative_to(UI_PATH) and path != UI_PATH / "__init__.py"]


def as_parameters(paths: list[Path]) -> list:
    return [pytest.param(path, id=str(path.relative_to(PROJECT_PATH))) for path in paths]


def imports_of(path: Path) -> list[Import]:
    return find_imports(path.read_text(encoding="utf-8"))


def check_order(path: Path, package: str, layers: tuple[tuple[str, ...], ...]) -> None:
    """Hold that a file of a package imports only from its own part of it and from those in the layers below."""
    level = {name: number for number, names in enumerate(layers) for name in names}
    depth = package.count(".") + 1

    def part_of(module: str) -> str | None:
        parts = module.split(".")
        return parts[depth] if module.startswith(f"{package}.") else None

    own = part_of(module_of(path))
    assert own in level, f"{own} has no place in {package}.LAYERS"
    for module, _ in imports_of(path):
        other = part_of(module)
        if other is None or other == own or (other == "LAYERS"):
            continue
        assert level[other] < level[own], f"{own} imports {module}, which is not below it"


def test_find_imports_sees_every_way_to_import() -> None:
    source = """
import os, keras.layers
from mnist_lib.runs import store
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
        from mnist_lib.network.model import build_model
"""
    found = dict(find_imports(source))
    store = {"mnist_lib.runs", "mnist_lib.runs.store"}
    at_top = {"os", "keras.layers", "typing", "typing.TYPE_CHECKING", "numpy", "json"} | store
    later = {"tensorflow", "mnist_lib.network.model", "mnist_lib.network.model.build_model"}
    assert found == dict.fromkeys(at_top, True) | dict.fromkeys(later, False)


def test_layers_name_every_package_once() -> None:
    for path, layers in ((LIBRARY_PATH, mnist_lib.LAYERS), (UI_PATH, mnist_lib.ui.LAYERS)):
        named = [name for names in layers for name in names]
        there = {entry.stem for entry in path.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").is_file()}
        assert sorted(named) == sorted(there - {"__init__"})


@pytest.mark.parametrize("path", as_parameters(LIBRARY_FILES))
def test_packages_import_downwards_only(path: Path) -> None:
    check_order(path, "mnist_lib", mnist_lib.LAYERS)


@pytest.mark.parametrize("path", as_parameters(UI_FILES))
def test_parts_of_the_screens_import_downwards_only(path: Path) -> None:
    check_order(path, "mnist_lib.ui", mnist_lib.ui.LAYERS)


def test_nothing_imports_a_page() -> None:
    for path in LIBRARY_FILES + SCREEN_FILES:
        assert not [module for module, _ in imports_of(path) if module.split(".")[0] in ("app", "pages")]


@pytest.mark.parametrize("path", as_parameters([path for path in LIBRARY_FILES if not path.is_relative_to(UI_PATH)]))
def test_only_screens_know_streamlit(path: Path) -> None:
    assert [module for module, _ in imports_of(path) if module.startswith("streamlit")] == []


def test_every_screen_knows_streamlit() -> None:
    # Without this, a wrong path would let the test above pass over nothing.
    pages = [path for path in SCREEN_FILES if path.parent.name == "pages"]
    assert len(pages) >= 6
    for path in pages:
        assert "streamlit" in dict(imports_of(path))


@pytest.mark.parametrize("path", as_parameters(LIBRARY_FILES + SCREEN_FILES))
def test_keras_is_imported_at_the_top_of_few_modules_only(path: Path) -> None:
    at_top = [module for module, at_top in imports_of(path) if at_top]
    keras = [module for module in at_top if module.split(".")[0] in KERAS]
    if module_of(path) in MAY_IMPORT_KERAS:
        assert keras or [module for module in at_top if module in MAY_IMPORT_KERAS]
        return
    assert keras == []
    assert [module for module in at_top if module in MAY_IMPORT_KERAS] == [], "this imports Keras as well"


def run_imports(statements: list[str], python: Python) -> set[str]:
    """Run import statements in a fresh interpreter and return the packages that it then has."""
    script = "\n".join([*statements, "import sys", "print(*{name.split('.')[0] for name in sys.modules})"])
    code, stdout, stderr = python.run("-c", script)
    assert code == 0, stderr
    return set(stdout.split())


def test_imports_of_the_router_and_of_every_screen_leave_keras_out(python: Python) -> None:
    statements = [f"import {module_of(path)}" for path in UI_FILES]
    for path in SCREEN_FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        statements += [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert "from mnist_lib.ui.navigation import choose_page" in statements
    # Components can only be imported where Streamlit runs a script.
    in_streamlit = [
        "from streamlit.testing.v1 import AppTest",
        f"app = AppTest.from_string({chr(10).join(statements)!r}).run()",
        "assert not app.exception, app.exception",
    ]
    loaded = run_imports(in_streamlit, python)
    assert {"streamlit", "streamlit_drawable_canvas", "plotly", "mnist_lib"} <= loaded
    assert loaded.isdisjoint({*KERAS, *EXTRAS, "jinja2"})  # which waits for the first report


def test_imports_of_the_library_leave_streamlit_out(python: Python) -> None:
    modules = {module_of(path) for path in LIBRARY_FILES if not path.is_relative_to(UI_PATH)}
    statements = [f"import {module}" for module in sorted(modules - MAY_IMPORT_KERAS - {"mnist_lib.__main__"})]
    loaded = run_imports(statements, python)
    assert {"numpy", "plotly", "mnist_lib"} <= loaded
    assert loaded.isdisjoint({"streamlit", *KERAS})


def test_command_line_begins_without_keras_and_streamlit(python: Python) -> None:
    loaded = run_imports(["import mnist_lib.command_line"], python)
    assert "mnist_lib" in loaded
    assert loaded.isdisjoint({"streamlit", *KERAS, *EXTRAS})
