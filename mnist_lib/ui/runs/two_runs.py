"""Two runs side by side: what the second reads that the first does not, and the other way round."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import Dataset
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.mcnemar import chance_text, find_differences
from mnist_lib.figures.digits import image_figure, probabilities_figure
from mnist_lib.runs.comparison import have_same_data
from mnist_lib.runs.run import Run
from mnist_lib.runs.summary import SETTING_LABELS, differing_settings, summarize_run
from mnist_lib.ui.cache import probabilities, run_dataset
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.session import title_of
from mnist_lib.wording import count_text, setting_text

# If there are more differences, only the first in the test set are shown.
MAX_TILES = 200


def render_two_runs(first: Run, second: Run) -> None:
    """Show the comparison of two runs after their last epochs.

    Args:
        first: The run to compare with.
        second: The run that is compared.
    """
    without = [plain_text(title_of(run.run_id)) for run in (first, second) if not run.epochs_with_probabilities()]
    if without:
        st.info(
            f"{' and '.join(without)} {'has' if len(without) == 1 else 'have'} not finished an epoch, so there is "
            "nothing to compare yet.",
            icon=":material/info:",
        )
        return
    if not have_same_data(first, second):
        st.info(
            "These two were not tested on the same images, so what one fixed and the other broke cannot be told.",
            icon=":material/info:",
        )
        return
    dataset = run_dataset(first)
    if st.toggle("Swap the two runs", key="swap", bind="query-params"):
        first, second = second, first
    names = plain_text(title_of(first.run_id)), plain_text(title_of(second.run_id))
    st.header(f"From {names[0]} to {names[1]}")
    outputs = probabilities(first), probabilities(second)
    labels = dataset.test_labels
    answers = outputs[0].argmax(axis=1), outputs[1].argmax(axis=1)
    found = find_differences(*answers, labels)
    misread = [int((each != labels).sum()) for each in answers]
    st.markdown(
        f"**{names[0]}** misreads **{misread[0]:,}** of {len(labels):,} test images, **{names[1]}** "
        f"misreads **{misread[1]:,}**. The second reads **{len(found.fixed):,}** correctly that the first misreads, "
        f"and misreads **{len(found.broken):,}** that the first reads correctly; both misread **{found.both_wrong:,}**."
    )
    st.markdown(chance_text(len(found.fixed), len(found.broken)))
    _render_settings(first, second)
    columns = st.columns(2, gap="large")
    for column, title, indices, key in zip(
        columns, ("Fixed", "Broken"), (found.fixed, found.broken), ("fixed", "broken"), strict=True
    ):
        with column:
            st.markdown(f"**{title}: {len(indices):,}**")
            _render_gallery(indices, dataset, answers, outputs, (first, second), key)


def _render_settings(*runs: Run) -> None:
    summaries = [summarize_run(run) for run in runs]
    configs = [summary.config for summary in summaries]
    names = differing_settings(summaries)
    if not names or None in configs:
        return
    with st.expander(count_text(len(names), "setting differs", "settings differ")):
        columns = [[plain_text(setting_text(getattr(config, name))) for name in names] for config in configs]
        st.table(
            {"Setting": [SETTING_LABELS[name] for name in names], "The first": columns[0], "The second": columns[1]},
            hide_index=True,
        )


def _render_gallery(
    indices: np.ndarray,
    dataset: Dataset,
    answers: tuple[np.ndarray, ...],
    outputs: tuple[np.ndarray, ...],
    runs: tuple[Run, Run],
    key: str,
) -> None:
    if not len(indices):
        st.info("None.", icon=":material/check:")
        return
    shown, classes, labels = indices[:MAX_TILES].tolist(), dataset.description, dataset.test_labels.tolist()
    names, pairs = classes.class_names, np.stack(answers, axis=1).tolist()
    tiles = [
        Tile(
            index,
            classes.read_as(*pairs[index]),
            classes.a_class(labels[index]),
            f"Test image {index}, {classes.a_class(labels[index])}, read as {names[pairs[index][0]]} by the first run "
            f"and as {names[pairs[index][1]]} by the second",
            "right" if key == "fixed" else "wrong",
        )
        for index in shown
    ]
    st.caption(f"Below each: what the first read → what the second reads, and its true {classes.kind}.")
    chosen = digit_gallery(f"Images {key}", dataset.test_images[shown], tiles, key=f"two_runs_{key}")
    if len(indices) > MAX_TILES:
        st.caption(f"The first {MAX_TILES} of {len(indices):,}.")
    st.markdown(f"**Test image {chosen:,}: {plain_text(classes.a_class(labels[chosen]))}**")
    picture, *bars = st.columns(3)
    with picture:
        st.caption("The image")
        live_figure(image_figure(dataset.test_images[chosen]), key=f"two_runs_{key}_image")
    for column, run, output, name in zip(bars, runs, outputs, ("first", "second"), strict=True):
        with column:
            st.caption(plain_text(title_of(run.run_id)))
            live_figure(probabilities_figure(output[chosen], labels[chosen], classes), key=f"two_runs_{key}_{name}")
