"""The queue, from two clicks on Start to the second training, with real trainers."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from mnist_lib.config import TrainingConfig
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.store import RunStore
from tests.browser.test_training_controls import start_training
from tests.support.browser import Server, wait_for


def test_second_training_waits_is_paused_goes_on_and_begins_by_itself(
    start_server: Callable[..., Server], page: Page
) -> None:
    server = start_server()
    first = start_training(server, page)
    store = RunStore(server.runs_path)
    queue = RunQueue(store)
    main = page.get_by_test_id("stMain")

    page.get_by_text("Settings of the next training").click()
    for label, value in (("Epochs", 1), ("Training images", 64)):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(str(value))
        field.press("Tab")
    page.get_by_role("button", name="Queue training").click()
    expect(main.get_by_text("1 waiting")).to_be_visible()
    expect(main.get_by_text("begins in")).to_be_visible()
    (entry,) = queue.waiting()
    assert entry.run.read().config == TrainingConfig("custom", epochs=1, training_images=64)
    page.get_by_role("button", name="Queue training").click()
    expect(main.get_by_text("2 waiting")).to_be_visible()
    second = queue.waiting()[1]

    page.get_by_role("button", name="Pause the queue").click()
    expect(main.get_by_text("queue paused")).to_be_visible()
    page.get_by_role("button", name="Move up").nth(1).click()
    wait_for(page, lambda: queue.waiting()[0].run == second.run)
    page.get_by_role("button", name="Take back").nth(1).click()
    expect(main.get_by_text("1 waiting")).to_be_visible()

    page.get_by_role("button", name="Stop").click()
    wait_for(page, lambda: first.read().state == "stopped")
    assert second.run.read().state == "queued"
    page.get_by_role("button", name="Go on").click()
    wait_for(page, lambda: second.run.read().state == "finished")
    expect(main.get_by_text("waiting", exact=False)).to_have_count(0)
    assert queue.waiting() == []
    wait_for(page, lambda: not queue.worker_is_alive())
