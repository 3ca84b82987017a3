"""The options that set a training, for the commands that train."""

from __future__ import annotations

import argparse
from collections.abc import Container
from typing import Any

from mnist_lib.config import PRESETS, SETTINGS


def add_setting_arguments(parser: argparse.ArgumentParser, without: Container[str] = ()) -> None:
    """Add the options for preset, settings and data set.

    Args:
        parser: That of the command.
        without: Names of settings that have no option here.
    """
    parser.add_argument("--preset", help=f"one of: {', '.join(PRESETS)} (default: paper)")
    for name, setting in SETTINGS.items():
        if name in without:
            continue
        flag = "--limit" if name == "training_images" else f"--{name.replace('_', '-')}"
        if setting.kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=setting.help)
            continue
        parser.add_argument(
            flag,
            dest=name,
            type=setting.kind,
            metavar={int: "N", float: "X", str: "NAME"}[setting.kind],
            help=f"{setting.text}. {setting.help}".replace("%", "%%"),
        )
    parser.add_argument("--dataset", metavar="NAME", help="a data set that was added; default: MNIST")


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given as options, None for the others."""
    return {name: getattr(options, name, None) for name in SETTINGS}
