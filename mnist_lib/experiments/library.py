"""The experiments of this machine, each a folder beside the runs: ``experiments/NAME/experiment.json``.

Its runs are among the others; a file in the folder of each says to which experiment it belongs.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mnist_lib.access import OWNER, Access, Visitor, read_access
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.escaping import one_line
from mnist_lib.experiments.plan import Plan
from mnist_lib.runs.records import RUN_NAME, DamagedRunError, Moment, read_record, write_json
from mnist_lib.runs.run import MAX_NOTE_LENGTH

MAX_EXPERIMENTS = 1_000

_Name = Annotated[str, Meta(pattern=rf"^{RUN_NAME.pattern}\Z")]


class ExperimentError(Exception):
    """An experiment cannot be kept, changed or removed. The message is one line."""


class Experiment(Struct, frozen=True, kw_only=True):
    """The content of experiment.json.

    Attributes:
        name: The name of the folder.
        plan: What it trains.
        dataset: What its runs learn from.
        cluster: The address of the Dask scheduler whose workers train it; empty for this machine.
        note: What a person noted about it.
        created_at: When it was planned, seconds since the epoch.
        owner_id: Who planned it, in a class; empty for the owner of the installation.
        owner_name: What that person is called.
    """

    name: _Name
    plan: Plan
    dataset: DatasetDescription = MNIST_DESCRIPTION
    cluster: Annotated[str, Meta(max_length=200)] = ""
    note: Annotated[str, Meta(max_length=MAX_NOTE_LENGTH)] = ""
    created_at: Moment = 0.0
    owner_id: str = ""
    owner_name: str = ""

    @property
    def owner(self) -> Visitor | None:
        """Who planned it; None if that is not recorded."""
        return Visitor(self.owner_id, self.owner_name) if self.owner_id else None


class ExperimentLibrary:
    """The experiments of this machine.

    Args:
        root: Their folder.
        access: What the visitor may do; by default it is the owner, as at the command line.

    Raises:
        AccessError: The environment names no mode, or a limit that is not a number.
    """

    def __init__(self, root: Path, access: Access | None = None) -> None:
        self.root = root
        self.access = access or read_access()

    @classmethod
    def beside(cls, runs_root: Path, access: Access | None = None) -> ExperimentLibrary:
        """Return the library in the folder ``experiments`` beside the runs."""
        return cls(runs_root.parent / "experiments", access)

    def experiments(self) -> list[Experiment]:
        """Return all experiments, the newest first, without the damaged ones."""
        found = [experiment for name in self._names() if (experiment := self.find(name))]
        return sorted(found, key=lambda experiment: experiment.created_at, reverse=True)

    def damaged(self) -> dict[str, str]:
        """Return the names of the experiments that cannot be read, each with the reason in one line."""
        reasons = {}
        for name in self._names():
            try:
                self._read(name)
            except DamagedRunError as error:
                reasons[name] = str(error)
        return reasons

    def find(self, name: str) -> Experiment | None:
        """Return an experiment, or None if there is none of this name that can be read."""
        if not (self.access.sees_all and RUN_NAME.fullmatch(name)):
            return None
        with suppress(DamagedRunError):
            return self._read(name)
        return None

    def new_name(self, beginning: str) -> str:
        """Return a name that is not taken: ``fast-1``, ``fast-2``."""
        taken = {name.lower() for name in self._names()}
        numbers = range(1, len(taken) + 2)
        return next(name for number in numbers if (name := f"{beginning}-{number}").lower() not in taken)

    def require_name(self, name: str) -> None:
        """Raise ExperimentError unless the visitor may add an experiment of this name."""
        if not self.access.may_add:
            raise ExperimentError(self.access.refusal)
        if not RUN_NAME.fullmatch(name):
            raise ExperimentError(
                "A name has 1 to 100 English letters, digits, dots, dashes and underscores, and begins with a letter "
                "or a digit."
            )
        names = self._names()
        # Some systems do not distinguish upper and lower case.
        if name.lower() in {other.lower() for other in names}:
            raise ExperimentError(f"There is an experiment {name} already. Choose another name.")
        if len(names) >= MAX_EXPERIMENTS:
            raise ExperimentError(f"At most {MAX_EXPERIMENTS:,} experiments are kept here. Remove one first.")

    def add(
        self, name: str, plan: Plan, dataset: DatasetDescription = MNIST_DESCRIPTION, cluster: str = "", note: str = ""
    ) -> Experiment:
        """Keep a new experiment. Its runs are queued after that.

        Args:
            name: Valid as a folder's name on every system.
            plan: What it trains.
            dataset: What its runs learn from.
            cluster: The address of a Dask scheduler, at most 200 characters; empty for this machine.
            note: What a person notes about it, at most ``MAX_NOTE_LENGTH`` characters.

        Raises:
            ExperimentError: The visitor may not, the name is taken or not valid, the note is too long, or the folder
                cannot be written.
        """
        self.require_name(name)
        if len(cluster) > 200:
            raise ExperimentError("The address of the cluster is too long.")
        owner = self.access.visitor if self.access.visitor != OWNER else None
        experiment = Experiment(
            name=name,
            plan=plan,
            dataset=dataset,
            cluster=cluster,
            note=_checked_note(note),
            created_at=time.time(),
            owner_id=owner.visitor_id if owner else "",
            owner_name=owner.name if owner else "",
        )
        with self._writing():
            self.root.mkdir(parents=True, exist_ok=True)
            # The folder is complete as soon as it is visible.
            hidden = self.root / f".{name}"
            hidden.mkdir(exist_ok=True)
            write_json(hidden / "experiment.json", experiment)
            hidden.rename(self.folder(name))
        return experiment

    def write_note(self, experiment: Experiment, note: str) -> None:
        """Change what is noted about an experiment; an empty text removes it.

        Raises:
            ExperimentError: The visitor may not, it is too long, or the folder cannot be written.
        """
        self._require_change(experiment)
        with self._writing():
            changed = msgspec.structs.replace(experiment, note=_checked_note(note))
            write_json(self.folder(experiment.name) / "experiment.json", changed)

    def remove(self, name: str) -> None:
        """Remove an experiment, even a damaged one. Its runs stay.

        Raises:
            ExperimentError: The visitor may not, there is none, or the folder cannot be written.
        """
        if name not in self._names():
            raise ExperimentError(f"There is no experiment {one_line(name)!r}.")
        self._require_change(self.find(name))
        with self._writing():
            # Hidden in one step, so that no reader sees half an experiment.
            hidden = self.folder(name).rename(self.root / f".removed-{name}-{time.time_ns()}")
            shutil.rmtree(hidden)

    def may_change(self, experiment: Experiment | None) -> bool:
        """Tell whether the visitor may change and remove an experiment; None for a damaged one."""
        return self.access.may_change(experiment.owner if experiment else None)

    def folder(self, name: str) -> Path:
        """Return the folder of an experiment."""
        return self.root / name

    def _require_change(self, experiment: Experiment | None) -> None:
        if not self.may_change(experiment):
            raise ExperimentError(self.access.refusal)

    def _read(self, name: str) -> Experiment:
        experiment = read_record(self.folder(name) / "experiment.json", Experiment)
        if experiment.name != name:
            raise DamagedRunError("experiment.json has another name than its folder")
        return experiment

    def _names(self) -> list[str]:
        if not self.access.sees_all:
            return []
        try:
            return sorted(path.name for path in self.root.iterdir() if RUN_NAME.fullmatch(path.name) and path.is_dir())
        except OSError:
            return []

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ExperimentError(f"Cannot write to {self.root}: {error.strerror or error}.") from error


def _checked_note(note: str) -> str:
    note = note.strip()
    if len(note) > MAX_NOTE_LENGTH:
        raise ExperimentError(f"A note has at most {MAX_NOTE_LENGTH:,} characters, not {len(note):,}.")
    return note
