"""An interactive dashboard around one small convolutional network for MNIST.

Rooms import downwards only::

    pages > ui > trainer > training > recorder > model, precision > paper,
    progress, curves, inspection, comparison > figures > runs > records, dataset,
    evaluation, drawing > network, schedule, augmentation > machine > config

Nothing outside ``ui`` imports Streamlit, and only ``model``, ``precision``,
``recorder`` and ``training`` import Keras (``backend`` prepares that import): a
first visit paints before TensorFlow is loaded. ``tests/test_architecture.py``
holds both rules.
"""
