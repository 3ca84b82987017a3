"""A run as one Keras script that needs nothing else from this project, as a person would write it.

The script is ``script.py.jinja``, a Jinja template. It holds only what the settings use, and says in a comment
where it does something else than the run did. No text from a run's files gets into it: it is there to be executed.
"""

from __future__ import annotations

import functools
from typing import Any

from mnist_lib.config import MNIST_DATA, TrainingConfig
from mnist_lib.network.layers import MIDDLE_MARGIN_PX, layer_table
from mnist_lib.paths import LIBRARY_PATH
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.training import schedule

_TEMPLATE_PATH = LIBRARY_PATH / "export" / "script.py.jinja"

# Keras's dtype policies in which only the weights are float32.
_MIXED_POLICIES = ("mixed_bfloat16", "mixed_float16")


def keras_script(config: TrainingConfig, snapshot: RunSnapshot | None = None) -> str:
    """Return a Python script that trains, evaluates and saves a network with these settings.

    Args:
        config: The settings of the run.
        snapshot: The run; without it, the settings alone. Known from it are the backend, the precision that
            ``auto`` chose, and what a person changed while it trained.

    Returns:
        ASCII, at most 100 characters per line.
    """
    flatten = config.second_pooling + 3  # the place of this layer in the network
    augments = bool(config.shift_px or config.rotation_deg or config.zoom)
    needs_steps = config.schedule != "constant" or config.label_smoothing > 0
    loops = augments or config.label_smoothing > 0 or config.middle_epochs > 0
    return _template().render(
        config=config,
        all_images=snapshot.record.dataset.training_images if snapshot else MNIST_DATA.images,
        schedule=schedule,
        interventions=_interventions(config, snapshot),
        environment=_environment(config, snapshot),
        policy=_policy(config, snapshot),
        auto_is_open=config.precision == "auto" and not (snapshot and snapshot.record.precision),
        rate="learning_rate" if config.schedule == "cosine" else config.learning_rate,
        loss="categorical_crossentropy" if config.label_smoothing else "sparse_categorical_crossentropy",
        augments=augments,
        needs_steps=needs_steps,
        needs_numpy=needs_steps or loops or config.validation_images > 0 or not config.trains_on_mnist,
        loops=loops,
        flatten=flatten,
        maps=layer_table(config)[flatten - 1].output_shape,
        margin=MIDDLE_MARGIN_PX // (4 if config.second_pooling else 2),
    )


@functools.cache
def _template() -> Any:
    import jinja2  # not at the top: the screens start without it

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: f"{value:_}" if isinstance(value, int) else value,  # 60_000, as Python reads it
    )
    return environment.from_string(_TEMPLATE_PATH.read_text(encoding="utf-8"))


def _interventions(config: TrainingConfig, snapshot: RunSnapshot | None) -> list[str]:
    """Say what a person did while the run trained, which no setting tells."""
    if snapshot is None:
        return []
    said = []
    if snapshot.record.handwriting:
        said.append("It began from another run's weights, and learned a person's drawings among these images.")
    if any(row.event == "learning_rate" for row in snapshot.events):
        said.append("While it trained, its learning rate was also changed by hand.")
    if snapshot.state == "stopped" and (last := snapshot.last_epoch):
        said.append(f"It was stopped in epoch {last.epoch} of {config.epochs}.")
    return said


def _environment(config: TrainingConfig, snapshot: RunSnapshot | None) -> dict[str, str]:
    """Return the environment variables that the run was trained with, as far as they are no default."""
    variables = {}
    if snapshot and "jax" in snapshot.record.versions:
        variables["KERAS_BACKEND"] = "jax"
    if config.onednn != "auto":
        variables["TF_ENABLE_ONEDNN_OPTS"] = "1" if config.onednn == "on" else "0"
    return variables


def _policy(config: TrainingConfig, snapshot: RunSnapshot | None) -> str:
    """Return Keras's dtype policy, or nothing for float32."""
    policy = f"mixed_{config.precision}"
    if config.precision == "auto" and snapshot:
        policy = snapshot.record.precision
    return policy if policy in _MIXED_POLICIES else ""
