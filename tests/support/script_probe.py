"""Executes a Keras script, untouched, in an empty folder, and notes what it does.

    python -m tests.support.script_probe SCRIPT TRAINING_IMAGES

It prints one JSON object, last. The script loads MNIST first of all; instead it gets the first training images,
as many as asked for, and 200 test images, and from then on each call of Keras's is noted.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import types
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from mnist_lib.data.dataset import load_mnist

TEST_IMAGES = 200


def main(path: Path, training_images: int) -> None:
    """Execute the script and print what it did."""
    dataset = load_mnist()
    notes: dict[str, Any] = {"calls": [], "learning_rates": []}

    def load_data() -> Any:
        notes["calls"].append("load_data")
        note_calls(notes)
        train, test = dataset.split("train"), dataset.split("test")
        return [array[:training_images] for array in train], [array[:TEST_IMAGES] for array in test]

    # Keras itself must not be loaded yet: the script may choose how.
    module: Any = types.ModuleType("mnist")
    module.load_data = load_data
    sys.modules["keras.src.datasets.mnist"] = module
    script = str(path.absolute())
    home = os.getcwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        names = runpy.run_path(script, run_name="__main__")
        mock.patch.stopall()
        notes |= describe(names["model"])
        os.chdir(home)
    print(json.dumps(notes))


def note_calls(notes: dict[str, Any]) -> None:
    """Note each call that compiles, trains, evaluates or saves a network, and the learning rate of each step."""
    import keras

    model: Any = keras.Model
    compile_, fit, evaluate, save = model.compile, model.fit, model.evaluate, model.save

    def note_compile(network: Any, *arguments: Any, **settings: Any) -> None:
        notes["calls"].append("compile")
        notes.setdefault("first_weights", [float(np.sum(weights)) for weights in network.get_weights()])
        compile_(network, *arguments, **settings)

    def note_fit(network: Any, images: Any, labels: Any, callbacks: Any = (), **settings: Any) -> None:
        said = {name: value for name, value in settings.items() if name != "validation_data"}
        notes["calls"].append(["fit", *images.shape, said])
        rates = notes["learning_rates"]
        reading = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: rates.append(float(network.optimizer.learning_rate))
        )
        fit(network, images, labels, callbacks=[*callbacks, reading], **settings)

    def note_evaluate(network: Any, images: Any, labels: Any, **settings: Any) -> Any:
        notes["calls"].append(["evaluate", *images.shape])
        return evaluate(network, images, labels, **settings)

    def note_save(network: Any, name: str) -> None:
        notes["calls"].append(["save", name])
        save(network, name)

    mock.patch.multiple(model, compile=note_compile, fit=note_fit, evaluate=note_evaluate, save=note_save).start()


def describe(model: Any) -> dict[str, Any]:
    """Return the layers and the optimizer of a network, how its saved copy reads, and how TensorFlow computes."""
    import keras

    from benchmarks.training.machine import uses_onednn

    saved: Any = keras.saving.load_model("mnist.keras")
    images, labels = load_mnist().split("test")
    probabilities = saved.predict(images[:TEST_IMAGES, ..., None] / np.float32(255), verbose=0)
    return {
        "layers": model.get_config()["layers"],
        "loss": model.loss,
        "optimizer": model.optimizer.get_config(),
        "optimizer_variables": [list(variable.shape) for variable in model.optimizer.variables],
        "steps": int(model.optimizer.iterations),
        "misclassified": int(np.sum(probabilities.argmax(axis=1) != labels[:TEST_IMAGES])),
        "onednn": uses_onednn(),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
