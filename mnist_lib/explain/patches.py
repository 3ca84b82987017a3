"""Finds what the maps of a convolution answer to most, in many images: what does a filter look for?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mnist_lib.network.forward import Network, forward, read_in_parts

PATCHES_PER_MAP = 9

_POOLING_SIDE = 2


class Patches(NamedTuple):
    """For each map of a convolution, the patches that it answers to most, the strongest first.

    Attributes:
        side_px: Width and height of a patch, all that one value of a map depends on.
        images: int64, (maps, 9), the positions of the images; at most one patch comes from an image.
        corners: int64, (maps, 9, 2), row and column of the patch's first pixel.
        activations: float32, (maps, 9), the map's values there, 0 or more. 0 is no answer.
    """

    side_px: int
    images: np.ndarray
    corners: np.ndarray
    activations: np.ndarray


def find_patches(
    network: Network, images: np.ndarray, on_part: Callable[[float], object] = lambda share: None
) -> tuple[Patches, Patches]:
    """Return the patches of both convolutions.

    Args:
        network: As ``load_network`` returns it.
        images: uint8, (n, 28, 28), 0 to 255, n at least 1; fewer than 9 give fewer patches.
        on_part: Called now and then with the share that is done, up to 1.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014,
    figure 2, which shows the nine strongest answers of a map beside their patches.
    """

    def read(part: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        activations = forward(network, part)
        return [_strongest_places(maps) for maps in (activations.conv2d_1, activations.conv2d_2)]

    first, second = zip(*read_in_parts(read, images, on_part), strict=True)
    side = len(network.convolution_1.kernel)
    map_side = images.shape[1] - side + 1
    # The second convolution's windows, as wide, lie on the pooled map: they begin at every second
    # place of the first map, and their last place is pooled from two places of it.
    second_side = _POOLING_SIDE * (side - 1) + _POOLING_SIDE + side - 1
    second_map_side = map_side // _POOLING_SIDE - side + 1
    return (
        _select(first, side, map_side, stride_px=1),
        _select(second, second_side, second_map_side, stride_px=_POOLING_SIDE),
    )


def _strongest_places(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest value of each map of each image, and its place counted row by row, each (n, maps)."""
    values = maps.reshape(len(maps), -1, maps.shape[-1])
    places = values.argmax(axis=1)
    return np.take_along_axis(values, places[:, np.newaxis], axis=1)[:, 0], places


def _select(parts: tuple[tuple[np.ndarray, np.ndarray], ...], side_px: int, map_side: int, stride_px: int) -> Patches:
    activations, places = (np.concatenate(arrays).T for arrays in zip(*parts, strict=True))
    images = np.argsort(-activations, axis=1, kind="stable")[:, :PATCHES_PER_MAP]
    corners = stride_px * np.stack(np.divmod(np.take_along_axis(places, images, axis=1), map_side), axis=-1)
    return Patches(side_px, images, corners, np.take_along_axis(activations, images, axis=1))
