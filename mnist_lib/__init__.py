"""An interactive dashboard around one small convolutional network for MNIST.

Rooms import downwards only::

    pages > ui > trainer > training > recorder, run_archive, model_export > model,
    precision > report > run_table > paper, progress, curves, comparison, inspection,
    neighbours, own_digits, evaluation_figures > figures > run_store > runs > pictures,
    selection, label_votes, tables > records, dataset, evaluation, metrics, certainty,
    drawing, probes, saliency, picture_sheet, paired_test, biography, zip_reading >
    network, schedule, augmentation, handwriting > machine, wording > config

Nothing outside ``ui`` imports Streamlit, and only ``model``, ``precision``,
``recorder`` and ``training`` import Keras at once (``backend`` prepares that import);
``inspection`` and ``neighbours`` do when they are handed a model. A first visit paints
before TensorFlow is loaded. ``tests/test_architecture.py`` holds both rules.
"""
