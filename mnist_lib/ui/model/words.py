"""Each layer said in words: two or three sentences, one formula, and where they come from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.escaping import plain_text
from mnist_lib.explain.rectification import RELU_LAYERS, values_before_relu
from mnist_lib.figures.relu import relu_figure
from mnist_lib.network.forward import Activations, Network
from mnist_lib.network.layers import IMAGE_SHAPE, count_parameters, layer_table
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.wording import OPTIMIZER_NAMES, learning_rate_text, percent_text

_LECUN = "LeCun et al., 1998"
_RELU = "Nair and Hinton, 2010"


class Words(NamedTuple):
    """What is said about one stage.

    Attributes:
        title: The layer's name in words.
        text: Two or three sentences, Markdown.
        formula: TeX.
        source: Where it comes from.
    """

    title: str
    text: str
    formula: str
    source: str


def render_words(
    stage: str,
    config: TrainingConfig,
    classes: DatasetDescription,
    network: Network,
    activations: Activations,
    image: np.ndarray,
) -> None:
    """Show what is said about a stage, and for a layer with ReLU its curve and the values before and after.

    Args:
        stage: ``input``, the name of a layer of ``layer_table(config)``, or ``training``.
        config: The settings of the run.
        classes: The data set of the run.
        network: The run's network.
        activations: What ``forward`` returns for one image.
        image: uint8, (28, 28), 0 to 255, that image.
    """
    words = stage_words(stage, config, activations.dense_2[0], classes)
    with st.container(gap="xsmall"):
        st.markdown(f"## {words.title}")
        st.markdown(words.text)
        st.latex(words.formula)
        if stage in RELU_LAYERS:
            live_figure(relu_figure(values_before_relu(stage, network, image, activations)), key=f"relu_{stage}")
        else:
            # As many elements each time: when two fragments run at once, Streamlit can leave one too many behind.
            st.empty()
        st.caption(words.source)


def stage_words(
    stage: str, config: TrainingConfig, probabilities: np.ndarray, classes: DatasetDescription = MNIST_DESCRIPTION
) -> Words:
    """Return what is said about a stage.

    Args:
        stage: As for ``render_words``.
        config: The settings of the run.
        probabilities: float32, (classes,), what the network reads in the image.
        classes: The data set of the run.
    """
    rows = layer_table(config)
    shapes: dict[str, tuple[int, ...]] = {"input": IMAGE_SHAPE} | {row.name: row.output_shape for row in rows}
    parameters = {row.name: row.parameters for row in rows}
    kernel, rate = config.kernel_size, config.dropout
    weights = f"{kernel} × {kernel} weights"
    names = list(shapes)
    # The shape of what goes into the stage.
    inputs: tuple[int, ...] = shapes[names[max(names.index(stage) - 1, 0)]] if stage in shapes else IMAGE_SHAPE
    match stage:
        case "input":
            return Words(
                "Input: a grid of numbers",
                f"An image is {IMAGE_SHAPE[0]} × {IMAGE_SHAPE[1]} numbers, 0 for paper to 255 for ink. Divided by 255, "
                "all lie between 0 and 1, which helps the training. The third number of its shape is the "
                "channels: one, grey.",
                r"x = \frac{\text{pixel}}{255}, \quad 0 \le x \le 1",
                "Wilkin's paper.",
            )
        case "conv2d_1":
            return Words(
                "First convolution",
                "A stroke looks the same wherever it stands, so one small **filter** is tried at every place: "
                f"{weights} and a bias, {parameters[stage] // config.filters_1} numbers in all. Where the ink "
                "matches its weights, the sum is large; **ReLU** turns negative sums into 0.",
                r"y = \max\Bigl(0,\; b + \sum_{i,j} w_{ij}\, x_{ij}\Bigr)",
                f"Wilkin's paper, Fig. 2. {_LECUN}. {_RELU}.",
            )
        case "max_pooling2d" | "max_pooling2d_2":
            return Words(
                "Max pooling" if stage == "max_pooling2d" else "Second max pooling",
                f"Of each 2 × 2 values only the largest is kept: what counts is that a pattern was found, not on "
                f"which pixel. {inputs[0]} × {inputs[1]} becomes {shapes[stage][0]} × {shapes[stage][1]}, a quarter of "
                f"the work for the next layer{', and the odd last row and column are left out' * (inputs[0] % 2)}.",
                r"y = \max(x_{00},\, x_{01},\, x_{10},\, x_{11})",
                f"Wilkin's paper. {_LECUN} (there with means).",
            )
        case "conv2d_2":
            return Words(
                "Second convolution",
                f"Each of its {config.filters_2} filters has {weights} **for each of the "
                f"{config.filters_1} maps** and adds everything up: it finds patterns of patterns, such as corners. "
                f"Through the pooling, one of its values sees {3 * kernel - 1} × {3 * kernel - 1} pixels of the image.",
                r"y = \max\Bigl(0,\; b + \sum_{c} \sum_{i,j} w_{ijc}\, x_{ijc}\Bigr)",
                f"Wilkin's paper, Fig. 2. {_LECUN}. {_RELU}.",
            )
        case "flatten":
            height, width, channels = inputs
            return Words(
                "Flatten",
                f"The next layer takes a row of numbers, not maps. So the {channels} values of the first place are "
                "written down, then those of the place to its right, and so on. Nothing is computed or learned.",
                rf"{height} \cdot {width} \cdot {channels} = {shapes[stage][0]:,}".replace(",", "{,}"),
                "Wilkin's paper.",
            )
        case "dense_1":
            share = parameters[stage] / count_parameters(config)
            return Words(
                "Dense layer",
                f"Each of its {config.dense_units} units weighs **all {inputs[0]:,} values**, for or against: here "
                f"the parts become an answer. It has {share:.0%} of the network's parameters. Without ReLU, this layer "
                "and the last could do no more than one layer.",
                r"y = \max\Bigl(0,\; b + \sum_{k} w_{k}\, x_{k}\Bigr)",
                f"Wilkin's paper, Fig. 2. {_RELU}.",
            )
        case "dropout":
            if rate:
                text = (
                    f"In each step of the training, each unit is switched off at random, with probability {rate:g}, "
                    f"so that none can rely on another. The others are multiplied by {1 / (1 - rate):.3g}, so that "
                    "their sum stays the same on average. When an image is read, all units are used as they are."
                )
            else:
                text = "It would switch units off at random while training, so that none can rely on another. "
                text += "This run's rate is 0: it does nothing."
            return Words(
                f"Dropout, {rate:g}",
                text,
                rf"y = \frac{{r\,x}}{{1 - {rate:g}}}, \quad r \in \{{0, 1\}}, \quad P(r = 0) = {rate:g}",
                "Wilkin's paper. Srivastava et al., 2014; multiplied while training, as in Keras.",
            )
        case "dense_2":
            answer = int(probabilities.argmax())
            loss = -float(np.log(max(probabilities[answer], 1e-30)))
            count = "ten" if classes.classes == 10 else f"{classes.classes}"
            return Words(
                "Softmax",
                f"{count.capitalize()} units give {count} sums $z$. **Softmax** makes them positive and divides by "
                f"their total: probabilities. The loss, **cross-entropy**, depends only on that of the true "
                f"{classes.kind}. Here: {plain_text(classes.a_class(answer))}, {percent_text(probabilities[answer])} "
                f"sure. If that is right, the loss is {loss:.2g}.",
                rf"p_d = \frac{{e^{{z_d}}}}{{\sum_{{k=0}}^{{{classes.classes - 1}}} e^{{z_k}}}}, "
                r"\qquad L = -\ln p_{\text{true}}",
                "Wilkin's paper.",
            )
        case _:
            used = f"{OPTIMIZER_NAMES[config.optimizer]}, learning rate {learning_rate_text(config.learning_rate)}"
            shares = (
                ", which is Adam except for the weights of the first dense layer" if config.optimizer == "muon" else ""
            )
            return Words(
                "Training: Adam",
                "The gradient $g$ tells for each weight $w$ how the loss changes with it. Adam keeps a running mean "
                "$m$ of it, and $v$ of its square: where gradients agree, a step is as long as the learning rate "
                f"$\\eta$; where they contradict each other, shorter. This run used **{used}**{shares}.",
                # With Keras's defaults for the two decays and epsilon.
                r"\begin{aligned} m &\leftarrow 0.9\,m + 0.1\,g \\ v &\leftarrow 0.999\,v + 0.001\,g^2 \\ "
                r"w &\leftarrow w - \eta\,\frac{\sqrt{1 - 0.999^t}}{1 - 0.9^t}\,\frac{m}{\sqrt{v} + 10^{-7}} "
                r"\end{aligned}",
                "Wilkin's paper. Kingma and Ba, 2015; as Keras computes step $t$.",
            )
