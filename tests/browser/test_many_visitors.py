"""Many visitors at once, without a browser each."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.support.browser import Server, StartServer
from tests.support.visitor import Visitor, run_visitors

SCREENS = ("", "train", "mistakes", "runs")
TABS = 12
CLICKS = 12


def test_many_who_come_at_once_to_a_new_server_all_get_their_screen(start_server: StartServer) -> None:
    server = start_server()

    async def come() -> list[str]:
        async with AsyncExitStack() as tabs:
            visitors = [await tabs.enter_async_context(Visitor(server.url)) for _ in range(TABS)]
            await asyncio.gather(
                *(visitor.open(SCREENS[number % len(SCREENS)]) for number, visitor in enumerate(visitors))
            )
            return [element.WhichOneof("type") or "" for each in visitors for element in each.elements.values()]

    shown = run_visitors(come())
    assert "exception" not in shown
    assert shown.count("heading") >= TABS


def test_click_is_drawn_to_its_end_though_a_timer_waits(shared_server: Server) -> None:
    async def click() -> int:
        async with Visitor(shared_server.url) as visitor:
            await visitor.open("mistakes", "run=pretrained-accurate")
            for number in range(CLICKS):
                clicked = asyncio.create_task(visitor.set_slider("Network after epoch", 5 + number))
                await asyncio.sleep(0)  # the click goes first
                await visitor.tick()
                await clicked
                await asyncio.sleep(0.2)  # both are done
            return visitor.overtaken

    # Nearly all of them were, until the server took a moment between two reruns of a tab.
    assert run_visitors(click()) < CLICKS / 2
