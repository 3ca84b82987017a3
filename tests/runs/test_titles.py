"""What a run is called on the screens."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.records import RunRecord
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.runs.titles import run_title, run_titles
from tests.support.runs import BUNDLED_RUN, PAPER_RUN

TODAY = date(2026, 11, 23)


def make_run(root: Path, name: str, **settings: object) -> Run:
    run = Run(root / name)
    run.path.mkdir(parents=True)
    run.write_config(TrainingConfig(**settings), RunRecord())  # type: ignore[arg-type]
    return run


@pytest.mark.parametrize(
    ("name", "images", "title"),
    [
        ("20261123-232235-custom-seed0", 12_000, "custom, 12,000 images, 23:22"),
        ("20261123-000005-paper-seed0", 60_000, "paper, 00:00"),
        ("20261123-232235-fast-seed7", 60_000, "fast, seed 7, 23:22"),
        ("20261101-090000-accurate-seed0", 60_000, "accurate, 1 Nov, 09:00"),
        ("20251123-232235-paper-seed0", 60_000, "paper, 23 Nov 2025, 23:22"),
        ("20261123-232235-custom-seed0", None, "custom, 23:22"),
        ("20261123-232235-paper-seed0-2", 60_000, "paper, 23:22 (2)"),
    ],
)
def test_title_says_what_a_run_is_and_leaves_out_what_is_usual(name: str, images: int | None, title: str) -> None:
    assert run_title(name, images, TODAY) == title


def test_title_without_a_today_has_the_whole_date() -> None:
    assert run_title("20261123-232235-paper-seed0", 60_000) == "paper, 23 Nov 2026, 23:22"


@pytest.mark.parametrize(
    "name",
    [
        BUNDLED_RUN.run_id,
        PAPER_RUN.run_id,
        "wider-strokes",
        "20261123-232235-custom-seed0 of Ann",
        "20261323-232235-custom-seed0",  # there is no such month
        "20261123-232235-mine-seed0",
        "20261123-232235-custom-seed0\n",
        "20261123-232235-custom-seed٣",
    ],
)
def test_given_name_is_the_title(name: str) -> None:
    assert run_title(name, 12_000, TODAY) == name


def test_name_of_a_new_run_gives_a_title(tmp_path: Path) -> None:
    name = RunStore(tmp_path).new_run_id(TrainingConfig(preset="custom", seed=3))
    assert run_title(name, 60_000, date.today()).startswith("custom, seed 3, ")


def test_runs_of_the_same_minute_have_seconds(tmp_path: Path) -> None:
    first, second, more = "20261123-232235-custom-seed0", "20261123-232257-custom-seed0", "20261123-232258-custom-seed0"
    make_run(tmp_path, first, preset="custom", training_images=12_000)
    make_run(tmp_path, second, preset="custom", training_images=12_000)
    make_run(tmp_path, more, preset="custom", training_images=30_000)
    assert run_titles(RunStore(tmp_path).own_runs(), TODAY) == {
        first: "custom, 12,000 images, 23:22:35",
        second: "custom, 12,000 images, 23:22:57",
        more: "custom, 30,000 images, 23:22",
    }


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"settings": {"training_images": "many"}})])
def test_damaged_settings_leave_the_rest_of_the_title(content: str | None, tmp_path: Path) -> None:
    run = make_run(tmp_path, "20261123-232235-custom-seed0", training_images=12_000)
    titles = [run_titles([run], TODAY)[run.run_id]]
    path = run.path / "config.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    titles.append(run_titles([run], TODAY)[run.run_id])
    assert titles == ["custom, 12,000 images, 23:22", "custom, 23:22"]
