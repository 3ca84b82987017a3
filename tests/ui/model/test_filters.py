"""The filters and what they look for, through Streamlit's AppTest."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import Dataset
from mnist_lib.explain import patches
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import PAPER_RUN, copy_bundled_run
from tests.support.screens import component


@pytest.fixture
def run_of_its_own(store: RunStore) -> Run:
    """A copy of the shipped run, to damage and to forget."""
    return copy_bundled_run(store)


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let 300 test digits stand for all 10,000; what is returned grows by the number of images of each search."""
    counts: list[int] = []
    find_patches = patches.find_patches

    def find_in_few(network: Any, images: np.ndarray, *on_part: Any) -> Any:
        counts.append(len(images))
        return find_patches(network, images[:300], *on_part)

    monkeypatch.setattr(patches, "find_patches", find_in_few)
    return counts


def _show_filters(run, epoch):
    from mnist_lib.ui.model.filters import render_filters

    render_filters(run, epoch)


def show(run: Run, epoch: int | None = None, **state: Any) -> AppTest:
    app = AppTest.from_function(_show_filters, default_timeout=60, kwargs={"run": run, "epoch": epoch})
    for key, value in state.items():
        app.session_state[key] = value
    return app.run()


def said(app: AppTest, kind: str) -> str:
    elements: Any = app.get(kind)
    return "\n".join(str(element.value) for element in elements)


def test_filters_are_shown_and_nothing_is_searched_for_before_it_is_asked(searched: list[int]) -> None:
    app = show(PAPER_RUN)
    assert not app.exception
    assert not app.error
    tiles = component(app, "filters_gallery_first")["tiles"]
    assert [tile["description"] for tile in tiles] == [f"Filter {number}" for number in range(32)]
    assert "**Filter 0** of the first convolution" in said(app, "markdown")
    assert not searched


@pytest.mark.parametrize(("layer", "place", "side_px", "count"), [("First", 0, 3, 32), ("Second", 1, 8, 64)])
def test_patches_of_the_chosen_filter_are_shown_with_their_digits(
    layer: str, place: int, side_px: int, count: int, run_of_its_own: Run, searched: list[int], dataset: Dataset
) -> None:
    gallery = f"filters_gallery_{layer.lower()}"
    state: dict[str, Any] = {"filters_layer": layer, "filters_patches": True, gallery: {"selected": 7}}
    app = show(run_of_its_own, **state)
    assert not app.exception
    assert searched == [10_000]
    assert len(component(app, gallery)["tiles"]) == count
    found = patches.find_patches(load_network(run_of_its_own, 5), dataset.test_images)[place]
    shown = re.findall(r'title="An? (\d), test image (\d+): ([\d.]+) at row (\d+), column (\d+)"', said(app, "html"))
    assert [int(image) for _, image, *_ in shown] == found.images[7].tolist()
    assert [int(label) for label, *_ in shown] == dataset.test_labels[found.images[7]].tolist()
    assert [[int(row), int(column)] for *_, row, column in shown] == found.corners[7].tolist()
    np.testing.assert_allclose([float(value) for _, _, value, *_ in shown], found.activations[7], atol=0.006)
    assert f"{side_px} × {side_px} pixels" in said(app, "caption")
    # They are kept: another filter needs no other search.
    before = len(searched)
    app.session_state[gallery] = {"selected": 8}
    app.session_state["filters_patches"] = True
    app.run()
    assert "**Filter 8**" in said(app, "markdown")
    assert len(searched) == before


def test_slider_begins_at_the_epoch_of_the_screen_and_shows_the_filters_of_each() -> None:
    app = show(PAPER_RUN, epoch=2)
    (slider,) = app.select_slider
    assert slider.value == 2
    pictures = [component(app, "filters_gallery_first")["sprite"]]
    assert slider.options == ["1", "2", "3", "4", "5"]
    pictures.append(component(slider.set_value(4).run(), "filters_gallery_first")["sprite"])
    assert pictures[0] != pictures[1]
    assert component(show(PAPER_RUN, epoch=4), "filters_gallery_first")["sprite"] == pictures[1]


def test_run_without_epochs_shows_its_model(run_of_its_own: Run) -> None:
    for epoch in range(1, 6):
        run_of_its_own.weights_path(epoch).unlink()
    app = show(run_of_its_own)
    assert not app.exception
    assert not app.select_slider
    assert "**Filter 0**" in said(app, "markdown")


def test_silent_filter_says_so(run_of_its_own: Run, searched: list[int]) -> None:
    import h5py

    run_of_its_own.weights_path(5).chmod(0o644)
    with h5py.File(run_of_its_own.weights_path(5), "r+") as file:
        bias: Any = file["layers/conv2d/vars/1"]
        bias[0] = -1000
    app = show(run_of_its_own, filters_patches=True)
    assert not app.exception
    assert app.info[0].value == "It answers to none of the 10,000 test digits: its map is 0 everywhere."


def test_damaged_network_is_named_in_one_line(run_of_its_own: Run) -> None:
    run_of_its_own.weights_path(5).write_bytes(b"no weights")
    app = show(run_of_its_own)
    assert not app.exception
    assert app.error[0].value.startswith("005.weights.h5 of 20260101-000000-paper-seed9 cannot be read")
