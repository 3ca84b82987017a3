"""The learning curves show the rows they are given."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from msgspec.structs import replace as replace_row

from mnist_lib.config import TrainingConfig
from mnist_lib.figures.learning_curves import (
    MAX_OTHERS,
    OTHER_COLORS,
    X_AXES,
    Mark,
    find_marks,
    learning_curve_figure,
    sample_errors_figure,
    smooth,
)
from mnist_lib.runs.records import RunSnapshot
from tests.support.runs import batch_row, epoch_row, event_row

# 40 images in batches of 10: 4 steps an epoch.
CONFIG = TrainingConfig(batch_size=10, training_images=40, epochs=3)
BATCHES = [
    batch_row(1, epoch=1, loss=2.5, accuracy=0.125, elapsed_s=0.5),
    batch_row(4, epoch=1, loss=1.0, accuracy=0.5, elapsed_s=1.25),
    batch_row(7, epoch=2, loss=None, accuracy=0.75, elapsed_s=2.5),
]
EPOCHS = [
    epoch_row(1, step=4, test_loss=0.75, test_accuracy=0.625, elapsed_s=2.0),
    epoch_row(2, step=8, test_loss=None, test_accuracy=0.875, elapsed_s=4.0),
]
RUN = RunSnapshot("this", bundled=False, state="running", config=CONFIG, batches=BATCHES, epochs=EPOCHS)
EMPTY = RunSnapshot("empty", bundled=False, state="starting", config=CONFIG)


def traces(figure: go.Figure) -> dict[str, Any]:
    """Return what a figure draws by name."""
    return {trace.name: trace for trace in figure.data}  # pyright: ignore[reportAttributeAccessIssue]


def numbers(values: Any) -> list[float | None]:
    """Return an axis of a trace, with None for "not a number"."""
    return [None if np.isnan(value) else value for value in np.asarray(values, float).tolist()]


@pytest.mark.parametrize(
    ("x", "train_x", "test_x"),
    [
        ("step", [1, 4, 7], [4, 8]),
        ("epoch", [0.25, 1, 1.75], [1, 2]),
        ("seconds", [0.5, 1.25, 2.5], [2, 4]),
    ],
)
@pytest.mark.parametrize(
    ("quantity", "train_y", "test_y"),
    [("loss", [2.5, 1, None], [0.75, None]), ("accuracy", [0.125, 0.5, 0.75], [0.625, 0.875])],
)
def test_rows_are_drawn_where_they_belong(
    x: str, train_x: Any, test_x: Any, quantity: str, train_y: Any, test_y: Any
) -> None:
    figure: Any = learning_curve_figure(quantity, RUN, x)
    drawn = traces(figure)
    assert list(drawn) == ["train", "test"]
    assert (numbers(drawn["train"].x), numbers(drawn["train"].y)) == (train_x, train_y)
    assert (numbers(drawn["test"].x), numbers(drawn["test"].y)) == (test_x, test_y)
    assert figure.layout.title.text == quantity.capitalize()
    assert figure.layout.xaxis.title.text == x


@pytest.mark.parametrize(
    ("values", "weight", "expected"),
    [
        ([4.0, 2.0, 1.0], 0.0, [4, 2, 1]),
        # Averages 2, 2, 1.5 by 1/2, 3/4, 7/8.
        ([4.0, 2.0, 1.0], 0.5, [4, 8 / 3, 12 / 7]),
        ([3.0] * 5, 0.99, [3] * 5),
        # What is no number is passed over: the last is the average of 4 and 2 still.
        ([np.nan, 4.0, np.nan, 2.0], 0.5, [None, 4, None, 8 / 3]),
        ([], 0.5, []),
    ],
)
def test_smoothing_is_the_average_corrected_for_its_beginning(values: Any, weight: float, expected: Any) -> None:
    smoothed = smooth(np.array(values), weight)
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, np.array(expected, float), rtol=1e-6)


def test_raw_values_stay_faint_behind_the_smoothed() -> None:
    drawn = traces(learning_curve_figure("accuracy", RUN, smoothing=0.5))
    raw, train = drawn["train, raw"], drawn["train"]
    assert numbers(raw.y) == [0.125, 0.5, 0.75]
    np.testing.assert_allclose(train.y, [0.125, (0.03125 + 0.25) / 0.75, (0.140625 + 0.375) / 0.875])
    assert raw.opacity < 0.5
    assert raw.showlegend is False
    assert raw.legendgroup == train.legendgroup  # one click hides both


def test_validation_is_drawn_where_there_is_one_and_told_apart_without_colour() -> None:
    epochs = [replace_row(row, validation_loss=0.5, validation_accuracy=None) for row in EPOCHS]
    drawn = traces(learning_curve_figure("loss", replace(RUN, epochs=epochs)))
    assert numbers(drawn["validation"].y) == [0.5, 0.5]
    for style in ("color", "dash"):
        assert len({trace.line[style] for trace in drawn.values()}) == 3
    assert drawn["validation"].marker.symbol != drawn["test"].marker.symbol


def test_other_runs_have_a_colour_each_and_one_entry_in_the_legend() -> None:
    epochs = [replace_row(row, validation_loss=0.5) for row in EPOCHS]
    slower = replace(RUN, config=replace(CONFIG, batch_size=5), epochs=epochs)
    figure = learning_curve_figure("loss", RUN, "epoch", others=[("slow", slower), ("none", EMPTY)])
    drawn = traces(figure)
    assert set(drawn) == {"train", "test", "slow", "slow, test", "slow, validation", "none"}
    assert numbers(drawn["slow"].x) == [0.125, 0.5, 0.875]  # of its own 8 steps an epoch
    assert numbers(drawn["slow, test"].x) == [0.5, 1.0]
    ours = [trace for name, trace in drawn.items() if name.startswith("slow")]
    assert {trace.line.color for trace in ours} == {OTHER_COLORS[0]}
    assert drawn["none"].line.color == OTHER_COLORS[1]
    assert [trace.showlegend for trace in ours] == [None, False, False]
    assert len({trace.legendgroup for trace in ours}) == 1
    assert ours[0].line.width < drawn["train"].line.width
    uids = [trace.uid for trace in drawn.values()]
    assert len(set(uids)) == len(uids)  # the legend's choice is kept by them


def test_no_more_others_than_can_be_told_apart() -> None:
    others = [(str(number), RUN) for number in range(MAX_OTHERS + 2)]
    drawn = traces(learning_curve_figure("loss", RUN, others=others))
    assert str(MAX_OTHERS - 1) in drawn
    assert str(MAX_OTHERS) not in drawn
    assert len(OTHER_COLORS) == MAX_OTHERS


EVENTS = [
    event_row("paused", epoch=1, step=40, elapsed_s=10.0, learning_rate=0.001),
    event_row("resumed", epoch=1, step=40, elapsed_s=30.0, learning_rate=0.001),
    event_row("learning_rate", epoch=2, step=60, elapsed_s=50.0, learning_rate=0.0005),
]


def test_events_are_marked_with_those_of_one_place_in_one_text() -> None:
    run = replace(RUN, batches=[*BATCHES, replace_row(BATCHES[0], step=100, elapsed_s=100.0)], events=EVENTS)
    assert find_marks(run, "step") == [Mark(40, "paused, resumed"), Mark(60, "rate 0.0005")]
    assert find_marks(run, "epoch") == [Mark(10, "paused, resumed"), Mark(15, "rate 0.0005")]
    assert find_marks(run, "seconds") == [Mark(10, "paused"), Mark(30, "resumed"), Mark(50, "rate 0.0005")]
    figure: Any = learning_curve_figure("loss", run, "seconds")
    assert [shape.x0 for shape in figure.layout.shapes] == [10, 30, 50]
    assert [note.hovertext for note in figure.layout.annotations] == ["paused", "resumed", "rate 0.0005"]
    assert {note.text for note in figure.layout.annotations} == {"▼"}


def test_change_to_the_whole_image_is_marked_where_the_last_epoch_on_the_middle_ends() -> None:
    run = replace(RUN, config=replace(CONFIG, middle_epochs=1))
    assert find_marks(run, "step") == [Mark(4, "whole image")]
    assert find_marks(run, "seconds") == [Mark(2.0, "whole image")]
    paused = event_row("paused", epoch=1, step=2, elapsed_s=1.0)
    assert [mark.text for mark in find_marks(replace(run, events=[paused]), "step")] == ["paused", "whole image"]


@pytest.mark.parametrize("middle_epochs", [0, 3])
def test_nothing_is_marked_where_the_field_of_view_does_not_change(middle_epochs: int) -> None:
    assert find_marks(replace(RUN, config=replace(CONFIG, middle_epochs=middle_epochs)), "step") == []


def test_epoch_on_the_middle_that_was_stopped_is_not_the_last() -> None:
    stopped = replace(RUN, config=replace(CONFIG, middle_epochs=2))
    stopped = replace(stopped, epochs=[EPOCHS[0], replace_row(EPOCHS[1], complete=False)])
    assert find_marks(stopped, "step") == []


def test_rate_that_is_no_round_number_is_marked_rounded() -> None:
    rates = [0.000463955, 0.001]
    events = [
        replace_row(EVENTS[2], learning_rate=rate, step=50 * number) for number, rate in enumerate(rates, start=1)
    ]
    assert [mark.text for mark in find_marks(replace(RUN, events=events), "step")] == ["rate 0.000464", "rate 0.001"]


@pytest.mark.parametrize("x", X_AXES)
@pytest.mark.parametrize("quantity", ["loss", "accuracy"])
def test_training_without_rows_is_empty(quantity: str, x: str) -> None:
    figure: Any = learning_curve_figure(quantity, EMPTY, x, log=True, smoothing=0.6)
    assert all(len(trace.x) == len(trace.y) == 0 for trace in figure.data)
    assert find_marks(EMPTY, x) == []


def test_rows_of_few_batches_are_left_out() -> None:
    # Rows of 28 batches, but the two that end their epochs stand for 2 and 1: those are all noise.
    steps = [1, 29, 57, 59, 87, 115, 116]
    batches = [batch_row(step, loss=float(step)) for step in steps]
    drawn = traces(learning_curve_figure("loss", replace(EMPTY, batches=batches)))
    assert numbers(drawn["train"].y) == [1, 29, 57, 87, 115]


def test_accuracy_axis_contains_every_value_but_the_first_steep_rise() -> None:
    accuracies = [0.1, 0.5, *np.linspace(0.8, 1.0, 200).tolist()]
    batches = [batch_row(step, accuracy=value) for step, value in enumerate(accuracies)]
    figure: Any = learning_curve_figure("accuracy", replace(EMPTY, batches=batches))
    limits = figure.layout.yaxis.autorangeoptions
    assert 0.5 < limits.clipmin <= 0.8
    assert limits.clipmax > 1.0


def test_zoom_ends_with_its_axis_and_nothing_else_does() -> None:
    def revisions(snapshot: RunSnapshot = RUN, **choices: Any) -> tuple[str, str, str]:
        layout: Any = learning_curve_figure("loss", snapshot, **choices).layout
        return layout.uirevision, layout.xaxis.uirevision, layout.yaxis.uirevision

    whole, x, y = revisions()
    assert revisions(replace(RUN, batches=BATCHES[:2]), smoothing=0.9, others=[("a", RUN)]) == (whole, x, y)
    assert revisions(x="epoch") == (whole, "this epoch", y)
    assert revisions(log=True)[:2] == (whole, x)
    assert revisions(log=True)[2] != y
    assert revisions(EMPTY)[0] == whole
    assert revisions(EMPTY)[1:] != (x, y)


def test_curves_survive_json() -> None:
    # Plotly sends figures as JSON; a type that it cannot write would fail only on the screen.
    run = replace(RUN, events=EVENTS)
    figure = learning_curve_figure("loss", run, smoothing=0.6, others=[("other", RUN)])
    assert json.loads(figure.to_json() or "")["data"]


def test_axes_before_the_first_point_are_those_of_a_training() -> None:
    empty = RunSnapshot("a run", False, "starting")
    figures = [learning_curve_figure("accuracy", empty)]
    figures += [learning_curve_figure("loss", empty, log=log) for log in (False, True)]
    ranges = [tuple(figure.to_dict()["layout"]["yaxis"]["range"]) for figure in figures]
    assert ranges == [(0, 1.002), (0, 2.5), (-2, 0.5)]


def test_errors_of_a_sample_are_drawn_over_the_whole_training_with_the_newest_marked() -> None:
    config = TrainingConfig(epochs=4, batch_size=10, training_images=100)
    drawn = traces(sample_errors_figure({0: 900, 5: 30, 15: 0}, config))
    line, newest = drawn["errors"], drawn["newest"]
    assert list(line.x) == [0.0, 0.5, 1.5]
    assert list(line.y) == [900, 30, 0.5]  # a logarithm has no zero, but the text below the pointer does
    assert list(line.customdata) == [900, 30, 0]
    assert (list(newest.x), list(newest.y)) == ([1.5], [0.5])
    layout = sample_errors_figure({}, config).to_dict()["layout"]
    assert list(layout["xaxis"]["range"]) == [0, 4]
    assert layout["yaxis"]["type"] == "log"


def test_errors_of_a_long_training_are_thinned_out_but_keep_their_ends() -> None:
    config = TrainingConfig(epochs=1, batch_size=1, training_images=5_000)
    line = traces(sample_errors_figure(dict.fromkeys(range(5_000), 7), config))["errors"]
    assert len(line.x) == 300
    assert (line.x[0], line.x[-1]) == (0, pytest.approx(4_999 / 5_000))
