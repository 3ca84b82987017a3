"""What a network finds alike against a slow search, and against arithmetic on its weights."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.inspection import feature_maps
from mnist_lib.explain.neighbours import embed_images, find_neighbours
from tests.support.runs import BUNDLED_RUN


@pytest.mark.usefixtures("keras_loaded")
def test_embedding_is_the_direction_of_the_values_before_the_last_layer(dataset: Dataset) -> None:
    from mnist_lib.runs.models import load_run_model

    model = load_run_model(BUNDLED_RUN)
    embedding = embed_images(model, dataset.test_images[:1])
    assert embedding.shape == (1, 64)
    assert embedding.dtype == np.float32
    second = feature_maps(model, dataset.test_images[0])[1]
    weights, biases = model.get_layer("dense_1").get_weights()
    values = (second.transpose(1, 2, 0).ravel().astype(float) @ weights + biases).clip(0)
    np.testing.assert_allclose(embedding[0], values / np.sqrt((values**2).sum()), atol=1e-4)


@pytest.mark.usefixtures("keras_loaded")
def test_embeddings_of_many_are_those_of_each(dataset: Dataset) -> None:
    from mnist_lib.network.model import build_model

    model = build_model(TrainingConfig(filters_1=4, filters_2=4, dense_units=8, dropout=0.5))
    many = embed_images(model, dataset.test_images[:501])
    assert many.shape == (501, 8)
    for index in (0, 250, 500):
        np.testing.assert_allclose(many[index], embed_images(model, dataset.test_images[[index]])[0], atol=1e-5)


@pytest.mark.usefixtures("keras_loaded")
def test_image_that_no_unit_answers_is_like_no_other(dataset: Dataset) -> None:
    from mnist_lib.network.model import build_model

    model = build_model(TrainingConfig(filters_1=4, filters_2=4, dense_units=8))
    layer = model.get_layer("dense_1")
    layer.set_weights([np.zeros_like(layer.get_weights()[0]), np.full(8, -1.0)])
    assert np.array_equal(embed_images(model, dataset.test_images[:2]), np.zeros((2, 8)))


@pytest.mark.usefixtures("keras_loaded")
def test_neighbours_are_those_of_a_slow_search(dataset: Dataset) -> None:
    from mnist_lib.runs.models import load_run_model

    model = load_run_model(BUNDLED_RUN)
    embeddings = embed_images(model, dataset.train_images[:400])
    embedding = embed_images(model, dataset.test_images[:1])[0]
    angles = [
        (float(np.degrees(np.arccos(min(1.0, sum(a * b for a, b in zip(embedding, other, strict=True)))))), index)
        for index, other in enumerate(embeddings.astype(float))
    ]
    found = find_neighbours(embedding, embeddings, 10)
    assert found.indices.tolist() == [index for _, index in sorted(angles)[:10]]
    np.testing.assert_allclose(
        np.degrees(np.arccos(found.similarities)), [angle for angle, _ in sorted(angles)[:10]], atol=0.1
    )
    # The first test image is a 7, and so is what is most alike to it.
    assert set(dataset.train_labels[found.indices[:5]]) == {7}


def test_all_can_be_asked_for() -> None:
    embeddings = np.array([[0, 1], [1, 0], [0.6, 0.8]], np.float32)
    found = find_neighbours(np.array([1, 0], np.float32), embeddings, 3)
    assert found.indices.tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.similarities, [1, 0.6, 0])
