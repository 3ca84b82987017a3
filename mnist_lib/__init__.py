"""An interactive dashboard around one small convolutional network for MNIST.

Rooms import downwards only::

    pages > ui > trainer > training > model, dataset, evaluation, drawing,
    figures, runs > machine > config

Nothing outside ``ui`` imports Streamlit, and only ``model`` and ``training``
import Keras (``backend`` prepares that import): a first visit paints before
TensorFlow is loaded. ``tests/test_architecture.py`` holds both rules.
"""
