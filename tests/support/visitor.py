"""A visitor without a browser: it speaks Streamlit's own messages over a WebSocket.

What a browser would show is in ``elements``. It answers a fragment's timer as a browser does, sends back
the hashes of large messages that it keeps, and can send any value for any widget, shown or not.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

# A loaded machine is slow, not wrong.
TIMEOUT_S = 120.0

ANY_RUN = "any"

Result = TypeVar("Result")


class Visitor:
    """One browser tab.

    Attributes:
        elements: What stands on the screen: element by place.
        reruns: Seconds from a click, or the first request, to the end of its rerun.
        fragment_reruns: How many runs of fragments by a timer have ended.
        overtaken: How many reruns were not sent to their end before another one began.
    """

    def __init__(self, url: str, cookies: str = "") -> None:
        self._url = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._headers = {"Cookie": cookies} if cookies else {}
        self.elements: dict[tuple[int, ...], Element] = {}
        self.pages: dict[str, str] = {}  # by the path in the address
        self.reruns: list[float] = []
        self.fragment_reruns = 0
        self.overtaken = 0
        self._fragments: dict[tuple[int, ...], str] = {}
        self._kept: dict[str, ForwardMsg] = {}
        self._page_hash = ""
        self._query = ""
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._finished = asyncio.Event()
        self._waits_for = ""  # a fragment, ``ANY_RUN``, or "" for the whole script

    async def __aenter__(self) -> Visitor:
        self._socket: ClientConnection = await connect(
            self._url,
            subprotocols=[Subprotocol("streamlit"), Subprotocol("-")],
            additional_headers=self._headers,
            max_size=None,
            open_timeout=60,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_timers()
        self._reader.cancel()
        await self._socket.close()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def open(self, page: str = "", query: str = "") -> float:
        """Go to a screen, by the path in its address, and return the seconds until it is complete."""
        self._stop_timers()
        self._page_hash, self._query = self.pages.get(page, ""), query
        return await self._rerun(ClientState(page_name="" if self._page_hash else page))

    async def send(self, *states: WidgetState, fragment: str = "") -> float:
        """Send values of widgets, and return the seconds until the rerun that they cause is complete."""
        state = ClientState(fragment_id=fragment)
        state.widget_states.widgets.extend(states)
        return await self._rerun(state)

    async def click(self, label: str) -> float:
        """Click a button, named by its label."""
        place, button = self.find("button", lambda button: button.label == label)
        return await self.send(WidgetState(id=button.id, trigger_value=True), fragment=self.fragment_at(place))

    async def set_slider(self, label: str, value: object) -> float:
        """Move a slider whose steps are a list to one of them."""
        place, slider = self.find("slider", lambda slider: slider.label == label)
        state = WidgetState(id=slider.id)
        state.string_array_value.data.append(str(value))
        return await self.send(state, fragment=self.fragment_at(place))

    async def set_component(self, name: str, **values: object) -> float:
        """Let a component, named as in Python or as its package names it, send these values."""
        place, component = self.find_component(name)
        return await self.send(
            WidgetState(id=component.id, json_value=json.dumps(values)), fragment=self.fragment_at(place)
        )

    def find_component(self, name: str) -> tuple[tuple[int, ...], Any]:
        """Return the place and content of the first component of this name."""
        return self.find("bidi_component", lambda component: component.component_name.split(".")[-1] == name)

    def find(self, kind: str, wanted: Callable[[Any], bool] = lambda _: True) -> tuple[tuple[int, ...], Any]:
        """Return the place and content of the first shown element of this kind, for example ``"button"``."""
        for place, element in sorted(self.elements.items()):
            if element.WhichOneof("type") == kind and wanted(getattr(element, kind)):
                return place, getattr(element, kind)
        raise LookupError(f"no such {kind} on this screen")

    def fragment_at(self, place: tuple[int, ...]) -> str:
        """Return the fragment in which the element at a place was drawn, "" for none."""
        return self._fragments.get(place, "")

    def texts(self) -> Iterator[str]:
        """Return the text of every element that only shows text."""
        for element in self.elements.values():
            content = getattr(element, element.WhichOneof("type") or "empty")
            for name in ("body", "text", "label"):
                if text := getattr(content, name, ""):
                    yield text

    async def _rerun(self, state: ClientState) -> float:
        state.query_string, state.page_script_hash = self._query, self._page_hash
        state.cached_message_hashes.extend(self._kept)
        self._waits_for = state.fragment_id
        self._finished.clear()
        began = time.perf_counter()
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())
        await asyncio.wait_for(self._finished.wait(), TIMEOUT_S)
        self.reruns.append(time.perf_counter() - began)
        return self.reruns[-1]

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for data in self._socket:
                assert isinstance(data, bytes)
                message = ForwardMsg.FromString(data)
                if message.metadata.cacheable and message.hash:
                    self._kept[message.hash] = message
                if message.ref_hash:
                    kept = ForwardMsg()
                    kept.CopyFrom(self._kept[message.ref_hash])
                    kept.metadata.CopyFrom(message.metadata)
                    message = kept
                self._take(message)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._take_delta(message)
        elif kind == "navigation":
            self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            timer = message.auto_rerun
            self._stop_timer(timer.fragment_id)
            self._timers[timer.fragment_id] = asyncio.create_task(self._tick(timer.fragment_id, timer.interval))
        elif kind == "new_session":
            self._clear(set(message.metadata.run.fragment_ids))
        elif kind == "script_finished":
            self._finish(message.script_finished)

    def _clear(self, fragments: set[str]) -> None:
        """Take away what the run that begins draws anew: these fragments, or everything."""
        if not fragments:
            self._stop_timers()
        for place in [place for place in self.elements if not fragments or self._fragments[place] in fragments]:
            del self.elements[place]

    def _take_delta(self, message: ForwardMsg) -> None:
        place, delta = tuple(message.metadata.delta_path), message.delta
        self._fragments[place] = delta.fragment_id
        if delta.WhichOneof("type") == "new_element":
            self.elements[place] = delta.new_element

    def _finish(self, status: int) -> None:
        waiting = not self._finished.is_set()
        self.overtaken += status == ForwardMsg.FINISHED_EARLY_FOR_RERUN
        if waiting and status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            # Another run began before this one's end was sent: what comes next ends both.
            self._waits_for = ANY_RUN
        elif waiting and (self._waits_for or status != ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY):
            self._waits_for = ""
            self._finished.set()
        else:
            self.fragment_reruns += 1

    async def tick(self) -> None:
        """Ask for the fragments that draw themselves anew by a timer, now."""
        for fragment in list(self._timers):
            await self._ask_for(fragment)

    async def _tick(self, fragment: str, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await self._ask_for(fragment)

    async def _ask_for(self, fragment: str) -> None:
        state = ClientState(query_string=self._query, page_script_hash=self._page_hash, fragment_id=fragment)
        state.is_auto_rerun = True
        state.cached_message_hashes.extend(self._kept)
        with suppress(ConnectionClosed):
            await self._socket.send(BackMsg(rerun_script=state).SerializeToString())

    def _stop_timer(self, fragment: str) -> None:
        if timer := self._timers.pop(fragment, None):
            timer.cancel()

    def _stop_timers(self) -> None:
        for fragment in list(self._timers):
            self._stop_timer(fragment)


def run_visitors(visit: Coroutine[Any, Any, Result]) -> Result:
    """Do what visitors do, and return what came of it. In a thread: Playwright's loop runs in a test's own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, visit).result()
