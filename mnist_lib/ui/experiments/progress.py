"""How far an experiment is, at a glance."""

from __future__ import annotations

import streamlit as st

from mnist_lib.cluster.report import read_report
from mnist_lib.config import ConfigError
from mnist_lib.escaping import plain_text
from mnist_lib.experiments.library import Experiment
from mnist_lib.experiments.results import ExperimentRun, Results
from mnist_lib.experiments.start import queue_missing
from mnist_lib.runs.expected_time import expected_time
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.training.launch import ensure_worker
from mnist_lib.ui.messages import show_problem
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.session import experiment_library, run_store
from mnist_lib.ui.sidebar import STATE_COLORS
from mnist_lib.wording import count_text, rough_duration_text

_PROBLEM_KEY = "experiment_queue_problem"
# Counts what was done in the popover: a new key closes it.
_NUMBER_KEY = "experiment_queue_number"


def render_progress(results: Results) -> None:
    """Show the states of all runs and, until they have ended, how far they are and when they will have.

    Args:
        results: Those of an experiment.
    """
    badges = [f":{STATE_COLORS[state]}-badge[{count} {state}]" for state, count in sorted(results.states.items())]
    if results.missing:
        badges.append(f":orange-badge[{results.missing} missing]")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(" ".join(badges), width="content")
        if results.missing and experiment_library().may_change(results.experiment):
            st.button(
                "Queue what is missing",
                icon=":material/playlist_add:",
                type="tertiary",
                help="Runs that were deleted, taken back or never queued.",
                on_click=_queue_missing,
                args=(results.experiment,),
            )
    show_problem(_PROBLEM_KEY)
    if results.has_ended:
        return
    queue = RunQueue(run_store())
    waiting = len(_waiting(queue, results.experiment))
    st.progress(_fraction(results), text=_text(results, queue.is_paused()))
    if results.experiment.cluster:
        _render_cluster(results.experiment.cluster)
    with st.container(horizontal=True, vertical_alignment="center"):
        screen_link("train", "The queue, and what is being trained")
        if waiting and experiment_library().may_change(results.experiment):
            _render_taking_back(results.experiment, waiting)


def _fraction(results: Results) -> float:
    """Return the share of all epochs that are done; what has ended has no more to do."""

    def of(run: ExperimentRun) -> float:
        if run.has_ended or run.config is None:
            return 1.0
        return min(len(run.epochs) / run.config.epochs, 1.0)

    return sum(map(of, results.runs)) / len(results.runs)


def _text(results: Results, paused: bool) -> str:
    to_come = [run for run in results.runs if not run.has_ended]
    said = f"{len(results.runs) - len(to_come):,} of {count_text(len(results.runs), 'run')} ended"
    if paused:
        return f"{said} · the queue is paused"
    if results.experiment.cluster:
        return said
    configs = [run.config for run in to_come if run.config]
    return f"{said} · about {rough_duration_text(*expected_time(run_store(), configs))} left"


def _render_cluster(address: str) -> None:
    """Show what the dispatcher waits for, and why a worker gets no run."""
    report = read_report(run_store().root, address)
    if report is None:  # no dispatcher has begun
        return
    refused = [f"{worker.name} gets no run: {worker.problem}" for worker in report.workers if worker.problem]
    for line in dict.fromkeys(filter(None, [report.message, *refused])):
        st.caption(f":material/warning: {plain_text(line)}")


def _waiting(queue: RunQueue, experiment: Experiment) -> list[Run]:
    entries = queue.waiting(experiment.cluster)
    members = [(entry.run, entry.run.read_member()) for entry in entries]
    return [run for run, member in members if member and member.experiment == experiment.name]


def _render_taking_back(experiment: Experiment, waiting: int) -> None:
    number = st.session_state.get(_NUMBER_KEY, 0)
    with st.popover("Take back what waits", icon=":material/close:", key=f"take_back_experiment_{number}"):
        st.markdown(f"Take {waiting} of its runs out of the queue? What has begun is kept.")
        st.button("Take them back", on_click=_take_back, args=(experiment,))


def _queue_missing(experiment: Experiment) -> None:
    store = run_store()
    try:
        queue_missing(store, experiment)
    except (ConfigError, RunStoreError) as error:
        st.session_state[_PROBLEM_KEY] = str(error)
    else:
        ensure_worker(store)


def _take_back(experiment: Experiment) -> None:
    state, queue = st.session_state, RunQueue(run_store())
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1
    for run in _waiting(queue, experiment):
        try:
            queue.take_back(run)
        except RunStoreError as error:  # one may have begun just now
            state[_PROBLEM_KEY] = str(error)
