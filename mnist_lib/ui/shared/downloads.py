"""Downloads of a run: tables, the model, a report, the whole run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from mnist_lib.data.dataset import DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.export.models import can_export_litert, export_keras, export_litert, export_saved_model
from mnist_lib.export.report import make_report
from mnist_lib.export.script import keras_script
from mnist_lib.export.tables import metrics_csv, mistakes_csv, predictions_csv
from mnist_lib.runs.archive import archive_run, archived_files
from mnist_lib.runs.records import COMPLETE_STATES
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.ui.cache import run_dataset
from mnist_lib.ui.messages import show_error


class _Offer(NamedTuple):
    """One thing to download."""

    title: str
    ending: str  # of the file's name, after the run's name; this and the help may contain {epoch}
    mime: str
    icon: str
    help: str
    make: Callable[[Run, int], bytes | str]  # from a run and the chosen epoch


_LITERT = "LiteRT"
_EVERYTHING = "Everything"
_CSV = "text/csv"
_ZIP = "application/zip"

_OFFERS = {
    "To read": [
        _Offer(
            "Report",
            "-report.html",
            "text/html",
            ":material/article:",
            "Settings, curves, tables, the confusion matrix and all mistakes in one file that opens offline.",
            lambda run, epoch: make_report(run, run_dataset(run)),
        ),
        _Offer(
            "Keras script",
            ".py",
            "text/x-python",
            ":material/code:",
            "The same training and network in plain Keras, in one file.",
            lambda run, epoch: keras_script(run.read_config()[0], run.read()),
        ),
    ],
    "Tables": [
        _Offer(
            "Mistakes",
            "-epoch-{epoch}-mistakes.csv",
            _CSV,
            ":material/table:",
            "One row for each test image that was misread after epoch {epoch}.",
            lambda run, epoch: mistakes_csv(run.probabilities(epoch), run_dataset(run).test_labels, run.dataset()),
        ),
        _Offer(
            "Predictions",
            "-epoch-{epoch}-predictions.csv",
            _CSV,
            ":material/table:",
            "The probabilities of each of the test images after epoch {epoch}.",
            lambda run, epoch: predictions_csv(run.probabilities(epoch), run_dataset(run).test_labels, run.dataset()),
        ),
        _Offer(
            "Metrics",
            "-metrics.csv",
            _CSV,
            ":material/table:",
            "Loss and accuracy of every epoch and of the batches in between.",
            lambda run, epoch: metrics_csv(run.read()),
        ),
    ],
    "The trained model": [
        _Offer(
            "Keras",
            ".keras",
            "application/octet-stream",
            ":material/schema:",
            "For keras.saving.load_model of Keras 3.",
            lambda run, epoch: export_keras(run),
        ),
        _Offer(
            "SavedModel",
            "-savedmodel.zip",
            _ZIP,
            ":material/dns:",
            "For TensorFlow Serving: unzip it into its folder of models. Takes a few seconds.",
            lambda run, epoch: export_saved_model(run),
        ),
        _Offer(
            _LITERT,
            ".tflite",
            "application/octet-stream",
            ":material/smartphone:",
            "For phones and small devices. Takes a few seconds.",
            lambda run, epoch: export_litert(run),
        ),
    ],
    _EVERYTHING: [
        _Offer(
            "The whole run",
            ".zip",
            _ZIP,
            ":material/folder_zip:",
            "Settings, metrics, probabilities and networks of all epochs. *Load a run* on the Runs screen loads it, "
            "here or elsewhere.",
            lambda run, epoch: archive_run(run),
        ),
    ],
}


# What shows images of the data set, or their labels.
_OF_IMAGES = ("Report", "Mistakes", "Predictions")


def render_downloads(run: Run, epoch: int | None = None) -> None:
    """Show a download button for each file, which is made when the button is clicked.

    Args:
        run: Any run.
        epoch: The epoch whose predictions the tables hold, the newest by default. All else is of the whole run.
    """
    state = run.read().state
    epochs = run.epochs_with_probabilities()
    if not epochs or state == "damaged":
        st.info("A run that is damaged or has not finished an epoch has nothing to download.", icon=":material/info:")
        return
    left_out = () if can_export_litert() else (_LITERT,)
    try:
        run_dataset(run)
    except DatasetError as error:  # a click on the button would be too late
        show_error(str(error))
        left_out += _OF_IMAGES
    for title, offers in _OFFERS.items():
        if title == _EVERYTHING and (reason := _reason_against_archive(run, state)):
            st.caption(plain_text(reason))
            continue
        st.markdown(f"**{title}**")
        for offer in offers:
            if offer.title in left_out:
                continue
            with st.container(horizontal=True, vertical_alignment="center"):
                _render_offer(run, offer, epoch or epochs[-1])


def _reason_against_archive(run: Run, state: str) -> str:
    """Say why the whole run cannot be downloaded; empty if it can. A click on the button would be too late."""
    if state not in COMPLETE_STATES:
        return "The whole run can be downloaded once it is finished or stopped."
    try:
        archived_files(run)
    except RunStoreError as error:
        return str(error)
    return ""


def _render_offer(run: Run, offer: _Offer, epoch: int) -> None:
    st.download_button(
        offer.title,
        lambda: _as_bytes(offer.make(run, epoch)),
        f"{run.run_id}{offer.ending.format(epoch=epoch)}",
        mime=offer.mime,
        icon=offer.icon,
        key=f"take_{offer.ending}",
        on_click="ignore",
        width=170,
    )
    st.caption(offer.help.format(epoch=epoch))


def _as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
