"""A run as one HTML file to share: it opens anywhere and makes no network requests.

The page's Content-Security-Policy enforces this: it forbids every request, and every script
except two, which it names by checksum. So even an untrusted run whose texts got past the
escaping could not load or run anything.

The page is ``report.html``, a Jinja template, with its style sheet and script; its values are computed here.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from mnist_lib.config import PRESETS, SETTINGS, TrainingConfig
from mnist_lib.data.dataset import Dataset, DatasetDescription
from mnist_lib.evaluation.metrics import digit_metrics, measure_reliability, wilson_interval
from mnist_lib.evaluation.predictions import Mistakes, confusion_matrix, cross_entropy, find_mistakes
from mnist_lib.figures.evaluation import confusion_figure
from mnist_lib.figures.learning_curves import learning_curve_figure
from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.network.layers import NOT_THE_PAPERS, layer_columns
from mnist_lib.paths import LIBRARY_PATH
from mnist_lib.runs.paper import CLAIM_LABELS, NOT_MEASURED, PAPER_CLAIMS, epoch_columns, run_claims
from mnist_lib.runs.records import DamagedRunError, RunRecord, RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.runs.titles import run_title
from mnist_lib.wording import percent_text, setting_text

# A network that learned nothing misreads thousands; the file must stay small enough for mail.
MAX_PICTURES = 500

_FOLDER = LIBRARY_PATH / "export"
_SMOOTHING = 0.6  # the screens' default

# A table as text: its columns by heading, all of the same length.
_Columns = dict[str, list[str]]


def make_report(run: Run, dataset: Dataset) -> str:
    """Return a self-contained page about a run.

    It shows the results after the newest epoch whose probabilities are kept, whether the
    run is finished, stopped, failed or still being trained.

    Args:
        run: The run. Its files are not trusted, and their content is shown only as text.
        dataset: The data set of the run; the page holds the test images that the run misreads.

    Raises:
        DamagedRunError: The run has not finished an epoch, or a file of it is wrong.
    """
    import jinja2  # not at the top: the screens start without it

    snapshot = run.read()
    config = snapshot.config
    if snapshot.state == "damaged" or config is None:
        raise DamagedRunError(f"The run is damaged: {snapshot.message}")
    epoch = max(run.epochs_with_probabilities(), default=None)
    probabilities = run.probabilities(epoch)
    matrix = confusion_matrix(probabilities, dataset.test_labels)
    mistakes = find_mistakes(probabilities, dataset.test_labels)
    misread, data = len(mistakes.indices), dataset.description
    surest = mistakes.select(np.argsort(-mistakes.confidences, kind="stable")[:MAX_PICTURES])
    settings, differing = _settings(config)
    plotly, drawing = get_plotlyjs(), _read("report.js")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(_read("report.html")).render(
        zip=zip,
        policy=_policy(plotly, drawing),
        style=_read("report.css"),
        plotly=plotly,
        drawing=drawing,
        title=run_title(run.run_id, config.training_images, dataset=data),
        data=data,
        epoch=epoch,
        state=snapshot.state,
        message=snapshot.message,
        note=run.read_note(),
        accuracy=f"{matrix.trace() / matrix.sum():.2%}",
        results=_results(matrix, probabilities, dataset),
        claims=_claims(snapshot, matrix),
        preset=config.preset,
        settings=settings,
        differing=differing,
        circumstances=_circumstances(run.run_id, snapshot.record),
        verdict="Exactly the paper's network" if config.has_paper_network else NOT_THE_PAPERS.capitalize(),
        layers=layer_columns(config),
        epochs=epoch_columns(snapshot.epochs, beside_paper=data.is_mnist),
        smoothing=_SMOOTHING,
        loss_figure=_on_the_page(learning_curve_figure("loss", snapshot, "epoch", True, _SMOOTHING)),
        accuracy_figure=_on_the_page(learning_curve_figure("accuracy", snapshot, "epoch", False, _SMOOTHING)),
        confused=_most_confused(matrix, data),
        confusion_figure=_on_the_page(confusion_figure(matrix, dataset=data)),
        confusion=_confusion(matrix, data),
        classes=_classes(matrix, data),
        mistakes=_pictures(surest, dataset),
        misread=f"{misread:,}",
        some_left_out=misread > MAX_PICTURES,
        today=datetime.now().strftime("%Y-%m-%d"),
    )
    # JSON can hold lone surrogates, which cannot be encoded.
    return page.encode("utf-8", "replace").decode("utf-8")


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Return a Content-Security-Policy that allows these scripts and no request at all.

    Plotly adds its own style sheet at run time, so styles cannot be named by checksum.
    """
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    sources = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _results(matrix: np.ndarray, probabilities: np.ndarray, dataset: Dataset) -> list[tuple[str, str, str]]:
    """Return the headline results, each with a label, a value and an explanation."""
    count, right = int(matrix.sum()), int(matrix.trace())
    calibration_error = measure_reliability(probabilities, dataset.test_labels).error
    return [
        ("Test accuracy", f"{right / count:.2%}", f"95% interval {_interval(right, count)}"),
        ("Misread", f"{count - right:,}", f"of {count:,} test {dataset.description.noun}s"),
        ("Test loss", f"{cross_entropy(probabilities, dataset.test_labels):.4f}", "mean cross-entropy"),
        ("Calibration error", f"{calibration_error:.2%}", "mean difference of confidence and accuracy"),
    ]


def _claims(snapshot: RunSnapshot, matrix: np.ndarray) -> _Columns:
    # A run that broke off between two files may have probabilities without an epoch row; these count.
    claims = run_claims(snapshot)._replace(
        test_accuracy=f"{matrix.trace() / matrix.sum():.2%}", misclassified=f"{matrix.sum() - matrix.trace():,}"
    )
    return {"": list(CLAIM_LABELS), "This run": list(claims), "The paper": list(PAPER_CLAIMS)}


def _settings(config: TrainingConfig) -> tuple[_Columns, int]:
    """Return the settings beside the paper's, and how many of them differ."""
    columns: _Columns = {"Setting": [], "This run": [], "": [], "The paper": []}
    for name, setting in SETTINGS.items():
        value, of_paper = getattr(config, name), getattr(PRESETS["paper"], name)
        sign = "≠" if value != of_paper else "="
        if name == "seed":  # the paper does not state its seed
            sign, of_paper = "", NOT_MEASURED
        cells = (setting.label, setting_text(value), sign, setting_text(of_paper))
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
    return columns, columns[""].count("≠")


def _circumstances(run_id: str, record: RunRecord) -> _Columns:
    facts = {
        "Folder": run_id,
        "Data set": record.dataset.name,
        **({"Began from": record.handwriting.begun_from} if record.handwriting else {}),
        "Device": record.device,
        "Precision": record.precision,
        "oneDNN": {True: "on", False: "off", None: ""}[record.onednn],
        "Versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "Started": _moment(record.created_at) if record.created_at else "",
    }
    return {"": list(facts), "This run": [fact or NOT_MEASURED for fact in facts.values()]}


def _moment(seconds: float) -> str:
    """Return a time as text, in this machine's time zone."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="minutes")


def _most_confused(matrix: np.ndarray, data: DatasetDescription) -> list[tuple[str, str, str]]:
    """Return the three most frequent mistakes: true class, answer, and how often."""
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    frequent = np.argsort(-errors, axis=None, kind="stable")[:3]
    names = data.class_names
    places = [(*divmod(int(place), data.classes), errors.flat[place]) for place in frequent]
    return [(names[label], names[answer], f"{count:,}") for label, answer, count in places if count]


def _confusion(matrix: np.ndarray, data: DatasetDescription) -> _Columns:
    columns = {
        name: [f"{count:,}" for count in counts] for name, counts in zip(data.class_names, matrix.T, strict=True)
    }
    return {"True \\ predicted": list(data.class_names), **columns}


def _classes(matrix: np.ndarray, data: DatasetDescription) -> _Columns:
    scores = digit_metrics(matrix)
    right = matrix.diagonal()
    return {
        "Digit" if data.is_mnist else "Class": list(data.class_names),
        "Images": [f"{count:,}" for count in scores.support],
        "Read correctly": [f"{count:,}" for count in right],
        "Recall": [_share_text(share) for share in scores.recall],
        "95% interval of recall": [_interval(*counts) for counts in zip(right, scores.support, strict=True)],
        "Precision": [_share_text(share) for share in scores.precision],
        "F1": [_share_text(share) for share in scores.f1],
    }


def _share_text(share: float) -> str:
    return f"{share:.2%}" if np.isfinite(share) else NOT_MEASURED  # a class that is never predicted


def _interval(successes: int, count: int) -> str:
    low, high = wilson_interval(successes, count)
    return f"{low:.2%} to {high:.2%}"


def _pictures(mistakes: Mistakes, dataset: Dataset) -> list[tuple[Any, ...]]:
    """Return each mistake's index, class, class with its article, answer, confidence as text, and image as URL."""
    data, images = dataset.description, dataset.test_images
    return [
        (
            index,
            data.class_names[label],
            data.a_class(label),
            data.class_names[answer],
            percent_text(confidence),
            picture_sheet(images[index, None], columns=1),
        )
        for index, label, answer, confidence in zip(*mistakes, strict=True)
    ]


def _on_the_page(figure: go.Figure) -> go.Figure:
    """Return a figure as the page shows it.

    Background and text colour come from the page's style sheet: colours written by Plotly
    would be readable in only one of light and dark mode.
    """
    line = "rgba(128,128,128,0.28)"
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        hoverlabel={"bgcolor": "#ffffff", "bordercolor": "#94a3b8"},
        dragmode=False,
    )
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(gridcolor=line, zerolinecolor=line, linecolor=line, automargin=True, fixedrange=True)
    return figure
