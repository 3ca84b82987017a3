"""The link to the Model screen with an image, and how its address names the image."""

from __future__ import annotations

from collections.abc import Mapping

from mnist_lib.ui.navigation import screen_link

# The names in the address, which are the keys of the Model screen's fields.
SOURCE_KEY = "images"
NUMBER_KEY = "image"
EPOCH_KEY = "after_epoch"
# What can go through the network, as it is said on the screen and in the address.
SOURCES = {"test": "Test image", "train": "Training image", "own": "Your own"}

OWN_DIGIT = {SOURCE_KEY: SOURCES["own"]}


def digit_address(split: str, number: int, epoch: int | None = None) -> dict[str, str]:
    """Return what names an image of the data set in the address of the Model screen.

    Args:
        split: ``train`` or ``test``.
        number: Its position there.
        epoch: The epoch after which the network is shown; None leaves it to the screen.
    """
    address = {SOURCE_KEY: SOURCES[split], NUMBER_KEY: str(number)}
    return address if epoch is None else {**address, EPOCH_KEY: str(epoch)}


def model_link(address: Mapping[str, str]) -> None:
    """Show the link to the Model screen with an image.

    Args:
        address: ``OWN_DIGIT``, or what ``digit_address`` returns.
    """
    screen_link("model", "See it go through the network", address)
