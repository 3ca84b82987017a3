"""Who may do what here: the mode of the installation, its limits, and what a visitor may do.

The screens ask, to leave out what is not allowed; the store of runs asks again, and refuses it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace

from mnist_lib.config import SETTINGS, TrainingConfig


class AccessError(Exception):
    """The environment names no mode, or a limit that is not a number. The message is one line."""


@dataclass(frozen=True)
class Visitor:
    """A person at the screens or at the command line.

    Attributes:
        visitor_id: Tells persons of the same name apart.
        name: What the screens call the person. It is not trusted.
        may_do_all: Whether this is the owner of the installation or a teacher.
    """

    visitor_id: str
    name: str
    may_do_all: bool = False


# Whoever reaches a private installation, or the machine itself.
OWNER = Visitor("", "the owner", may_do_all=True)


@dataclass(frozen=True)
class Limits:
    """What an installation allows; None for no limit. Each is ``MNIST_MAX_...`` in the environment.

    Attributes:
        epochs: Of one training of a pupil.
        images: Training images of the same, at most.
        minutes: From its first batch, pauses included; then it stops and keeps its model.
        queued: Runs of a pupil that wait in the queue.
        runs: In the folder of runs.
        gigabytes: Of the folder of runs, before another training or run is added.
        drawings: Kept by all together; in public by each visitor.
        upload_mb: Of one uploaded file.
        uploads_mb: Of all uploaded files that the server holds, of all visitors together.
    """

    epochs: int | None
    images: int | None
    minutes: float | None
    queued: int | None
    runs: int
    gigabytes: int
    drawings: int
    upload_mb: int
    uploads_mb: int


DEFAULT_LIMITS = {
    # 500 MB is the largest zip of a run: MAX_ARCHIVE_MB in mnist_lib.runs.archive.
    "private": Limits(
        None, None, None, None, runs=2_000, gigabytes=200, drawings=2_000, upload_mb=500, uploads_mb=2_000
    ),
    "class": Limits(20, 60_000, 10, 5, runs=500, gigabytes=20, drawings=20_000, upload_mb=50, uploads_mb=500),
    "public": Limits(0, 0, 0, 0, runs=2_000, gigabytes=200, drawings=100, upload_mb=5, uploads_mb=200),
}


@dataclass(frozen=True)
class Access:
    """What a visitor may do in a mode.

    Attributes:
        mode: ``private``, ``class`` or ``public``.
        limits: What the installation allows.
        visitor: None for somebody who has not said who they are, or need not.
    """

    mode: str
    limits: Limits
    visitor: Visitor | None

    @property
    def may_do_all(self) -> bool:
        """Whether there is nothing that the visitor may not do."""
        return self.visitor is not None and self.visitor.may_do_all

    @property
    def may_add(self) -> bool:
        """Whether the visitor may train and load runs."""
        return self.visitor is not None

    @property
    def sees_all(self) -> bool:
        """Whether the visitor sees every run, and not only those that ship or are published."""
        return self.visitor is not None

    def may_change(self, owner: Visitor | None) -> bool:
        """Tell whether the visitor may stop, pause, continue, rename, annotate and delete a run.

        Args:
            owner: Who started or loaded it; None if that is not known.
        """
        if self.visitor is None or owner is None:
            return self.may_do_all
        return self.may_do_all or owner.visitor_id == self.visitor.visitor_id

    @property
    def refusal(self) -> str:
        """Why something is not allowed, in one line."""
        if self.mode == "public":
            return "This installation only shows runs and reads drawings."
        return "Only its owner or a teacher can do this." if self.visitor else "Say who you are first."

    def problem_of(self, config: TrainingConfig) -> str:
        """Return why a training is too large for this visitor, in one line; empty if it is not."""
        if self.may_do_all:
            return ""
        allowed = {"epochs": self.limits.epochs, "training_images": self.limits.images}
        for name, limit in allowed.items():
            if limit is not None and getattr(config, name) > limit:
                return f"{SETTINGS[name].label}: at most {limit:,} here."
        return ""

    @property
    def minutes(self) -> float | None:
        """After how many minutes a training of this visitor stops itself, or None."""
        return None if self.may_do_all else self.limits.minutes


def read_access(visitor: Visitor | None = OWNER) -> Access:
    """Return what a visitor may do here, as the environment says. In private, everybody is the owner.

    Raises:
        AccessError: The environment names no mode, or a limit that is not a number.
    """
    mode = os.environ.get("MNIST_MODE") or "private"
    if mode not in DEFAULT_LIMITS:
        raise AccessError(f"MNIST_MODE must be private, class or public, not {mode!r}.")
    limits = DEFAULT_LIMITS[mode]
    given = {field.name: os.environ.get(f"MNIST_MAX_{field.name.upper()}") for field in fields(Limits)}
    for name, text in given.items():
        if not text:
            continue
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
            raise AccessError(f"MNIST_MAX_{name.upper()} must be a whole number from 1 to 999,999,999, not {text!r}.")
        limits = replace(limits, **{name: int(text)})
    return Access(mode, limits, OWNER if mode == "private" else visitor)
