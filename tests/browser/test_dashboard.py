"""The dashboard as a person uses it, in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs.store import RunStore
from tests.support.browser import (
    SCREENS,
    TRAINING_TIMEOUT_MS,
    HeldMessages,
    Server,
    StartServer,
    expect_screen,
    go_to,
    wait_for,
    wait_until_drawn,
)
from tests.support.runs import result_of, title_of


def start_training(page: Page, epochs: int, images: int) -> None:
    for label, value in (("Epochs", epochs), ("Training images", images)):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(str(value))
        field.press("Tab")
    page.get_by_role("button", name="Start training").click()


def check_that_a_digit_turns_right_in_sight(page: Page) -> None:
    """Follow the digits from the untrained network into the first epoch."""
    line = page.get_by_text("of 20 test digits read correctly")
    expect(line).to_contain_text("without any training", timeout=TRAINING_TIMEOUT_MS)
    at_first = page.locator(".watched .right").count()
    expect(line).to_contain_text("in epoch 1, step ", timeout=TRAINING_TIMEOUT_MS)
    wait_for(page, lambda: page.locator(".watched .right").count() > at_first)
    for element in (page.locator(".watched"), page.locator(".filters"), page.get_by_text("Misread of a sample of")):
        expect(element).to_be_in_viewport(ratio=1)


def wait_for_curves(page: Page) -> None:
    # Python, Keras and the tracing of the network come first.
    expect(main_progress(page)).to_contain_text("images/s", timeout=TRAINING_TIMEOUT_MS)


def main_progress(page: Page) -> Locator:
    return page.get_by_test_id("stMain").get_by_test_id("stProgress")


def wait_for_points(page: Page, more_than: int = 0) -> int:
    """Wait until the drawn training curve has more points than that, and return how many."""
    # The figure is drawn anew about once a second, and without points before the first batches.
    points = page.wait_for_function(
        """more_than => {
            const plot = document.querySelector('[role="img"][aria-label^="Loss"]');
            const points = plot?._fullData?.find(trace => trace.name === 'train')?.x.length ?? 0;
            return points > more_than && points;
        }""",
        arg=more_than,
    )
    return points.json_value()


def loads_tensorflow(pid: int) -> bool:
    return any("tensorflow" in mapped.path for mapped in psutil.Process(pid).memory_maps())


@pytest.fixture(scope="module")
def train_page(shared_server: Server, profile: BrowserContext) -> Iterator[Page]:
    """Train with the shipped paper's run, in a window to be made wider and narrower."""
    page = profile.new_page()
    page.goto(f"{shared_server.url}/train?run=pretrained-paper")
    yield page
    page.close()


@pytest.mark.parametrize("width", [700, 820, 1024, 1280, 1440])
def test_train_breaks_no_word_and_cuts_no_column_off(train_page: Page, width: int) -> None:
    page = train_page
    page.set_viewport_size({"width": width, "height": 768})
    last_header = page.get_by_role("columnheader", name="Paper: accuracy")
    last_header.scroll_into_view_if_needed()
    expect(last_header).to_be_in_viewport(ratio=1)
    broken = page.get_by_test_id("stMain").evaluate(
        """main => {
          const texts = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), broken = [];
          for (let text = texts.nextNode(); text; text = texts.nextNode()) {
            if (text.parentElement.closest("svg, style, script")) continue;
            for (const word of text.data.matchAll(/\\p{L}+/gu)) {
              const range = document.createRange();
              range.setStart(text, word.index);
              range.setEnd(text, word.index + word[0].length);
              const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
              if (lines.size > 1) broken.push(word[0]);
            }
          }
          return broken;
        }"""
    )
    assert broken == []


def test_no_screen_loads_tensorflow_or_asks_another_server_and_a_trainer_does(
    start_server: StartServer, page: Page
) -> None:
    server = start_server()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"{server.url}/mistakes")  # the first request of a new server
    expect_screen(page, "Mistakes")
    assert not loads_tensorflow(server.process.pid)
    for name in SCREENS:
        go_to(page, name)
    assert not loads_tensorflow(server.process.pid)
    assert not [url for url in requested if not url.startswith((server.url, "data:", "blob:"))]
    go_to(page, "Train")
    start_training(page, epochs=1, images=640)
    # Without this, the look at the server could find nothing ever.
    started = psutil.Process(server.process.pid).children
    wait_for(page, lambda: any(loads_tensorflow(trainer.pid) for trainer in started()))
    assert not loads_tensorflow(server.process.pid)


@pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="Linux tells what a process watches")
def test_server_watches_no_tree_of_folders(shared_server: Server, page: Page) -> None:
    """Of those below an environment some versions of watchdog never come to an end."""
    page.goto(f"{shared_server.url}/dataset")
    expect(page.get_by_role("heading", level=1, name="Dataset")).to_be_visible()
    for path in Path(f"/proc/{shared_server.process.pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            assert "inotify wd" not in path.read_text()


def test_digits_turn_right_at_once_and_the_training_runs_on_while_screens_change(
    start_server: StartServer, page: Page
) -> None:
    server = start_server()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{server.url}/train")
    start_training(page, epochs=100, images=60_000)
    check_that_a_digit_turns_right_in_sight(page)
    run = RunStore(server.runs_path).active_run()
    assert run
    assert run.read().epochs == [], "the epoch is over"
    wait_for_curves(page)
    expect(page).to_have_url(re.compile(f"run={run.run_id}"))
    wait_for_points(page, more_than=wait_for_points(page))

    go_to(page, "Dataset")
    expect(page.get_by_test_id("stSidebar").get_by_text(re.compile(r"Training \d+%"))).to_have_count(1)
    step = run.read_status().step

    other_tab = page.context.new_page()
    other_tab.goto(f"{server.url}/train")
    wait_for_curves(other_tab)
    expect(other_tab.get_by_role("heading", name=title_of(run))).to_be_visible()
    expect(other_tab.get_by_role("button", name="Queue training")).to_be_visible()

    go_to(page, "Train")
    wait_for_curves(page)
    wait_for(page, lambda: run.read_status().step > step)  # it went on behind the other screen
    page.get_by_role("button", name="Stop", exact=True).click()
    badge = page.get_by_test_id("stMain").get_by_test_id("stMarkdown").get_by_text("stopped", exact=True)
    # As the curves say it, too. The trainer has the lowest priority: a busy machine lets it wait.
    expect(badge).to_be_visible(timeout=TRAINING_TIMEOUT_MS)
    expect(other_tab.get_by_role("button", name="Start training")).to_be_visible()
    other_tab.close()

    snapshot = run.read()
    assert snapshot.state == "stopped"
    assert run.model_path.is_file()
    assert not run.live_path.exists()
    assert result_of(run).test_accuracy > 0.5
    page.get_by_role("link", name=re.compile("Its .* mistakes")).click()
    expect_screen(page, "Mistakes")
    expect(page.get_by_text(f"are misread by {title_of(run)}")).to_be_visible()


def test_training_survives_the_server_and_its_own_death_is_seen(start_server: StartServer, page: Page) -> None:
    server = start_server()
    page.goto(f"{server.url}/train")
    start_training(page, epochs=100, images=1_000)
    wait_for_curves(page)
    server.kill()
    server = start_server(server.port)
    page.goto(f"{server.url}/train")
    wait_for_curves(page)
    run = RunStore(server.runs_path).active_run()
    assert run, "the training did not survive the server"
    wait_for(page, lambda: run.read().epochs)
    os.kill(run.read_status().pid, signal.SIGKILL)
    warning = page.get_by_text("This run is interrupted: the trainer ended unexpectedly.")
    page.goto(f"{server.url}/train?run={run.run_id}")
    expect(warning).to_be_visible()
    go_to(page, "Mistakes")  # what it had finished is still there
    expect(page.get_by_text(f"are misread by {title_of(run)}")).to_be_visible()


def test_setting_out_of_range_starts_nothing(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/train")
    start_training(page, epochs=500, images=1_000)
    expect(page.get_by_text("Epochs must be a whole number from 1 to 100, not 500.")).to_be_visible()
    assert RunStore(shared_server.runs_path).own_runs() == []


def test_dataset_shows_the_pixels_of_the_digit_that_is_clicked(shared_server: Server, page: Page) -> None:
    image = load_mnist().train_images[7]
    page.goto(f"{shared_server.url}/dataset")
    page.get_by_role("button", name="3 #7", exact=True).click()
    expect(page.get_by_role("heading", name="Number 7: a 3")).to_be_visible()
    cells = page.locator(".pixel-grid span")
    expect(cells).to_have_count(784)
    expect(cells.nth(int(image.ravel().argmax()))).to_have_text(str(image.max()))
    page.get_by_role("radio", name="divided by 255").click()
    expect(cells.nth(int(image.ravel().argmax()))).to_have_text(f"{image.max() / 255:.2f}".removeprefix("0"))


def test_the_chosen_run_stays_in_the_address(shared_server: Server, shared_store: RunStore, page: Page) -> None:
    run_path = shared_store.root / "20260101-000000-paper-seed9"
    run_path.mkdir(parents=True)
    (run_path / "config.json").write_text(json.dumps({"settings": {}}))
    page.goto(f"{shared_server.url}/model?run={run_path.name}")
    expect_screen(page, "Model")
    for name in ("Train", "Overview", "Mistakes"):
        go_to(page, name)
        expect(page.get_by_test_id("stSidebar").get_by_text("status.json is missing.")).to_be_visible()
        expect(page).to_have_url(re.compile(f"run={run_path.name}"))


def test_slow_screen_offers_no_stop_which_a_training_has_too(shared_server: Server, page: Page) -> None:
    messages = HeldMessages(page)
    page.goto(f"{shared_server.url}/train")
    wait_until_drawn(page)
    messages.holds_answers = True
    page.get_by_role("link", name="Dataset").click()
    wait_for(page, lambda: len(messages) >= 2)
    messages.send(2)  # that a screen begins, but nothing of it
    expect(page.get_by_test_id("stStatusWidgetRunningIcon")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    messages.release()
    expect_screen(page, "Dataset")


def test_server_listens_on_this_machine_alone(shared_server: Server) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(shared_server.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
