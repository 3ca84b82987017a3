"""Neighbours against a slow search, and against arithmetic on the network's weights."""

from __future__ import annotations

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.inspection import feature_maps
from mnist_lib.explain.neighbours import embed_images, find_neighbours
from mnist_lib.network.forward import Layer
from mnist_lib.runs.networks import load_network
from tests.support.runs import BUNDLED_RUN, random_network


def test_embedding_is_the_direction_of_the_values_before_the_last_layer(dataset: Dataset) -> None:
    network = load_network(BUNDLED_RUN)
    embedding = embed_images(network, dataset.test_images[:1])
    assert embedding.shape == (1, 64)
    assert embedding.dtype == np.float32
    second = feature_maps(network, dataset.test_images[0])[1]
    weights, biases = network.dense
    values = (second.transpose(1, 2, 0).ravel().astype(float) @ weights + biases).clip(0)
    np.testing.assert_allclose(embedding[0], values / np.sqrt((values**2).sum()), atol=1e-4)


def test_embeddings_of_many_are_those_of_each(dataset: Dataset) -> None:
    network = random_network(TrainingConfig(filters_1=4, filters_2=4, dense_units=8, dropout=0.5))
    many = embed_images(network, dataset.test_images[:501])
    assert many.shape == (501, 8)
    for index in (0, 250, 500):
        np.testing.assert_allclose(many[index], embed_images(network, dataset.test_images[[index]])[0], atol=1e-5)


def test_image_that_no_unit_answers_is_like_no_other(dataset: Dataset) -> None:
    network = random_network(TrainingConfig(filters_1=4, filters_2=4, dense_units=8))
    network = network._replace(dense=Layer(np.zeros_like(network.dense.kernel), np.full(8, -1.0, np.float32)))
    assert np.array_equal(embed_images(network, dataset.test_images[:2]), np.zeros((2, 8)))


def test_neighbours_are_those_of_a_slow_search(dataset: Dataset) -> None:
    network = load_network(BUNDLED_RUN)
    embeddings = embed_images(network, dataset.train_images[:400])
    embedding = embed_images(network, dataset.test_images[:1])[0]
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
