"""The examples of the convolution to try are the run's own layers."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import load_mnist
from tests.support.runs import NETWORKS
from tests.support.screens import component


def _show_geometry(config):
    from mnist_lib.data.dataset import load_mnist
    from mnist_lib.ui.model.geometry import render_geometry

    render_geometry(config, load_mnist().test_images[0])


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        (TrainingConfig(), [(28, 26), (26, 13), (13, 11)]),
        (NETWORKS["largest kernel"], [(28, 22), (22, 11), (11, 5)]),
        (NETWORKS["smallest"], [(28, 28), (28, 14), (14, 14)]),
    ],
)
def test_examples_follow_the_network(config: TrainingConfig, sizes: list[tuple[int, int]]) -> None:
    app = AppTest.from_function(_show_geometry, default_timeout=30, kwargs={"config": config}).run()
    assert not app.exception
    before, after = sizes[0]
    assert f"Why does {before} become {after}?" in app.markdown[0].value
    data = component(app, "geometry")
    assert data["image"] == load_mnist().test_images[0].tolist()
    names = ("First convolution", "As in pooling", "Second convolution")
    assert [example["label"] for example in data["examples"]] == [
        f"{name}: {before} → {after}" for name, (before, after) in zip(names, sizes, strict=True)
    ]
    for example, (before, after) in zip(data["examples"], sizes, strict=True):
        n, k, p, s, d = (example[name] for name in "nkpsd")
        assert (n, (n + 2 * p - d * (k - 1) - 1) // s + 1) == (before, after)
