"""What is said about each layer, through Streamlit's AppTest, for several runs and networks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.config import TrainingConfig
from mnist_lib.network.layers import layer_table
from tests.support.runs import BUNDLED_RUN, NETWORKS, PAPER_RUN

BUNDLED_CONFIG, PAPER_CONFIG = BUNDLED_RUN.read().config, PAPER_RUN.read().config
assert BUNDLED_CONFIG
assert PAPER_CONFIG
CONFIGS: dict[str, TrainingConfig] = {"accurate": BUNDLED_CONFIG, "paper": PAPER_CONFIG} | NETWORKS


def _show_words(stage, config):
    """Show the words for a random network of these settings."""
    import numpy as np

    from mnist_lib.data.dataset import MNIST_DESCRIPTION, load_mnist
    from mnist_lib.network.forward import forward
    from mnist_lib.ui.model.words import render_words
    from tests.support.runs import random_network

    image = load_mnist().test_images[0]
    network = random_network(config)
    render_words(stage, config, MNIST_DESCRIPTION, network, forward(network, image[np.newaxis]), image)


def say(stage: str, config: TrainingConfig) -> AppTest:
    app = AppTest.from_function(_show_words, default_timeout=30, kwargs={"stage": stage, "config": config}).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_stage_has_a_heading_sentences_one_formula_and_a_source(config: TrainingConfig) -> None:
    for stage in ("input", *(row.name for row in layer_table(config)), "training"):
        app = say(stage, config)
        heading, text = (element.value for element in app.markdown)
        assert heading.startswith("## ")
        assert 1 <= len(re.findall(r"[.?](?= |$)", text)) <= 5
        assert len(text) < 420  # it stands in a narrow column
        assert len(app.latex) == 1
        assert app.caption[0].value.startswith("Wilkin's paper")
        figures: Any = app.get("bidi_component")
        assert len(figures) == (stage in ("conv2d_1", "conv2d_2", "dense_1"))


def test_sentences_follow_the_network() -> None:
    config = NETWORKS["largest kernel"]
    assert "7 × 7 weights and a bias, 50 numbers" in say("conv2d_1", config).markdown[1].value
    assert "for each of the 5 maps" in say("conv2d_2", config).markdown[1].value
    assert "20 × 20 pixels" in say("conv2d_2", config).markdown[1].value
    pooling = say("max_pooling2d_2", config)
    assert "5 × 5 becomes 2 × 2" in pooling.markdown[1].value
    assert "the odd last row and column are left out" in pooling.markdown[1].value
    assert "left out" not in say("max_pooling2d", config).markdown[1].value  # 22 is even
    assert say("flatten", config).latex[0].value.strip("$\n") == r"2 \cdot 2 \cdot 7 = 28"
    assert "all 28 values" in say("dense_1", config).markdown[1].value
    assert "multiplied by 2," in say("dropout", config).markdown[1].value
    assert "P(r = 0) = 0.5" in say("dropout", config).latex[0].value
    assert "it does nothing" in say("dropout", replace(config, dropout=0.0)).markdown[1].value


def test_loss_is_that_of_the_answer() -> None:
    from mnist_lib.ui.model.words import stage_words

    probabilities = np.full(10, 0.5 / 9, np.float32)
    probabilities[8] = 0.5
    text = stage_words("dense_2", TrainingConfig(), probabilities).text
    assert "an 8, 50.0% sure. If that is right, the loss is 0.69." in text


@pytest.mark.parametrize(
    ("optimizer", "name"), [("adam", "Adam"), ("adamw", "AdamW"), ("sgd", "SGD with momentum"), ("muon", "Muon")]
)
def test_training_says_which_optimizer_the_run_used(optimizer: str, name: str) -> None:
    config = TrainingConfig(optimizer=optimizer, learning_rate=0.02)
    assert f"This run used **{name}, learning rate 0.02**" in say("training", config).markdown[1].value
