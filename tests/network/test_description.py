"""This project's description of a .keras file is what Keras writes into it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.network.description import agree, describe_network
from tests.support.runs import BUNDLED_RUN, NETWORKS, PAPER_RUN


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_keras_writes_this_description(config: TrainingConfig, tmp_path: Path) -> None:
    from mnist_lib.network.model import build_model

    build_model(config).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        written = json.loads(archive.read("config.json"))
    assert agree(written, describe_network(config))
    assert agree(json.loads(json.dumps(describe_network(config))), describe_network(config))


@pytest.mark.parametrize("run", [BUNDLED_RUN, PAPER_RUN])
def test_shipped_models_are_described_so(run) -> None:
    config = run.read().config
    with zipfile.ZipFile(run.model_path) as archive:
        assert agree(json.loads(archive.read("config.json")), describe_network(config))


def test_any_other_value_is_another_network() -> None:
    description = describe_network(TrainingConfig())

    def changed(values, path: tuple[str | int, ...], new):
        copy = json.loads(json.dumps(values))
        place = copy
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = new
        return copy

    layer = ("config", "layers", 1)
    assert agree(changed(description, (*layer, "config", "filters"), 32), description)
    for path, value in [
        ((*layer, "config", "filters"), 33),
        ((*layer, "config", "activation"), "linear"),
        ((*layer, "class_name"), "Lambda"),
        ((*layer, "module"), "os"),
        ((*layer, "registered_name"), "mine>Layer"),
        ((*layer, "config", "kernel_regularizer"), {"class_name": "L2"}),
        (("compile_config",), {"loss": "mine"}),
        (("config", "layers"), []),
    ]:
        assert not agree(changed(description, path, value), description), path
