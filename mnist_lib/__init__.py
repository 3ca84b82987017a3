"""An interactive dashboard around one small convolutional network for MNIST.

A training writes a run directory; every screen and every command reads it. The packages
follow the same way, from the data up to the screens, and ``LAYERS`` is their order.
"""

# From the bottom up. A package imports those in the layers below its own, and nothing
# else of this project. ``tests/test_architecture.py`` reads the order here and holds it.
LAYERS = (
    ("paths", "config", "wording", "escaping", "machine", "storage", "evaluation"),
    ("data", "terminal"),
    ("network",),
    ("runs",),
    ("drawing", "explain", "training"),
    ("figures",),
    ("export",),
    ("ui",),
    ("command_line",),
    ("__main__",),
)
