"""Measure the dashboard under load: many visitors who click, and many who only watch a training.

    python -m benchmarks.load [--sessions 1 10 30] [--seconds 120] [--watchers 30] [--visits 1000]
                              [--project DIR ...] [--json]

A visitor is a WebSocket client that speaks Streamlit's own messages (``tests.support.visitor``): it opens a
screen, pauses as a person does, five seconds on average, and clicks: other screens, shuffled digits, a digit of
the gallery, another image in the network, another epoch, a stroke on the canvas. All visitors of a round come
at once. A rerun lasts from the click to the message that ends it, but not longer than two minutes; the first one
is the first paint. The visitors run in a process of their own, on the same machine as the server. Watchers have
Train open while a training runs at its usual low priority. A visit is a session that opens every screen once and
goes. With ``--project``, other checkouts of the project are measured in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from mnist_lib.config import PRESETS
from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import start_training
from tests.support.browser import Server
from tests.support.visitor import TIMEOUT_S, Visitor

SCREENS = ("", "dataset", "model", "train", "mistakes", "runs", "experiments", "draw")
PAUSE_S = 5.0
# Streamlit keeps a session for two minutes, for a tab whose connection was cut, and until another visitor comes.
KEPT_S = 125.0

Click = Callable[[Visitor, random.Random], Awaitable[float]]


def opens(screen: str) -> Click:
    """Return a click in the menu."""
    return lambda visitor, _: visitor.open(screen)


def presses(label: str) -> Click:
    """Return a click on a button."""
    return lambda visitor, _: visitor.click(label)


async def chooses_digit(visitor: Visitor, chance: random.Random) -> float:
    """Choose a digit of the gallery."""
    _, gallery = visitor.find_component("digit_gallery")
    return await visitor.set_component("digit_gallery", selected=chance.choice(json.loads(gallery.json)["tiles"])["id"])


async def moves_epoch(visitor: Visitor, chance: random.Random) -> float:
    """Move the slider of the epochs of the shipped run."""
    return await visitor.set_slider("Network after epoch", chance.randint(5, 18))


async def draws(visitor: Visitor, chance: random.Random) -> float:
    """Draw a one."""
    left, top = chance.randint(120, 240), chance.randint(60, 120)
    pixels = np.zeros((1, 400, 400, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[0, top : top + 220, left : left + 28] = 255
    strokes = {"objects": [{"type": "path", "left": left, "top": top}]}
    return await visitor.set_component(
        "streamlit_drawable_canvas", drawing={"raw": strokes, "data": picture_sheet(pixels, 1)}
    )


# Walks through a screen, of which a visitor takes one after another by chance.
WALKS: tuple[tuple[Click, ...], ...] = (
    (opens(""), draws, draws),
    (opens("dataset"), presses("Shuffle"), chooses_digit, chooses_digit),
    (opens("model"), presses("Another"), presses("Another")),
    (opens("mistakes"), moves_epoch, moves_epoch, chooses_digit, chooses_digit),
    (opens("train"), opens("runs")),
    (opens("draw"), draws, draws, presses("Clear")),
)


class Load(NamedTuple):
    """What a server gave under a load. Seconds, if not said otherwise."""

    visitors: int
    first_paint_median: float
    first_paint_worst: float
    reruns: int
    rerun_median: float
    rerun_p95: float
    processor_ms_per_rerun: float
    cores: float
    memory_mb: float
    descriptors_before: int
    descriptors_most: int
    descriptors_a_minute_later: int
    descriptors_after_the_next_visitor: int


class Watched(NamedTuple):
    """What a server gave while tabs only watched a training."""

    watchers: int
    updates_per_s: float
    cores: float
    memory_mb: float


@contextmanager
def serve(project: Path, runs_path: Path) -> Iterator[tuple[Server, psutil.Process]]:
    """Serve a checkout, with its data already read."""
    server = Server(runs_path, project_path=project)
    try:
        asyncio.run(open_every_screen(server.url))
        yield server, psutil.Process(server.process.pid)
    finally:
        server.kill()


async def open_every_screen(url: str) -> None:
    """Be one visit."""
    async with Visitor(url) as visitor:
        for screen in SCREENS:
            await visitor.open(screen)


def processor_s(process: psutil.Process) -> float:
    """Return the processor time that a process has taken, in seconds."""
    times = process.cpu_times()
    return times.user + times.system


def measure_load(project: Path, visitors: int, seconds: float) -> Load:
    """Let visitors click through a server of their own."""
    with tempfile.TemporaryDirectory() as folder, serve(project, Path(folder)) as (server, process):
        time.sleep(5)
        before = process.num_fds()
        used_before, began = processor_s(process), time.monotonic()
        first, reruns, most = asyncio.run(_click_through(server.url, process, visitors, seconds))
        used, lasted = processor_s(process) - used_before, time.monotonic() - began
        memory_mb = process.memory_info().rss / 1e6
        time.sleep(60)
        a_minute_later = process.num_fds()
        time.sleep(KEPT_S - 60)
        asyncio.run(open_every_screen(server.url))
        time.sleep(5)
        return Load(
            visitors,
            statistics.median(first),
            max(first),
            len(reruns),
            statistics.median(reruns),
            float(np.quantile(reruns, 0.95)),
            1000 * used / (len(first) + len(reruns)),
            used / lasted,
            memory_mb,
            before,
            most,
            a_minute_later,
            process.num_fds(),
        )


async def _click_through(
    url: str, process: psutil.Process, visitors: int, seconds: float
) -> tuple[list[float], list[float], int]:
    first: list[float] = []
    reruns: list[float] = []
    most = 0

    async def visit(number: int) -> None:
        nonlocal most
        chance = random.Random(number)
        ends_at = time.monotonic() + seconds
        async with Visitor(url) as visitor:
            first.append(await visitor.open())
            while True:
                for click in chance.choice(WALKS):
                    await asyncio.sleep(chance.uniform(0.5, 1.5) * PAUSE_S)
                    if time.monotonic() > ends_at:
                        return
                    try:
                        reruns.append(await click(visitor, chance))
                    except asyncio.TimeoutError:
                        reruns.append(TIMEOUT_S)
                        break  # to another screen
                    except LookupError:  # a server that is asked for too much leaves out parts of a screen
                        break
                    most = max(most, process.num_fds())

    await asyncio.gather(*(visit(number) for number in range(visitors)))
    return first, reruns, most


def measure_watchers(project: Path, watchers: int, seconds: float) -> Watched:
    """Let tabs have Train open while a training runs."""
    with tempfile.TemporaryDirectory() as folder, serve(project, Path(folder)) as (server, process):
        run = start_training(RunStore(Path(folder)), replace(PRESETS["paper"], preset="custom", epochs=50))
        try:
            while not run.read().batches:
                time.sleep(0.1)
            return asyncio.run(_watch(server.url, process, watchers, seconds))
        finally:
            run.request(stop=True)
            psutil.Process(run.read_status().pid).wait()


async def _watch(url: str, process: psutil.Process, watchers: int, seconds: float) -> Watched:
    async with AsyncExitStack() as tabs:
        visitors = [await tabs.enter_async_context(Visitor(url)) for _ in range(watchers)]
        await asyncio.gather(*(visitor.open("train") for visitor in visitors))
        await asyncio.sleep(10)
        updates_before = sum(visitor.fragment_reruns for visitor in visitors)
        used_before, began = processor_s(process), time.monotonic()
        await asyncio.sleep(seconds)
        lasted = time.monotonic() - began
        updates = sum(visitor.fragment_reruns for visitor in visitors) - updates_before
        used = processor_s(process) - used_before
        return Watched(watchers, updates / lasted, used / lasted, process.memory_info().rss / 1e6)


def measure_visits(project: Path, visits: int) -> list[tuple[int, float]]:
    """Return the server's memory in MB after each tenth of the visits, four at a time."""

    async def visit_often(url: str, count: int) -> None:
        for _ in range(count):
            await open_every_screen(url)

    async def visit_by_four(url: str, count: int) -> None:
        await asyncio.gather(*(visit_often(url, count) for _ in range(4)))

    memory = []
    with tempfile.TemporaryDirectory() as folder, serve(project, Path(folder)) as (server, process):
        for tenth in range(1, 11):
            asyncio.run(visit_by_four(server.url, visits // 40))
            memory.append((tenth * (visits // 40) * 4, process.memory_info().rss / 1e6))
    return memory


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="*", default=[1, 10, 30], help="how many visitors click")
    parser.add_argument("--seconds", type=float, default=120, help="how long each round lasts")
    parser.add_argument("--watchers", type=int, default=30, help="how many only watch; 0 leaves this out")
    parser.add_argument("--visits", type=int, default=1000, help="how many visit every screen; 0 leaves this out")
    parser.add_argument("--project", type=Path, nargs="*", default=[PROJECT_PATH], help="checkouts to measure in turns")
    parser.add_argument("--json", action="store_true", help="print one object")
    arguments = parser.parse_args()
    results: dict[str, dict[str, object]] = {str(project): {} for project in arguments.project}

    def note(project: Path, name: str, result: object) -> None:
        results[str(project)][name] = result
        if not arguments.json:
            print(f"{project.name}, {name}: {result}", flush=True)

    for sessions in arguments.sessions:
        for project in arguments.project:
            note(project, f"{sessions} sessions", measure_load(project, sessions, arguments.seconds)._asdict())
    for project in arguments.project if arguments.watchers else []:
        note(project, "watchers", measure_watchers(project, arguments.watchers, arguments.seconds)._asdict())
    for project in arguments.project if arguments.visits else []:
        note(project, "memory in MB after visits", measure_visits(project, arguments.visits))
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
