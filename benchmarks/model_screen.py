"""Measure the Model screen for ``benchmarks.screens``: the picture of the network, and what answers in it.

First picture: from the visible heading of the first request of a fresh server to the whole picture.
Another image: from the click to the whole picture of another test digit. Hover: what pointing at a map or
unit takes until it and what it is made of are lit up. Choice: what a click on one takes until its
calculation is there. Both are the browser's own work, of every part of the network.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.support.browser import Server

WATCH_THE_FIRST_PICTURE = """
let heading;
const look = () => {
  if (document.querySelector("h1")?.checkVisibility()) heading ??= performance.now();
  const hosts = [...document.querySelectorAll("[data-testid='stMain'] *")];
  const picture = hosts.some((host) => host.shadowRoot?.querySelector(".network .answer"));
  if (heading && picture) window.secondsToPicture = (performance.now() - heading) / 1000;
  else requestAnimationFrame(look);
};
look();
"""

ANOTHER_IMAGE = """
async () => {
  const another = [...document.querySelectorAll("button")].find((button) => button.textContent.endsWith("Another"));
  const drawn = new Promise((done) => {
    window.mnistNetworkView.addEventListener("network", () => requestAnimationFrame(done), { once: true });
  });
  const began = performance.now();
  another.click();
  await drawn;
  return (performance.now() - began) / 1000;
}
"""

ANSWERS = """
(type) => {
  const hosts = [...document.querySelectorAll("[data-testid='stMain'] *")];
  const picture = hosts.map((host) => host.shadowRoot?.querySelector(".network")).find(Boolean);
  return [...picture.querySelectorAll(".part")].map((part) => {
    const began = performance.now();
    part.dispatchEvent(new PointerEvent(type, { bubbles: true }));
    return (performance.now() - began) / 1000;
  });
}
"""


def first_picture(browser: Browser, folder: Path) -> float:
    """Start a server and time the Model screen's first picture after its heading, in seconds."""
    server = Server(folder)
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    try:
        context.add_init_script(WATCH_THE_FIRST_PICTURE)
        page = context.new_page()
        page.goto(f"{server.url}/model")
        return page.wait_for_function("window.secondsToPicture").json_value()
    finally:
        context.close()
        server.kill()


def measure_picture(page: Page, url: str, repeats: int) -> dict[str, list[float]]:
    """Time other images, pointing and choosing on the Model screen, in seconds."""
    page.goto(f"{url}/model")
    page.wait_for_timeout(4_000)
    measured: dict[str, list[float]] = {"another image": []}
    for _ in range(repeats):
        measured["another image"].append(page.evaluate(ANOTHER_IMAGE))
        page.wait_for_timeout(700)
    page.evaluate(ANSWERS, "pointerover")  # the browser compiles the script
    return measured | {"hover": page.evaluate(ANSWERS, "pointerover"), "choice": page.evaluate(ANSWERS, "click")}
