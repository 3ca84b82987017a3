"""An interactive dashboard around one small convolutional network for MNIST.

A training writes a run directory; every screen and every command reads it. The packages
are ordered in the same direction, from the data up to the screens, in ``LAYERS``.
"""

# From the bottom up. A package imports only from the layers below its own.
# ``tests/test_architecture.py`` reads the order here and enforces it.
LAYERS = (
    ("paths", "config", "wording", "escaping", "machine", "storage", "evaluation"),
    ("access",),
    ("data", "terminal"),
    ("network", "identity"),
    ("runs",),
    ("drawing", "explain", "training"),
    ("experiments",),
    ("figures", "formats"),
    ("export", "cluster"),
    ("ui",),
    ("dataset_commands", "setting_arguments"),
    ("experiment_command",),
    ("command_line",),
    ("__main__",),
)
