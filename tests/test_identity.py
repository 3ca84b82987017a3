"""Names in signed cookies: nobody becomes another, or a teacher, by editing one."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from mnist_lib import identity
from mnist_lib.access import Visitor
from mnist_lib.identity import IdentityError, check_password, make_visitor, read_secret, sign_visitor, verify_visitor

SECRET = b"0123456789abcdef0123456789abcdef"


def test_cookie_gives_the_person_back() -> None:
    pupil, teacher = make_visitor("  Anna   B. "), make_visitor("Zoë 数", may_do_all=True)
    assert pupil.name == "Anna B."
    for visitor in (pupil, teacher):
        cookie = sign_visitor(visitor, SECRET, "password")
        assert verify_visitor(cookie, SECRET, "password") == visitor
        assert cookie.isascii()
        assert not set(cookie) & set(' ";,\\')


def test_two_persons_of_one_name_are_two() -> None:
    assert make_visitor("Anna").visitor_id != make_visitor("Anna").visitor_id


def test_changed_cookie_is_nobody() -> None:
    anna, ben = make_visitor("Anna"), make_visitor("Ben")
    body, signature = sign_visitor(anna, SECRET, "password").split(".")
    other_body, other_signature = sign_visitor(ben, SECRET, "password").split(".")
    forged = base64.urlsafe_b64encode(json.dumps([anna.visitor_id, "Ben"]).encode()).decode()
    for cookie in (
        "",
        ".",
        body,
        f"{body}.",
        f".{signature}",
        f"{other_body}.{signature}",
        f"{body}.{other_signature}",
        f"{forged}.{signature}",
        f"{body}.{signature[:-1]}",
        f"{body}.{signature}0",
        f"{body}.{signature}.{signature}",
        f"{body}.é",
        "x" * 100_000,
    ):
        assert verify_visitor(cookie, SECRET, "password") is None, cookie[:200]
    assert verify_visitor(f"{body}.{signature}", b"another" + SECRET, "password") is None


def test_teacher_is_one_only_with_the_password_of_now() -> None:
    cookie = sign_visitor(make_visitor("Teacher", may_do_all=True), SECRET, "password")
    assert verify_visitor(cookie, SECRET, "another") is None
    assert verify_visitor(cookie, SECRET, "") is None
    pupil = verify_visitor(sign_visitor(Visitor("a1", "Anna"), SECRET, "password"), SECRET, "password")
    assert pupil
    assert not pupil.may_do_all


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\0b", "a\u202eb"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(IdentityError, match="A name has 1 to 40 letters"):
        make_visitor(name)


def test_html_is_a_name_like_any_other() -> None:
    assert make_visitor("<b>Anna</b>").name == "<b>Anna</b>"


def test_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNIST_SECRET", raising=False)
    secret = read_secret(tmp_path / "runs")
    assert len(secret) >= 32
    assert read_secret(tmp_path / "runs") == secret
    assert read_secret(tmp_path / "other") != secret
    assert stat.S_IMODE((tmp_path / "runs" / ".secret").stat().st_mode) == 0o600
    monkeypatch.setenv("MNIST_SECRET", "s" * 32)
    assert read_secret(tmp_path / "runs") == b"s" * 32
    for short in ("s", "é" * 15):
        monkeypatch.setenv("MNIST_SECRET", short)
        with pytest.raises(IdentityError, match="fewer than 32 bytes"):
            read_secret(tmp_path / "runs")


def test_passwords_are_not_guessed_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    identity._wrong_passwords.clear()
    now = 1000.0
    monkeypatch.setattr(identity.time, "monotonic", lambda: now)
    check_password("pässword", "pässword")
    for given in ("passwort", "", "pässword ", *map(str, range(7))):
        with pytest.raises(IdentityError, match="not the teacher's password"):
            check_password(given, "pässword")
    with pytest.raises(IdentityError, match="Too many wrong passwords"):
        check_password("pässword", "pässword")
    now += 601
    check_password("pässword", "pässword")
    with pytest.raises(IdentityError, match="not the teacher's"):
        check_password("", "")  # where no password is configured, none is right
    identity._wrong_passwords.clear()
