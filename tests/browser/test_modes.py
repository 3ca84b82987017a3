"""A stranger and a pupil, past the buttons: over WebSocket and HTTP, and a pupil in a browser."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from mnist_lib.access import Visitor as Person
from mnist_lib.identity import sign_visitor
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.ui.components.visitor_cookie import COOKIE_NAME
from tests.support.browser import Server, StartServer
from tests.support.processes import wait_until
from tests.support.runs import copy_bundled_run
from tests.support.visitor import Visitor, run_visitors

SECRET = "s" * 32
PASSWORD = "open sesame"
ANNA, BEN = Person("a1", "Anna"), Person("b1", "Ben")

# What is pressed and written on the screens; the ids of the widgets are those of a private installation.
FORGED: dict[str, dict[str, Any]] = {
    "Delete it": {"trigger_value": True},
    "Rename": {"trigger_value": True},
    "Note": {"string_value": "stolen"},
    "Shown in public": {"bool_value": True},
    "Start training": {"trigger_value": True},
}


class Client(Visitor):
    """A visitor who knows the number of their session, and every widget that they saw."""

    session_id = ""

    def __init__(self, url: str, cookies: str = "") -> None:
        super().__init__(url, cookies)
        self.widgets: dict[str, str] = {}

    async def __aenter__(self) -> Client:
        await super().__aenter__()
        return self

    def _take(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "new_session":
            self.session_id = message.new_session.initialize.session_id
        super()._take(message)
        for element in list(self.elements.values()):
            widget = getattr(element, element.WhichOneof("type") or "empty")
            if label := getattr(widget, "label", ""):
                self.widgets[label] = getattr(widget, "id", "")

    async def look_around(self, run: Run) -> str:
        """Open the screens on which something can be changed, and return all that they say."""
        await self.open("train", f"run={run.run_id}")
        text = " ".join(self.texts())
        await self.open("runs", f"run={run.run_id}&runs={run.run_id}")
        return f"{text} {' '.join(self.texts())}"

    async def forge(self, ids: dict[str, str]) -> None:
        """Send a value for every widget in turn, seen or not."""
        for label, value in FORGED.items():
            await self.send(WidgetState(id=ids[label], **value))


def content(store: RunStore) -> dict[str, bytes]:
    """Return the files of a store, without the locks and the secret beside the runs."""
    paths = [path for run in store.own_runs() for path in run.path.rglob("*")]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def upload(server: Server, session_id: str, size: int) -> int:
    """Upload a file as a field would, and return the status."""
    token = generate_xsrf_token_string()
    body = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + bytes(size) + b"\r\n--x--\r\n"
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("PUT", f"/_stcore/upload_file/{session_id}/0")
    for name, value in (
        ("Content-Type", "multipart/form-data; boundary=x"),
        ("Content-Length", str(len(body))),
        ("X-Xsrftoken", token),
        ("Cookie", f"_streamlit_xsrf={token}"),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    with suppress(OSError):  # the server may refuse before it has read everything
        connection.send(body)
    status = connection.getresponse().status
    connection.close()
    return status


def cookie(person: Person) -> str:
    return f"{COOKIE_NAME}={sign_visitor(person, SECRET.encode(), PASSWORD)}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of this machine, of Anna."""
    run = copy_bundled_run(RunStore(tmp_path / "runs"), "of-anna")
    run.write_owner(ANNA)
    return run


@pytest.fixture
def ids(shared_server: Server, shared_store: RunStore) -> dict[str, str]:
    """The ids of the widgets, as the owner of a private installation sees them for a run of the same name."""
    run = copy_bundled_run(shared_store, "of-anna")

    async def look() -> dict[str, str]:
        async with Client(shared_server.url) as owner:
            await owner.look_around(run)
            return owner.widgets

    return run_visitors(look())


def test_stranger_changes_nothing_in_public(
    start_server: StartServer, run: Run, ids: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(run.path.parent)
    monkeypatch.setenv("MNIST_MODE", "public")
    monkeypatch.setenv("MNIST_MAX_UPLOADS_MB", "9")
    monkeypatch.setenv("STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL", "1")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    server = start_server()

    def drawings() -> list[str]:
        return [name for name in os.listdir(tmp_path / "temporary") if name.startswith("mnist-drawings-")]

    async def visit() -> None:
        before = content(store)
        async with Client(server.url) as stranger:
            said = await stranger.look_around(run)
            assert "This installation only shows runs" in said
            assert f"The run {run.run_id} is gone." in said
            assert not FORGED.keys() & stranger.widgets.keys()
            await stranger.forge(ids)
            store.publish(run)
            said = await stranger.look_around(run)
            assert "is gone" not in said
            assert "Anna" not in said.replace(run.run_id, "")
            assert not FORGED.keys() & stranger.widgets.keys()
            await stranger.forge(ids)
            store.publish(run, False)
            assert content(store) == before
            assert upload(server, "no-session", 1) == 400
            assert upload(server, stranger.session_id, 6_000_000) == 413
            assert upload(server, stranger.session_id, 5_000_000) == 204
            async with Client(server.url) as other:
                await other.open()
                assert upload(server, other.session_id, 5_000_000) == 413  # both together are too much
                assert upload(server, other.session_id, 4_000_000) == 204
            await stranger.open("draw")
            assert len(drawings()) == 1

    def is_gone() -> bool:
        run_visitors(look())  # Streamlit ends old sessions when another begins
        return not drawings()

    async def look() -> None:
        async with Client(server.url) as other:
            await other.open()

    run_visitors(visit())
    wait_until(is_gone)
    assert not (tmp_path / "drawings").exists()


def test_pupil_changes_only_what_is_theirs_in_class(
    start_server: StartServer, run: Run, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(run.path.parent)
    monkeypatch.setenv("MNIST_MODE", "class")
    monkeypatch.setenv("MNIST_SECRET", SECRET)
    url = start_server().url
    before = content(store)
    body, _, signature = cookie(BEN).partition(".")
    as_anna = cookie(ANNA).partition(".")[0]

    async def visit() -> None:
        for forged in ("", f"{as_anna}.{signature}", f"{body}.{'0' * 64}", f"{COOKIE_NAME}=x"):
            async with Client(url, forged) as nobody:
                await nobody.look_around(run)
                assert nobody.widgets.keys() == {"Your name", "Enter"}
                await nobody.forge(ids)
        async with Client(url, cookie(BEN)) as ben:
            said = await ben.look_around(run)
            assert "By Anna." in said
            assert {"Delete it", "Rename", "Note", "Shown in public"}.isdisjoint(ben.widgets)
            await ben.forge({**ids, "Start training": ids["Delete it"]})  # he may train
        assert content(store) == before
        async with Client(url, cookie(ANNA)) as anna:
            await anna.look_around(run)
            await anna.send(WidgetState(id=ids["Delete it"], trigger_value=True))

    run_visitors(visit())
    assert store.own_runs() == []


def test_pupil_and_teacher_say_who_they_are(
    start_server: StartServer, run: Run, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets.toml").write_text(f"teacher_password = {json.dumps(PASSWORD)}\n")
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(tmp_path / "secrets.toml"))
    monkeypatch.setenv("MNIST_MODE", "class")
    server = start_server()
    page.goto(f"{server.url}/runs?runs={run.run_id}")
    name, enter = page.get_by_label("Your name"), page.get_by_role("button", name="Enter")
    name.fill(" ")
    enter.click()
    expect(page.get_by_text("A name has 1 to 40 letters.")).to_be_visible()
    name.fill("<b>Ben</b>")
    enter.click()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("<b>Ben</b>")).to_be_visible()
    expect(page.get_by_text("By Anna.")).to_be_visible()
    page.wait_for_function("name => document.cookie.includes(name)", arg=COOKIE_NAME)
    page.reload()
    expect(sidebar.get_by_text("<b>Ben</b>")).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    sidebar.get_by_role("button", name="Leave").click()
    name.fill("Zoë")
    page.get_by_text("For teachers").click()
    password = page.get_by_role("textbox", name="Password")
    password.fill("open")
    enter.click()
    expect(page.get_by_text("That is not the teacher's password.")).to_be_visible()
    password.fill(PASSWORD)
    enter.click()
    expect(sidebar.get_by_text("Zoë, teacher")).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_be_visible()


def test_provider_of_identities_says_who_somebody_is(
    start_server: StartServer, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets.toml").write_text(
        f"teacher_password = {json.dumps(PASSWORD)}\n"
        'teachers = ["Ms.Teacher@school.example", "no-address"]\n'
        f'[auth]\ncookie_secret = "{SECRET}"\nredirect_uri = "http://127.0.0.1/oauth2callback"\n'
    )
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(tmp_path / "secrets.toml"))
    monkeypatch.setenv("MNIST_MODE", "class")
    monkeypatch.setenv("MNIST_SECRET", SECRET)
    server = start_server()

    def come_with(name: str, value: str) -> None:
        page.context.add_cookies([{"name": name, "value": value, "url": server.url}])
        page.goto(server.url)

    def come_signed_in(**claims: object) -> None:
        known = {"origin": server.url, "is_logged_in": True, "iss": "https://provider.example", **claims}
        come_with(USER_COOKIE_NAME, create_signed_value(SECRET, USER_COOKIE_NAME, json.dumps(known)).decode())

    come_with(COOKIE_NAME, cookie(ANNA).partition("=")[2])
    expect(page.get_by_text(re.compile("^Sign(ing)? in"))).to_be_visible()  # or that Authlib is missing
    expect(page.get_by_label("Your name")).to_have_count(0)
    person = page.get_by_test_id("stSidebar").get_by_test_id("stCaptionContainer").filter(has_text="Ms Teacher")
    teacher = {"name": "Ms Teacher", "sub": "1", "email": "ms.teacher@school.example"}
    for claims, is_teacher in (
        (teacher | {"email_verified": True}, True),
        (teacher, False),
        (teacher | {"email": "", "sub": "no-address"}, True),
    ):
        come_signed_in(**claims)
        expect(person).to_contain_text(re.compile("Ms Teacher, teacher$" if is_teacher else "Ms Teacher$"))
