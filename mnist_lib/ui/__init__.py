"""The screens: the only package that imports Streamlit.

``session``, ``cache``, ``refreshing``, ``rerun_ends``, ``uploads``, ``navigation``, ``messages``, ``sidebar`` and
``entrance`` serve every screen;
``components`` are widgets that Streamlit does not have; ``shared`` is what several
screens show; then there is one package per screen, which a file in ``pages/`` calls.
"""

# From the bottom up, as in ``mnist_lib.LAYERS``. No screen imports another.
LAYERS = (
    ("assets", "session", "cache", "refreshing", "rerun_ends", "uploads"),
    ("navigation", "messages"),
    ("sidebar",),
    ("components",),
    ("entrance",),
    ("shared",),
    ("overview", "dataset", "train", "mistakes", "runs", "experiments", "draw", "model"),
)
