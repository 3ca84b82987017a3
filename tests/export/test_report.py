"""The report of a run shows its metrics, escapes untrusted text, and makes no request."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_lib.config import config_from_choices
from mnist_lib.data.dataset import Dataset
from mnist_lib.export import report
from mnist_lib.export.report import make_report
from mnist_lib.network.layers import count_parameters
from mnist_lib.runs.records import DamagedRunError, RunRecord, Status
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.wording import a_digit
from tests.support.runs import epoch_row, event_row

HOSTILE = "<script>alert(1)</script><img src=http://example.org/x onerror=alert(2)>\"' & \ud800"

# What may make a browser fetch something, with the tags that do.
FETCHING = ("src", "srcset", "data", "poster", "background", "action", "formaction", "manifest", "ping", "codebase")


class Page(HTMLParser):
    """A report as a browser would read it.

    Attributes:
        tags: Every start tag and its attributes, in order.
        tables: By the name a screen reader calls them; each a list of rows of text, heads and feet included.
        scripts: Attributes and text of each script.
        styles: The text of each style sheet, and each style attribute.
        text: All that is shown.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.text = ""
        self._rows: list[list[str]] = []
        self._raw = ""
        self._in_cell = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        self._raw = tag if tag in ("script", "style") else ""
        if "style" in values:
            self.styles.append(values["style"] or "")
        if tag == "script":
            self.scripts.append((values, ""))
        elif tag == "div" and values.get("role") == "region":
            self._rows = self.tables[values["aria-label"] or ""] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""
        self._in_cell = self._in_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self._raw == "script":
            values, text = self.scripts[-1]
            self.scripts[-1] = values, text + data
        elif self._raw == "style":
            self.styles.append(data)
        else:
            self.text += data
            if self._in_cell:
                self._rows[-1][-1] += data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [values for name, values in self.tags if name == tag]

    def figures(self) -> list[dict[str, Any]]:
        return [json.loads(text) for values, text in self.scripts if values.get("type") == "application/json"]


def bundled_run(name: str) -> Run:
    return next(run for run in RunStore(Path("nowhere")).bundled_runs() if run.run_id == name)


@pytest.fixture(scope="module", params=["pretrained-paper", "pretrained-accurate"])
def run(request: pytest.FixtureRequest) -> Run:
    return bundled_run(request.param)


@pytest.fixture(scope="module")
def page(run: Run, dataset: Dataset) -> Page:
    return Page(make_report(run, dataset))


def make_run(
    store: RunStore, probabilities: np.ndarray, state: Any = "interrupted", epochs: int = 1, **texts: Any
) -> Run:
    """Write a run by hand. ``texts``: run_id, message, preset, event, and what RunRecord takes."""
    run = Run(store.root / texts.pop("run_id", "by-hand"))
    (run.path / "epochs").mkdir(parents=True)
    status = Status(state, texts.pop("message", ""), epoch=epochs)
    event = texts.pop("event", "paused")
    settings = config_from_choices("paper").to_dict() | {"preset": texts.pop("preset", "paper")}
    run.write_config(config_from_choices("paper"), RunRecord(**texts))
    values = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(values | {"settings": settings}))
    run.write_status(status)
    run.append_metrics(event_row(event, step=10, elapsed_s=1.0))
    for epoch in range(1, epochs + 1):
        metrics = {"train_loss": None, "train_accuracy": 0.5, "test_loss": 0.25, "test_accuracy": 0.5}
        run.append_metrics(epoch_row(epoch, step=10 * epoch, elapsed_s=1.0, seconds=2.0, **metrics))
        run.save_probabilities(epoch, probabilities)
    return run


def certain(digits: np.ndarray) -> np.ndarray:
    return np.eye(10, dtype=np.float32)[digits]


def test_headline_equals_the_stored_probabilities(run: Run, page: Page, dataset: Dataset) -> None:
    probabilities = run.probabilities()
    right = int((probabilities.argmax(axis=1) == dataset.test_labels).sum())
    assert f"{right / 10_000:.2%}" in page.text
    assert f"Misread{10_000 - right}of 10,000 test digits" in page.text
    loss = -np.log(np.clip(probabilities[np.arange(10_000), dataset.test_labels].astype(np.float64), 1e-7, 1 - 1e-7))
    assert f"Test loss{loss.mean():.4f}" in page.text
    confidence = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == dataset.test_labels
    bins = np.ceil(confidence * 15).astype(int)
    error = sum(abs(confidence[bins == number].sum() - hits[bins == number].sum()) for number in range(16)) / 10_000
    assert f"Calibration error{error:.2%}" in page.text
    assert page.tables["Beside the paper"][1][:2] == ["Test accuracy", f"{right / 10_000:.2%}"]
    assert page.tables["Beside the paper"][2][:2] == ["Misread of 10,000", f"{10_000 - right}"]


def test_digits_and_confusion_equal_the_stored_probabilities(run: Run, page: Page, dataset: Dataset) -> None:
    labels, answers = dataset.test_labels, run.probabilities().argmax(axis=1)
    for digit, row in enumerate(page.tables["Digit by digit"][1:]):
        hits = int(((labels == digit) & (answers == digit)).sum())
        recall, precision = hits / (labels == digit).sum(), hits / (answers == digit).sum()
        f1 = 2 * recall * precision / (recall + precision)
        assert row[:4] == [f"{digit}", f"{(labels == digit).sum():,}", f"{hits:,}", f"{recall:.2%}"]
        low, high = (float(end.removesuffix("%")) / 100 for end in row[4].split(" to "))
        assert low < recall < high
        assert row[5:] == [f"{precision:.2%}", f"{f1:.2%}"]
        counts = [f"{((labels == digit) & (answers == other)).sum():,}" for other in range(10)]
        assert page.tables["Confusion matrix"][digit + 1] == [f"{digit}", *counts]


def test_gallery_shows_every_mistake_with_its_image_the_surest_first(run: Run, page: Page, dataset: Dataset) -> None:
    probabilities = run.probabilities()
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != dataset.test_labels)
    images = page.find("img")
    shown = [int(str(values["alt"]).split()[2].rstrip(":")) for values in images]
    assert sorted(shown) == wrong.tolist()
    assert (np.diff(probabilities[shown].max(axis=1)) <= 0).all()
    for index, values in zip(shown, images, strict=True):
        label, answer = dataset.test_labels[index], probabilities[index].argmax()
        sure = f"{probabilities[index].max():.1%}".replace("100.0%", ">99.9%")
        assert values["alt"] == f"Test image {index}: {a_digit(label)}, read as {answer}, {sure} sure"
        picture = base64.b64decode(str(values["src"]).removeprefix("data:image/png;base64,"))
        assert (np.array(Image.open(io.BytesIO(picture))) == dataset.test_images[index]).all()


def test_table_ii_has_every_epoch_beside_the_papers(run: Run, page: Page) -> None:
    epochs = run.read().epochs
    head, *rows, of_paper = page.tables["Table II, the epochs"]
    assert len(rows) == len(epochs)
    for row, epoch in zip(rows, epochs, strict=True):
        cells = dict(zip(head, row, strict=True))
        assert cells["Epoch"] == str(epoch.epoch)
        assert cells["Loss"] == f"{epoch.train_loss:.4f}"
        assert cells["Test accuracy"] == f"{epoch.test_accuracy:.4f}"
        assert cells["Misread"] == str(epoch.misclassified)
    assert [row[head.index("Paper: loss")] for row in rows[:5]] == ["0.1559", "0.0564", "0.0393", "0.0293", "0.0243"]
    assert of_paper[head.index("Test accuracy")] == "0.9921"


def test_settings_that_differ_from_the_papers_are_marked(dataset: Dataset) -> None:
    run = bundled_run("pretrained-accurate")
    rows = {row[0]: row[1:] for row in Page(make_report(run, dataset)).tables["Settings"]}
    assert rows["Epochs"] == ["18", "≠", "5"]
    assert rows["Optimizer"] == ["muon", "≠", "adam"]
    assert rows["Dropout"] == ["0.2", "=", "0.2"]
    assert rows["Seed"] == ["2", "", "–"]
    assert {name for name, row in rows.items() if row[1] == "≠"} == {
        "Epochs", "Batch size", "Learning rate", "Schedule", "Optimizer", "Shift, pixels", "Rotation, degrees", "Zoom",
        "Continental forms", "Epochs on the middle", "Label smoothing", "Precision",
    }  # fmt: skip


def test_table_i_and_circumstances(run: Run, page: Page) -> None:
    snapshot = run.read()
    assert snapshot.config
    assert page.tables["Table I, the layers"][-1][2] == f"{count_parameters(snapshot.config):,}"
    rows = dict(page.tables["Trained with"][1:])
    assert rows["Device"] == snapshot.record.device
    assert f"keras {snapshot.record.versions['keras']}" in rows["Versions"]


@pytest.mark.parametrize(("onednn", "text"), [(True, "on"), (False, "off"), (None, "–")])
def test_onednn_is_told_where_it_is_recorded(onednn: bool | None, text: str, store: RunStore, dataset: Dataset) -> None:
    run = make_run(store, certain(dataset.test_labels), onednn=onednn)
    assert dict(Page(make_report(run, dataset)).tables["Trained with"][1:])["oneDNN"] == text


def test_results_are_those_of_the_run(run: Run, page: Page) -> None:
    loss, accuracy, confusion = page.figures()
    assert [figure["layout"]["title"]["text"] for figure in (loss, accuracy)] == ["Loss", "Accuracy"]
    assert confusion["data"][0]["type"] == "heatmap"
    (test,) = [trace for trace in accuracy["data"] if trace["name"] == "test"]
    values = np.frombuffer(base64.b64decode(test["y"]["bdata"]), np.float32)
    assert values == pytest.approx([row.test_accuracy for row in run.read().epochs])


def test_nothing_is_fetched_and_only_the_named_scripts_may_run(page: Page) -> None:
    for tag, values in page.tags:
        fetched = [values[name] or "" for name in FETCHING if name in values]
        fetched += [values["href"] or ""] if tag != "a" and "href" in values else []
        assert all(address.startswith("data:") for address in fetched), tag
    for style in page.styles:
        assert "@import" not in style
        assert re.findall(r"url\(", style) == []
    policies = [values for values in page.find("meta") if values.get("http-equiv") == "Content-Security-Policy"]
    policy = dict(part.strip().split(" ", 1) for part in str(policies[0]["content"]).split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data:"
    running = [text for values, text in page.scripts if values.get("type") != "application/json"]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert policy["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert len(running) == 2
    # It must stand before all that it is to govern.
    assert [tag for tag, _ in page.tags[:4]] == ["html", "head", "meta", "meta"]
    assert "http-equiv" in page.tags[3][1]


def test_a_strangers_words_are_text_only(store: RunStore, dataset: Dataset) -> None:
    probabilities = certain(dataset.test_labels)
    texts: dict[str, Any] = {name: HOSTILE for name in ("message", "preset", "device", "precision")}
    texts["event"] = HOSTILE.replace("\ud800", "")  # no row with half a character is read
    run = make_run(
        store,
        probabilities,
        "failed",
        run_id="<b onclick=1>&",
        versions={HOSTILE: HOSTILE},
        created_at=0.0,
        **texts,
    )
    run.path.joinpath("note.txt").write_text(f"A note.\n{HOSTILE}", encoding="utf-8", errors="surrogatepass")
    source = make_report(run, dataset)
    source.encode()  # halves of characters could not be written to a file
    page = Page(source)
    plain = Page(make_report(make_run(store, probabilities, run_id="plain", message="A reason."), dataset))
    assert [tag for tag, _ in page.tags if tag != "p"] == [tag for tag, _ in plain.tags if tag != "p"]
    assert not any(name.startswith("on") for _, values in page.tags for name in values)
    shown = HOSTILE.replace("\ud800", "?")
    assert f"This run is failed: {shown}" in page.text
    assert "<b onclick=1>&" in page.text
    rows = dict(page.tables["Trained with"][1:])
    assert rows["Device"] == rows["Precision"] == shown
    assert shown in rows["Versions"]
    assert rows["Started"] == "–"
    for figure in page.figures()[:2]:
        assert "&lt;script&gt;" in figure["layout"]["annotations"][0]["hovertext"]


@pytest.mark.parametrize("state", ["stopped", "interrupted", "failed"])
def test_run_that_ended_early_is_reported(run_copy: Run, dataset: Dataset, state: Any) -> None:
    run_copy.write_status(Status(state, "a reason", epoch=2))
    run_copy.note_path.write_text("It was the <first> one.")
    page = Page(make_report(run_copy, dataset))
    assert f"after epoch 2. This run is {state}: a reason." in page.text
    assert "It was the <first> one." in page.text
    wrong = int((run_copy.probabilities(2).argmax(axis=1) != dataset.test_labels).sum())
    assert f"Misread{wrong:,}of 10,000" in page.text


def test_heading_is_the_title_and_the_folder_is_named_once(store: RunStore, dataset: Dataset) -> None:
    run = make_run(store, certain(dataset.test_labels), run_id="20261123-232235-paper-seed3")
    page = Page(make_report(run, dataset))
    assert page.text.count("paper, seed 3, 23 Nov 2026, 23:22") == 2  # the title of the page, and its heading
    assert dict(page.tables["Trained with"][1:])["Folder"] == run.run_id
    assert page.text.count(run.run_id) == 1


def test_answers_without_their_row_count(store: RunStore, dataset: Dataset) -> None:
    run = make_run(store, certain(np.zeros(10_000, int)))
    run.save_probabilities(2, certain(dataset.test_labels))  # and then the power went
    page = Page(make_report(run, dataset))
    assert "after epoch 2." in page.text
    assert page.tables["Beside the paper"][1][1] == "100.00%"
    assert "No test digit is misread." in page.text
    assert page.find("img") == []


def test_of_very_many_mistakes_some_are_shown_and_the_rest_counted(
    store: RunStore, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_PICTURES", 20)
    page = Page(make_report(make_run(store, certain(np.zeros(10_000, int)), epochs=40), dataset))
    assert len(page.find("img")) == 20
    assert "Only the 20 surest of the 9,020 mistakes are shown." in page.text
    assert page.tables["Digit by digit"][2][3:] == ["0.00%", "0.00% to 0.34%", "–", "0.00%"]
    assert len(page.tables["Table II, the epochs"]) == 42
    assert "scroll long" in [values.get("class") for values in page.find("div")]


def test_without_an_epoch_there_is_no_report(store: RunStore, dataset: Dataset) -> None:
    run = make_run(store, np.zeros(0), epochs=0)
    with pytest.raises(DamagedRunError, match=r"^by-hand has not finished an epoch$"):
        make_report(run, dataset)
    (run.path / "status.json").unlink()
    with pytest.raises(DamagedRunError, match=r"^The run is damaged: status\.json is missing$"):
        make_report(run, dataset)


def test_headings_tables_and_pictures_are_named(page: Page) -> None:
    anchors = [values["href"] for values in page.find("a")][:-1]
    assert anchors == [f"#{values['id']}" for values in page.find("h2")]
    assert len(page.find("h1")) == 1
    assert all(values.get("scope") in ("col", "row") for values in page.find("th"))
    assert all(values.get("alt") for values in page.find("img"))
    named = [values for values in page.find("div") if values.get("role") == "img"]
    assert len(named) == len(page.figures()) == 3
    assert all(values.get("aria-label") for values in named)
