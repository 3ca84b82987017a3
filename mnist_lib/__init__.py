"""An interactive dashboard around one small convolutional network for MNIST.

Rooms import downwards only::

    pages > ui > trainer > training > recorder > model, precision > paper, progress,
    curves, comparison, inspection, neighbours, own_digits > figures > run_store >
    runs > pictures > records, dataset, evaluation, certainty, drawing, probes,
    saliency, picture_sheet > network, schedule, augmentation, handwriting >
    machine > config

Nothing outside ``ui`` imports Streamlit, and only ``model``, ``precision``,
``recorder`` and ``training`` import Keras at once (``backend`` prepares that import);
``inspection`` and ``neighbours`` do when they are handed a model. A first visit paints
before TensorFlow is loaded. ``tests/test_architecture.py`` holds both rules.
"""
