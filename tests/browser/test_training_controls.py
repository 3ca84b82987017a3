"""Pause, resume, another learning rate and stop, from the screen to a real trainer."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil
from playwright.sync_api import Page, expect

from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.browser import TRAINING_TIMEOUT_MS, Server, wait_for

PAUSE_S = 2.0
REFRESHES_MS = 2_500


def start_training(server: Server, page: Page) -> Run:
    page.goto(f"{server.url}/train")
    for label, value in (("Epochs", 100), ("Training images", 3_000)):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(str(value))
        field.press("Tab")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_test_id("stMain").get_by_text("Starting: loading Keras")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text("images/s")).to_be_visible(timeout=TRAINING_TIMEOUT_MS)
    run = RunStore(server.runs_path).active_run()
    assert run
    return run


def test_training_does_what_is_asked_on_the_screen(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    run = start_training(server, page)
    progress = page.get_by_test_id("stMain").get_by_test_id("stProgress")
    trainer = psutil.Process(run.read_status().pid)

    # By keyboard: the button stays where it is and keeps the focus.
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    expect(progress).to_contain_text("· paused")
    assert run.read_status().state == "paused"
    used_s = sum(trainer.cpu_times()[:2])
    time.sleep(PAUSE_S)
    assert sum(trainer.cpu_times()[:2]) - used_s < 0.05 * PAUSE_S

    page.keyboard.press("Enter")
    expect(progress).to_contain_text("images/s")
    assert run.read_status().state == "running"

    # What is typed stays while the screen is drawn anew, and is taken only then.
    field = page.get_by_role("spinbutton", name="New learning rate")
    expect(field).to_have_attribute("placeholder", "now 0.001")
    field.press_sequentially("0.00")
    position = field.bounding_box()
    page.wait_for_timeout(REFRESHES_MS)
    expect(field).to_be_focused()
    assert field.bounding_box() == position, "it jumps"
    field.press_sequentially("03")
    expect(field).to_have_value("0.0003")
    assert run.read_controls().learning_rate is None
    field.press("Enter")
    expect(field).to_have_attribute("placeholder", "now 0.0003")
    expect(field).to_have_value("")
    (changed,) = [row for row in run.read().events if row.event == "learning_rate"]
    assert abs(changed.learning_rate - 0.0003) < 1e-8
    wait_for(page, lambda: run.read().batches[-1].step > changed.step + 10)
    later = {round(row.learning_rate, 7) for row in run.read().batches if row.step > changed.step}
    assert later == {0.0003}

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Back to these settings")).to_be_visible()
    expect(page.get_by_role("link", name="Draw a digit for it")).to_be_visible()
    snapshot = run.read()
    assert snapshot.state == "stopped"
    assert [row.event for row in snapshot.events] == ["paused", "resumed", "learning_rate", "stopped"]
    assert run.model_path.is_file()
