"""The errors on a sample of test images while a network is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.network.weights import LiveNetwork
from mnist_lib.runs import sample_errors
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import RunSnapshot, Status
from mnist_lib.runs.run import Run
from mnist_lib.runs.sample_errors import SampleErrors, sample_of
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, epoch_row

SAMPLE = sample_of(10_000)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_errors, "SECONDS_PER_READING", 0.0)
    monkeypatch.setattr(sample_errors, "LARGEST_SHARE", float("inf"))


def running(step: int, *epoch_steps: int) -> RunSnapshot:
    rows = [epoch_row(number, step=each) for number, each in enumerate(epoch_steps, start=1)]
    return RunSnapshot("a run", False, "running", status=Status("running", step=step), epochs=rows)


def errors_after(run: Run, epoch: int, dataset: Dataset) -> int:
    """Count the misread images of the sample one by one."""
    probabilities = run.probabilities(epoch)
    return sum(int(probabilities[index].argmax()) != dataset.test_labels[index] for index in range(0, 10_000, 10))


def test_sample_has_a_thousand_images_of_all_digits(dataset: Dataset) -> None:
    assert len(dataset.test_labels[SAMPLE]) == 1_000
    assert np.bincount(dataset.test_labels[SAMPLE]).min() > 70


def test_errors_after_epochs_and_within_one_are_those_of_the_networks(dataset: Dataset) -> None:
    # The network after epoch 2 as the newest one, in the middle of an epoch.
    live = LiveNetwork(25, load_network(PAPER_RUN, 2))
    found = SampleErrors().update(PAPER_RUN, running(30, 10, 20), live, dataset)
    expected = {10: errors_after(PAPER_RUN, 1, dataset), 20: errors_after(PAPER_RUN, 2, dataset)}
    assert found == expected | {25: expected[20]}
    assert list(found) == [10, 20, 25]
    assert expected[10] > expected[20] > 0


def test_points_stay_and_each_network_is_read_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = SampleErrors()
    first = LiveNetwork(5, load_network(PAPER_RUN, 1))
    errors.update(PAPER_RUN, running(5), first, dataset)
    read: list[int] = []
    predict = sample_errors.predict_probabilities
    monkeypatch.setattr(
        sample_errors, "predict_probabilities", lambda network, images: read.append(1) or predict(network, images)
    )
    assert list(errors.update(PAPER_RUN, running(6), first, dataset)) == [5]
    assert read == []
    newer = LiveNetwork(8, first.network)
    assert list(errors.update(PAPER_RUN, running(8), newer, dataset)) == [5, 8]
    assert read == [1]


def test_next_reading_waits_until_it_is_time(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_errors, "SECONDS_PER_READING", 3_600.0)
    errors, network = SampleErrors(), load_network(PAPER_RUN, 1)
    for step in (1, 2, 3):
        assert list(errors.update(PAPER_RUN, running(step), LiveNetwork(step, network), dataset)) == [1]


def test_run_that_is_continued_shows_no_point_of_its_future(dataset: Dataset) -> None:
    errors, network = SampleErrors(), load_network(PAPER_RUN, 1)
    errors.update(PAPER_RUN, running(15, 10), LiveNetwork(15, network), dataset)
    assert list(errors.update(PAPER_RUN, running(10, 10), None, dataset)) == [10]


def test_epoch_that_cannot_be_read_is_left_out(dataset: Dataset) -> None:
    beyond = len(BUNDLED_RUN.epochs_with_probabilities()) + 1
    snapshot = replace(running(20), epochs=[epoch_row(1, step=10), epoch_row(beyond, step=20)])
    assert list(SampleErrors().update(BUNDLED_RUN, snapshot, None, dataset)) == [10]
