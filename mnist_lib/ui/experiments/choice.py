"""Which experiment is shown, and what a person chose in its figures and its table, while the session lasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from mnist_lib.experiments.library import Experiment
from mnist_lib.experiments.results import ExperimentRun

# The name of the one that is shown, in the URL and in the session.
EXPERIMENT_KEY = "experiment"

_KEY = "experiment_choices"


@dataclass
class Choice:
    """What was chosen of one experiment.

    Attributes:
        brushes: The brushed axes of the parallel coordinates: the lower and upper ends of what is kept, by label.
        dots: The numbers of the runs in a box or lasso of the scatter; None if there is no box.
        number: The number of the run to look at, or None.
        resets: How often a person went back to all runs.
    """

    brushes: dict[str, list[list[float]]] = field(default_factory=dict)
    dots: list[int] | None = None
    number: int | None = None
    resets: int = 0

    def brush(self, brushes: dict[str, list[list[float]]]) -> None:
        """Take over what a person brushed."""
        self.brushes = brushes

    def select(self, dots: list[int]) -> None:
        """Take over what a person put into a box or lasso."""
        self.dots = dots or None

    def look_at(self, x: Any, y: Any, number: int | None) -> None:
        """Take over a click on a dot."""
        self.number = number

    def show_all(self) -> None:
        """Go back to all runs."""
        self.brushes, self.dots, self.resets = {}, None, self.resets + 1

    def find(self, runs: list[ExperimentRun]) -> ExperimentRun | None:
        """Return the run to look at, if it is there."""
        return next((run for run in runs if run.number == self.number), None)


def choice_of(experiment: Experiment) -> Choice:
    """Return what was chosen of an experiment."""
    choices = st.session_state.setdefault(_KEY, {})
    return choices.setdefault((experiment.name, experiment.created_at), Choice())
