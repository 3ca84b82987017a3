"""The Keras script of a run does what the run's settings say, and nothing else."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_lib.config import PRESETS, SETTINGS, ConfigError, TrainingConfig
from mnist_lib.data.augmentation import random_transforms, transform_images
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.export.script import keras_script
from mnist_lib.network.layers import count_parameters
from mnist_lib.runs.records import RunRecord, RunSnapshot
from mnist_lib.training.epoch_data import smooth_labels
from mnist_lib.training.schedule import learning_rates
from tests.support.processes import Python
from tests.support.runs import HOSTILE_TEXT, epoch_row, event_row

PAPER = PRESETS["paper"]

# No setting is the paper's.
EVERYTHING = TrainingConfig(
    "custom",
    epochs=3,
    batch_size=40,
    learning_rate=0.004,
    schedule="one-cycle",
    optimizer="muon",
    shift_px=1.5,
    rotation_deg=10.0,
    zoom=0.1,
    continental_forms=0.2,
    middle_epochs=2,
    label_smoothing=0.1,
    validation_split=0.25,
    seed=7,
    precision="bfloat16",
    onednn="off",
    training_images=400,
    filters_1=6,
    filters_2=4,
    kernel_size=4,
    second_pooling=True,
    dense_units=17,
    dropout=0.5,
)


def execute(script: str, python: Python, folder: Path, training_images: int) -> tuple[dict[str, Any], str]:
    """Execute a script in a process of its own; return what ``script_probe`` noted, and what the script printed."""
    path = folder / "script.py"
    path.write_text(script)
    code, stdout, stderr = python.run("-m", "tests.support.script_probe", path, str(training_images))
    assert code == 0, stderr
    *printed, notes = stdout.splitlines()
    return json.loads(notes), "\n".join(printed)


def assert_same_network(notes: dict[str, Any], config: TrainingConfig, policy: str) -> None:
    """Hold that network and optimizer are those that ``train`` makes, with the same first weights."""
    import keras

    from mnist_lib.network.model import build_model
    from mnist_lib.training.optimizers import make_optimizer

    keras.utils.set_random_seed(config.seed)
    model = build_model(config, policy)
    assert model.count_params() == count_parameters(config)
    # Through JSON, which makes lists of tuples.
    layers = json.loads(json.dumps(model.get_config()["layers"]))
    assert without_names(notes["layers"]) == without_names(layers)
    np.testing.assert_allclose(notes["first_weights"], [weights.sum() for weights in model.get_weights()], rtol=1e-5)
    optimizer = make_optimizer(config, policy)
    optimizer.build(model.trainable_variables)
    assert without(notes["optimizer"], *VARYING) == without(optimizer.get_config(), *VARYING)
    assert notes["optimizer_variables"] == [list(variable.shape) for variable in optimizer.variables]


# Other names, and a rate that is held elsewhere.
VARYING = ("name", "exclude_layers", "learning_rate")


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def without_names(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [layer | {"config": without(layer["config"], "name")} for layer in layers]


# The whole script, in a process.


def test_papers_script_is_as_short_as_the_paper_promises() -> None:
    script = keras_script(PAPER)
    assert len(script.splitlines()) < 50
    imports = [node for node in ast.parse(script).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(node) for node in imports] == ["import keras", "from keras import layers"]
    for other in ("schedule", "smooth", "augment", "middle", "validation", "policy", "environ", "np."):
        assert other not in script


@pytest.mark.usefixtures("keras_loaded")
def test_papers_script_trains_the_papers_network_with_its_settings(python: Python, tmp_path: Path) -> None:
    notes, printed = execute(keras_script(PAPER), python, tmp_path, training_images=300)
    assert notes["calls"] == [
        "load_data",
        "compile",
        ["fit", 300, 28, 28, 1, {"batch_size": 32, "epochs": 5}],
        ["evaluate", 200, 28, 28, 1],
        ["save", "mnist.keras"],
    ]
    assert_same_network(notes, PAPER, "float32")
    assert notes["loss"] == "sparse_categorical_crossentropy"
    assert notes["steps"] == 5 * 10  # nine batches of 32 and one of 12
    assert notes["learning_rates"] == pytest.approx([0.001] * 50)
    wrong = notes["misclassified"]
    assert 0 < wrong < 100  # it has learned
    assert f"Test accuracy {1 - wrong / 200:.2%}, {wrong} of 200 misclassified" in printed


@pytest.mark.usefixtures("keras_loaded")
def test_script_of_a_run_with_everything_changed_does_everything(python: Python, tmp_path: Path) -> None:
    config = EVERYTHING
    for name in SETTINGS:
        assert getattr(config, name) != getattr(PAPER, name)
    notes, printed = execute(keras_script(config), python, tmp_path, training_images=600)
    steps: list[Any] = ["load_data", "compile", "compile"]  # the network, and its view of the middle
    for epoch, size in enumerate([20, 20, 28]):
        one_epoch = {"batch_size": 40, "initial_epoch": epoch, "epochs": epoch + 1, "shuffle": False}
        steps += [["fit", 300, size, size, 1, one_epoch], ["evaluate", 100, 28, 28, 1]]
    assert notes["calls"] == [*steps, ["evaluate", 200, 28, 28, 1], ["save", "mnist.keras"]]
    assert_same_network(notes, config, "mixed_bfloat16")
    assert notes["loss"] == "categorical_crossentropy"
    assert notes["steps"] == config.total_steps == 24
    np.testing.assert_allclose(notes["learning_rates"], learning_rates(config), rtol=1e-5)
    assert notes["onednn"] is False
    assert f"{notes['misclassified']} of 200 misclassified" in printed


# Its parts, in this process.


@pytest.fixture
def prepared(
    keras_loaded: None, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> Callable[[TrainingConfig], dict[str, Any]]:
    """Return a function that executes a script up to where it trains, and returns its names."""
    import keras

    images, labels = dataset.train_images[:100], dataset.train_labels[:100]
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: ((images, labels), (images, labels)))

    def prepare(config: TrainingConfig) -> dict[str, Any]:
        tree = ast.parse(keras_script(config))
        training = next(number for number, node in enumerate(tree.body) if ".fit(" in ast.unparse(node))
        names: dict[str, Any] = {}
        exec(compile(ast.Module(tree.body[:training], []), "script", "exec"), names)
        return names

    return prepare


@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].allowed)
def test_optimizer_is_that_of_the_run(optimizer: str, prepared: Callable[[TrainingConfig], dict[str, Any]]) -> None:
    from mnist_lib.training.optimizers import make_optimizer

    config = replace(PAPER, optimizer=optimizer, learning_rate=0.03)
    written, made = prepared(config)["optimizer"], make_optimizer(config, "float32")
    assert isinstance(made, type(written))
    names = ("name", "exclude_layers")
    assert without(written.get_config(), *names) == without(made.get_config(), *names)


def test_cosine_gives_the_rates_of_the_run(prepared: Callable[[TrainingConfig], dict[str, Any]]) -> None:
    config = replace(PAPER, schedule="cosine", learning_rate=0.03, training_images=100)
    optimizer = prepared(config)["optimizer"]
    rates = []
    for step in range(config.total_steps):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(rates, learning_rates(config), rtol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"shift_px": 2.0},
        {"shift_px": 1.5},
        {"rotation_deg": 20.0},
        {"zoom": 0.2},
        {"shift_px": 2.0, "zoom": 0.1},
        {"shift_px": 1.5, "rotation_deg": 15.0, "zoom": 0.15},
    ],
)
def test_digits_are_changed_as_in_the_run(
    changes: dict[str, float], prepared: Callable[[TrainingConfig], dict[str, Any]], dataset: Dataset
) -> None:
    config, images = replace(PAPER, **changes), dataset.train_images[:100]
    transforms = random_transforms(config, 100, np.random.default_rng(3))
    names = prepared(config)
    names["random"] = np.random.default_rng(3)
    # Where nothing is turned or resized, the run draws these numbers all the same.
    if not config.rotation_deg:
        names["random"].random(100)
    if not (config.rotation_deg or config.zoom):
        names["random"].random(100)
    changed = names["augment"](scale_pixels(images))
    expected = scale_pixels(transform_images(images, transforms))
    if changes == {"shift_px": 2.0}:
        np.testing.assert_allclose(changed, expected, atol=1e-6)  # whole pixels: nothing is interpolated
    # Bilinear and bicubic interpolation are closer to each other than to the digits as they were.
    assert np.abs(changed - expected).mean() < 0.02 < np.abs(changed - scale_pixels(images)).mean()


def test_labels_are_smoothed_as_in_the_run(
    prepared: Callable[[TrainingConfig], dict[str, Any]], dataset: Dataset
) -> None:
    config = replace(PAPER, label_smoothing=0.2, training_images=100, batch_size=30)
    names = prepared(config)
    for epoch in (0, 3):
        smoothed = names["smooth"](names["y_train"], epoch)
        np.testing.assert_allclose(smoothed, smooth_labels(dataset.train_labels[:100], config, epoch), atol=1e-6)


@pytest.mark.parametrize("network", [{}, {"second_pooling": True, "kernel_size": 4}])
def test_middle_is_seen_with_the_weights_of_the_run(
    network: dict[str, Any], prepared: Callable[[TrainingConfig], dict[str, Any]], dataset: Dataset
) -> None:
    import keras

    from mnist_lib.network.model import build_middle_view, build_model

    config = replace(PAPER, middle_epochs=2, seed=5, **network)
    names = prepared(config)
    keras.utils.set_random_seed(5)
    model = build_model(config)
    view = build_middle_view(model, config)
    for written, built in zip(names["model"].get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(written, built)
    middle = scale_pixels(dataset.train_images[:20])[:, 4:-4, 4:-4]
    np.testing.assert_allclose(names["middle"](middle), view(middle), atol=1e-6)
    assert names["middle"].optimizer is names["model"].optimizer


# Its text.


def random_config(source: random.Random) -> TrainingConfig:
    """Return settings of which each is the paper's or, as often, any other one."""
    while True:
        chosen = {name: random_value(name, source) for name in SETTINGS if source.random() < 0.5}
        try:
            return TrainingConfig.from_dict(chosen)
        except ConfigError:
            continue  # the middle may be too small for a network


def random_value(name: str, source: random.Random) -> Any:
    setting = SETTINGS[name]
    if setting.kind in (bool, str):
        return source.choice(setting.allowed)
    if setting.kind is int:
        return source.randint(int(setting.minimum), int(setting.maximum))
    return round(source.uniform(setting.minimum, setting.maximum), 6)


def signs_of(config: TrainingConfig) -> dict[str, list[str]]:
    """Return what each setting has to bring into the script where it is not the paper's."""
    kernel, kind = config.kernel_size, {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "muon": "Muon"}
    turns = config.rotation_deg or config.zoom
    whole = config.shift_px == int(config.shift_px) and not turns
    shift = f"integers(-{int(config.shift_px)}," if whole else f"uniform(-{config.shift_px}, {config.shift_px},"
    return {
        "epochs": [f"epochs = {config.epochs:_}\n"],
        "batch_size": [f"batch_size = {config.batch_size:_}\n"],
        "learning_rate": [f"{config.learning_rate}"],
        "schedule": ["CosineDecay(" if config.schedule == "cosine" else "OneCycle()"],
        "optimizer": [f"optimizers.{kind[config.optimizer]}("],
        "shift_px": [shift],
        "rotation_deg": [f"uniform(-{config.rotation_deg}, {config.rotation_deg},"],
        "zoom": [f"uniform(-{config.zoom}, {config.zoom},"],
        "continental_forms": [f"wrote {100 * config.continental_forms:g}% of the ones"],
        "middle_epochs": [f"if epoch < {config.middle_epochs}:", "middle, images[:, 4:-4, 4:-4]"],
        "label_smoothing": [f"share = {config.label_smoothing} *"],
        "validation_split": [f"np.split(x_train, [{config.fitted_images:_}])"] if config.validation_images else [],
        "seed": [f"set_random_seed({config.seed:_})"],
        "precision": ["mixed_float16" if config.precision == "float16" else "mixed_bfloat16"],
        "onednn": [f'["TF_ENABLE_ONEDNN_OPTS"] = "{int(config.onednn == "on")}"'],
        "training_images": [f"x_train[:{config.training_images:_}]"],
        "filters_1": [f"Conv2D({config.filters_1}, {kernel},"],
        "filters_2": [f"Conv2D({config.filters_2}, {kernel},"],
        "kernel_size": [f"Conv2D({config.filters_1}, {kernel},"],
        "second_pooling": ["layers.MaxPooling2D(2),\n        layers.Flatten"],
        "dense_units": [f"Dense({config.dense_units:_},"],
        "dropout": [f"Dropout({config.dropout})"],
    }


# What only these settings bring into the script.
TRACES = {
    "schedule": "OneCycle",
    "rotation_deg": "angles",
    "zoom": "scales",
    "continental_forms": "continental",
    "middle_epochs": "middle",
    "label_smoothing": "smooth",
    "validation_split": "x_val",
    "precision": "dtype_policy",
    "onednn": "environ",
    "training_images": "x_train[:",
    "second_pooling": "MaxPooling2D(2),\n        layers.Flatten",
}


def test_scripts_name_what_their_settings_change_and_nothing_else(tmp_path: Path) -> None:
    source = random.Random(0)
    for number in range(100):
        config = random_config(source)
        script = keras_script(config)
        signs = signs_of(config)
        assert signs.keys() == SETTINGS.keys()
        for name, texts in signs.items():
            if getattr(config, name) != getattr(PAPER, name):
                assert [text for text in texts if text not in script] == [], f"{name} of {config}"
            elif name in TRACES:
                assert TRACES[name] not in script, f"{name} of {config}"
        (tmp_path / f"script_{number}.py").write_text(script, encoding="ascii")
    # Ruff finds names that are not defined and imports and names that are not used. What sets the environment
    # stands before the imports that read it.
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["check", "--select", "E,F,I", "--ignore", "E402"], ["format", "--check"]):
        command = [*ruff, *arguments, "--isolated", "--line-length", "100", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_environment_is_set_before_keras_is_imported() -> None:
    lines = keras_script(replace(PAPER, onednn="on")).splitlines()
    assert lines.index('os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"') < lines.index("import keras")


# What only the run knows.


def snapshot(**values: Any) -> RunSnapshot:
    return RunSnapshot("a run", False, values.pop("state", "finished"), **values)


def test_precision_that_auto_chose_is_used() -> None:
    config = replace(PAPER, precision="auto")
    chosen = keras_script(config, snapshot(record=RunRecord(precision="mixed_bfloat16")))
    assert 'keras.config.set_dtype_policy("mixed_bfloat16")' in chosen.split("#")[0]
    assert 'dtype="float32"' in chosen
    assert keras_script(config, snapshot(record=RunRecord(precision="float32"))) == keras_script(PAPER)


def test_run_of_jax_is_a_script_for_jax() -> None:
    lines = keras_script(PAPER, snapshot(record=RunRecord(versions={"jax": "0.10"}))).splitlines()
    assert lines.index('os.environ["KERAS_BACKEND"] = "jax"') < lines.index("import keras")


def test_what_a_person_did_during_the_training_is_said() -> None:
    ended = snapshot(state="stopped", epochs=[epoch_row(1), epoch_row(2)], events=[event_row("learning_rate")])
    description = ast.get_docstring(ast.parse(keras_script(PAPER, ended)))
    assert description
    assert "learning rate was also changed by hand" in description
    assert "stopped in epoch 2 of 5" in description


def test_no_text_of_a_run_gets_into_what_is_executed() -> None:
    record = RunRecord(device=HOSTILE_TEXT, precision='"""\nhostile', versions={HOSTILE_TEXT: HOSTILE_TEXT})
    config = replace(PAPER, preset='"""\nhostile', precision="auto")
    hostile = RunSnapshot('"""\nhostile', False, "failed", HOSTILE_TEXT, config, record)
    assert keras_script(config, hostile) == keras_script(PAPER)
