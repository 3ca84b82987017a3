"""A training played again in the browser: curves, errors and some test images, in twelve seconds.

One message brings all of it; playing, pausing and scrubbing ask nothing of the server.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from streamlit.components.v2 import component

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.runs.replay import Replay
from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.gallery import sprite_sheet
from mnist_lib.ui.components.versions import with_version
from mnist_lib.wording import percent_text

_component = component(
    "replay", css=read_text("components/replay/replay.css"), js=read_text("components/replay/replay.js")
)


def play_training(
    name: str, replay: Replay, images: np.ndarray, labels: Sequence[int], classes: DatasetDescription, key: str
) -> None:
    """Show a training that plays by itself, once, when it comes into view.

    With ``prefers-reduced-motion`` it waits for a person to play it.

    Args:
        name: What is played, so that it does not play by itself again when a person comes back.
        replay: The training.
        images: uint8, (n, 28, 28), 0 to 255: those that ``replay`` says how they were read.
        labels: Their true classes.
        classes: The data set of the training.
        key: The component's key.
    """
    digits = [
        {
            "label": label,
            "name": classes.a_class(label),
            "answers": [answers[place] for answers in replay.answers],
            "sure": [percent_text(confidences[place]) for confidences in replay.confidences],
        }
        for place, label in enumerate(labels)
    ]
    curves = {"loss": replay.loss._asdict(), "accuracy": replay.accuracy._asdict()}
    after_epochs = {
        name: getattr(replay, name) for name in ("epochs", "ends", "seconds", "test_accuracy", "misclassified")
    }
    words = {"classes": classes.class_names, "arrow": classes.arrow, "noun": classes.noun}
    data = {"name": name, "sprite": sprite_sheet(images), "digits": digits, **words, **curves, **after_epochs}
    _component(key=key, data=with_version(key, data))
