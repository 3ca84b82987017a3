"""A run as one HTML file to hand on: it opens anywhere, needs no network and asks for none.

A browser holds it to that: the page's Content-Security-Policy forbids every request,
and every script but the two that are named there by their checksum. So even a
stranger's run whose names got past the escaping could load and start nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Collection, Sequence
from datetime import datetime
from string import Template
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from mnist_lib.config import PRESETS, SETTINGS, TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.metrics import digit_figures, measure_reliability, wilson_interval
from mnist_lib.evaluation.predictions import DIGITS, Mistakes, confusion_matrix, cross_entropy, find_mistakes
from mnist_lib.figures.evaluation import confusion_figure
from mnist_lib.figures.learning_curves import learning_curve_figure
from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.network.layers import NOT_THE_PAPERS, layer_table
from mnist_lib.paths import LIBRARY_PATH
from mnist_lib.runs.paper import (
    CLAIM_LABELS,
    NOT_MEASURED,
    PAPER_CLAIMS,
    TABLE_II,
    TEST_ACCURACY,
    TEST_LOSS,
    run_claims,
)
from mnist_lib.runs.records import DamagedRunError, RunRecord, RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.wording import a_digit, percent_text, setting_text

# A network that learned nothing misreads thousands; the file stays one to send by mail.
MAX_PICTURES = 500

# The page and its style sheet and script are files beside this one.
_FOLDER = LIBRARY_PATH / "export"
_LONG_TABLE = 25  # rows that still stand on the page in full
_SMOOTHING = 0.6  # as the screens draw the curves at first

_LICENCE = "https://creativecommons.org/licenses/by-sa/3.0/"


class _Section(NamedTuple):
    """A part of the page: its heading, and what stands below it as HTML."""

    heading: str
    content: str

    @property
    def anchor(self) -> str:
        return self.heading.lower().replace(" ", "-")


def make_report(run: Run, dataset: Dataset) -> str:
    """Return a page about a run, with all that it needs inside.

    It tells what the run reached after the newest epoch whose answers are kept, be
    it finished, stopped, failed or being trained still.

    Args:
        run: The run. What its files say may be a stranger's and is shown as text only.
        dataset: MNIST; the page holds the test images that the run misreads.

    Raises:
        DamagedRunError: The run has not finished an epoch, or a file of it is wrong.
    """
    snapshot = run.read()
    config = snapshot.config
    if snapshot.state == "damaged" or config is None:
        raise DamagedRunError(f"{run.run_id} is damaged: {snapshot.message}")
    epoch = max(run.epochs_with_probabilities(), default=None)
    probabilities = run.probabilities(epoch)
    matrix = confusion_matrix(probabilities, dataset.test_labels)
    mistakes = find_mistakes(probabilities, dataset.test_labels)
    mistakes = mistakes.select(np.argsort(-mistakes.confidences, kind="stable"))
    sections = [
        _Section("Beside the paper", _claims(snapshot, matrix)),
        _Section("Settings", _settings(config)),
        _Section("Trained with", _circumstances(snapshot.record)),
        _Section("Table I", _table_i(config)),
        _Section("Table II", _table_ii(snapshot)),
        _Section("Learning curves", _curves(snapshot)),
        _Section("Confusion matrix", _confusion(matrix)),
        _Section("Digit by digit", _digits(matrix)),
        _Section("Mistakes", _gallery(mistakes, dataset.test_images)),
    ]
    plotly, drawing = get_plotlyjs(), _read("report.js")
    return Template(_read("report.html")).substitute(
        policy=_policy(plotly, drawing),
        title=_escaped(f"{run.run_id}: {matrix.trace() / matrix.sum():.2%} of the test digits read correctly"),
        style=_read("report.css"),
        header=_header(snapshot, epoch, matrix, probabilities, dataset.test_labels) + _note(run),
        contents="".join(f'<li><a href="#{part.anchor}">{part.heading}</a></li>' for part in sections),
        sections="\n".join(
            f'<section aria-labelledby="{part.anchor}">\n<h2 id="{part.anchor}">{part.heading}</h2>\n'
            f"{part.content}\n</section>"
            for part in sections
        ),
        footer=_footer(),
        plotly=plotly,
        drawing=drawing,
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    """Return a Content-Security-Policy that allows these scripts and no request at all.

    Plotly writes a style sheet of its own, and no checksum can name what it writes.
    """
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    sources = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _header(
    snapshot: RunSnapshot, epoch: int | None, matrix: np.ndarray, probabilities: np.ndarray, labels: np.ndarray
) -> str:
    count, right = int(matrix.sum()), int(matrix.trace())
    reason = f": {snapshot.message}" if snapshot.message else ""
    figures = {
        "Test accuracy": (f"{right / count:.2%}", f"95% interval {_interval(right, count)}"),
        "Misread": (f"{count - right:,}", f"of {count:,} test digits"),
        "Test loss": (f"{cross_entropy(probabilities, labels):.4f}", "mean cross-entropy"),
        "Calibration error": (
            f"{measure_reliability(probabilities, labels).error:.2%}",
            "how far confidence and accuracy lie apart",
        ),
    }
    items = "".join(
        f'<div><dt>{label}</dt><dd>{value}</dd><dd class="quiet">{explanation}</dd></div>'
        for label, (value, explanation) in figures.items()
    )
    return (
        f"<h1>{_escaped(snapshot.run_id)}</h1>\n"
        f'<p class="state">A network that reads handwritten digits, after epoch {epoch}. '
        f"This run is {_escaped(snapshot.state + reason)}.</p>\n"
        f'<dl class="results">{items}</dl>\n'
    )


def _note(run: Run) -> str:
    note = run.read_note()
    return f'<p class="note" dir="auto">{_escaped(note)}</p>\n' if note else ""


def _claims(snapshot: RunSnapshot, matrix: np.ndarray) -> str:
    # A run cut off between two files has answers of an epoch whose row is missing; the answers count.
    claims = run_claims(snapshot)._replace(
        test_accuracy=f"{matrix.trace() / matrix.sum():.2%}", misclassified=f"{matrix.sum() - matrix.trace():,}"
    )
    return _table(
        "Beside the paper", ["", "This run", "The paper"], zip(CLAIM_LABELS, claims, PAPER_CLAIMS, strict=True)
    )


def _settings(config: TrainingConfig) -> str:
    paper = PRESETS["paper"]
    rows, differing = [], []
    for name, setting in SETTINGS.items():
        value, of_paper = getattr(config, name), getattr(paper, name)
        if name == "seed":  # the paper does not say its own
            rows.append((setting.label, setting_text(value), "", NOT_MEASURED))
            continue
        if value != of_paper:
            differing.append(len(rows))
        rows.append((setting.label, setting_text(value), "=≠"[value != of_paper], setting_text(of_paper)))
    changes = f"{len(differing)} settings differ" if len(differing) != 1 else "One setting differs"
    text = f"{changes} from the paper's." if differing else "All settings are the paper's."
    text = f"<p>Recipe: {_escaped(config.preset)}. {text}</p>\n"
    return text + _table("Settings", ["Setting", "This run", "", "The paper"], rows, marked=differing)


def _circumstances(record: RunRecord) -> str:
    facts = {
        "Device": record.device,
        "Precision": record.precision,
        "Versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "Begun": _moment(record.created_at) if record.created_at else "",
    }
    return _table("Trained with", ["", "This run"], [(name, value or NOT_MEASURED) for name, value in facts.items()])


def _moment(seconds: float) -> str:
    """Return a time of this machine's clock as text."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="minutes")


def _table_i(config: TrainingConfig) -> str:
    layers = layer_table(config)
    rows = [
        (row.kind, " × ".join(f"{size:,}" for size in row.output_shape), f"{row.parameters:,}", row.arithmetic)
        for row in layers
    ]
    total = ("Total", "", f"{sum(row.parameters for row in layers):,}", "all of them are trained")
    verdict = "Exactly the paper's network" if config.has_paper_network else NOT_THE_PAPERS.capitalize()
    text = f"<p>{verdict}: every layer, and how its number of parameters comes about.</p>\n"
    columns = ["Layer", "Output", "Parameters", "How it comes about"]
    return text + _table("Table I, the layers", columns, rows, total=total, kind="wide")


def _table_ii(snapshot: RunSnapshot) -> str:
    rows_read = snapshot.epochs
    table = {
        "Epoch": [f"{row['epoch']}" if row.get("complete", True) else f"{row['epoch']} (stopped)" for row in rows_read],
        "Time": [f"{row['seconds']:.1f} s" for row in rows_read],
        "Loss": [_figure_text(row["train_loss"]) for row in rows_read],
        "Accuracy": [_figure_text(row["train_accuracy"]) for row in rows_read],
    }
    if any(row.get("validation_loss") is not None for row in rows_read):
        table["Validation loss"] = [_figure_text(row.get("validation_loss")) for row in rows_read]
        table["Validation accuracy"] = [_figure_text(row.get("validation_accuracy")) for row in rows_read]
    table["Test loss"] = [_figure_text(row["test_loss"]) for row in rows_read]
    table["Test accuracy"] = [_figure_text(row["test_accuracy"]) for row in rows_read]
    table["Misread"] = [f"{row['misclassified']:,}" for row in rows_read]
    beyond = [""] * max(0, len(rows_read) - len(TABLE_II))
    of_paper = TABLE_II[: len(rows_read)]
    table["Paper: loss"] = [_figure_text(row.loss) for row in of_paper] + beyond
    table["Paper: accuracy"] = [_figure_text(row.accuracy) for row in of_paper] + beyond
    reached = {
        "Epoch": f"The paper, after {len(TABLE_II)}",
        "Test loss": _figure_text(TEST_LOSS),
        "Test accuracy": _figure_text(TEST_ACCURACY),
        "Misread": PAPER_CLAIMS.misclassified,
        "Paper: loss": _figure_text(TABLE_II[-1].loss),
        "Paper: accuracy": _figure_text(TABLE_II[-1].accuracy),
    }
    text = "<p>Loss and accuracy are means over the training images while they were learned from, as in the paper. "
    text += "The test images are read at the end of each epoch.</p>\n"
    rows = zip(*table.values(), strict=True)
    total = tuple(reached.get(name, "") for name in table)
    return text + _table("Table II, the epochs", list(table), rows, total=total, kind="numbers")


def _figure_text(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.4f}"


def _curves(snapshot: RunSnapshot) -> str:
    figures = []
    for quantity, axis in (("loss", ", on a logarithmic axis"), ("accuracy", "")):
        figure = learning_curve_figure(quantity, snapshot, "epoch", quantity == "loss", _SMOOTHING)
        description = f"The {quantity} over the epochs{axis}. The figures of each epoch stand in Table II."
        figures.append(_drawn(figure, description))
    text = f"<p>The smoothed mean over the training batches, with the raw values faint behind, smoothing {_SMOOTHING}; "
    text += "the figures on the test images, one an epoch, are exact.</p>\n"
    return f'{text}<div class="figures">{"".join(figures)}</div>'


def _confusion(matrix: np.ndarray) -> str:
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    frequent = np.argsort(-errors, axis=None, kind="stable")[:3]
    pairs = [(*divmod(int(place), 10), int(errors.flat[place])) for place in frequent if errors.flat[place]]
    named = ", ".join(f"{true} read as {answer} ({count:,} times)" for true, answer, count in pairs)
    text = f"<p>Most often: {named}.</p>\n" if pairs else "<p>No test digit is misread.</p>\n"
    rows = [(f"{digit}", *(f"{count:,}" for count in matrix[digit])) for digit in DIGITS]
    columns = ["True \\ predicted", *map(str, DIGITS)]
    return (
        text
        + _drawn(confusion_figure(matrix), "How many images of each digit are read as which. The table below has it.")
        + "<details><summary>The same as a table</summary>"
        + _table("Confusion matrix", columns, rows, kind="numbers")
        + "</details>"
    )


def _digits(matrix: np.ndarray) -> str:
    figures = digit_figures(matrix)
    rows = [
        (
            f"{digit}",
            f"{figures.support[digit]:,}",
            f"{matrix[digit, digit]:,}",
            _share_text(figures.recall[digit]),
            _interval(matrix[digit, digit], figures.support[digit]),
            _share_text(figures.precision[digit]),
            _share_text(figures.f1[digit]),
        )
        for digit in DIGITS
    ]
    columns = ["Digit", "Images", "Read correctly", "Recall", "95% interval of recall", "Precision", "F1"]
    text = (
        "<p>Recall is the share of the images of a digit that are read as it; precision the share of the answers "
        "of that digit that are right; F1 lies between them (their harmonic mean). The interval, Wilson's, says how "
        "far chance alone may have moved the recall of so few images.</p>\n"
    )
    return text + _table("Digit by digit", columns, rows, kind="numbers")


def _share_text(share: float) -> str:
    return f"{share:.2%}" if np.isfinite(share) else NOT_MEASURED  # of a digit that is never answered


def _interval(successes: int, count: int) -> str:
    low, high = wilson_interval(successes, count)
    return f"{low:.2%} to {high:.2%}"


def _gallery(mistakes: Mistakes, images: np.ndarray) -> str:
    count = len(mistakes.indices)
    shown = mistakes.select(slice(MAX_PICTURES))
    text = "<p>Below each image: the true digit → what the network reads, and how sure it is. The surest come first."
    if count > MAX_PICTURES:
        text += (
            f" Here are {MAX_PICTURES:,} of the {count:,} mistakes; {count - MAX_PICTURES:,} less sure ones are not."
        )
    # An image each: it has a name of its own for a screen reader, and prints where backgrounds do not.
    tiles = []
    for index, true_digit, answer, confidence in zip(*shown, strict=True):
        sure = _escaped(percent_text(confidence))
        alt = f"Test image {index}: {a_digit(true_digit)}, read as {answer}, {sure} sure"
        picture = picture_sheet(images[index : index + 1], columns=1)
        tiles.append(
            f'<li><img src="{picture}" alt="{alt}" title="{alt}" width="84" height="84">'
            f'<b>{true_digit} → {answer}</b> <span class="quiet">{sure}</span></li>'
        )
    return f'{text}</p>\n<ul class="gallery">{"".join(tiles)}</ul>' if count else "<p>There are none.</p>"


def _footer() -> str:
    made = datetime.now().strftime("%Y-%m-%d")
    return (
        f"<p>Made by MNIST live on {made}. The network, its claims and the tables I and II are Charlie Wilkin's, "
        "“Classification of Handwritten Digits using Convolutional Neural Networks in Tensorflow 2.0”.</p>\n"
        "<p>The images are from MNIST by Yann LeCun and Corinna Cortes and stand here, unchanged but for their size, "
        f'under <a rel="license noreferrer" href="{_LICENCE}">CC BY-SA 3.0</a>.</p>\n'
        "<p>This file holds all that it shows and loads nothing from anywhere.</p>"
    )


def _table(
    name: str,
    columns: Sequence[str],
    rows: Any,
    total: Sequence[str] | None = None,
    marked: Collection[int] = (),
    kind: str = "",
) -> str:
    """Return a table, each cell of it escaped; a long one scrolls within itself.

    Args:
        name: What a screen reader calls it.
        columns: The column's headings.
        rows: Cells as text, the row's heading first.
        total: A last row, set apart.
        marked: Which rows to bring out.
        kind: ``numbers`` where all but the first column are, ``wide`` where no cell is broken into lines.
    """

    def row_of(cells: Sequence[str], mark: str = "") -> str:
        heading, *others = map(_escaped, cells)
        return (
            f'<tr class="{mark}"><th scope="row">{heading}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>\n'
        )

    head = "".join(f'<th scope="col">{_escaped(column)}</th>' if column else "<td></td>" for column in columns)
    body = "".join(row_of(cells, "differs" if number in marked else "") for number, cells in enumerate(rows))
    foot = f"<tfoot>{row_of(total)}</tfoot>" if total else ""
    scrolling = "scroll long" if body.count("<tr") > _LONG_TABLE else "scroll"
    return (
        f'<div class="{scrolling}" role="region" aria-label="{_escaped(name)}" tabindex="0"><table class="{kind}">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>{foot}</table></div>"
    )


def _drawn(figure: go.Figure, description: str) -> str:
    """Return a place for a figure and, before it, what Plotly draws there.

    The background is the page's, and so is the colour of the text, by the style sheet:
    what Plotly writes into a figure would be readable in one of light and dark only.
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
    # Plotly writes "<" as \u003c in JSON, so that no text of a run ends the script.
    return (
        f'<figure><script type="application/json">{figure.to_json()}</script>'
        f'<div class="figure" role="img" aria-label="{_escaped(description)}"></div>'
        "<noscript>The figure needs JavaScript.</noscript></figure>\n"
    )


def _escaped(value: object) -> str:
    """Return anything as text that stands in HTML as it is, and in a file: JSON can name halves of characters."""
    return html.escape(str(value).encode("utf-8", "replace").decode("utf-8"))
