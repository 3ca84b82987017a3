"""Names that people give themselves, in a cookie that nobody can change into another's.

Where no provider of identities is configured, a pupil gives a name once. The cookie holds a
random id and the name, signed with a secret that only the server knows, so two Annas are two
persons. A teacher's cookie is signed with the teacher's password as well: another password, and it
is not a teacher's any more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from collections import deque
from pathlib import Path

from filelock import FileLock

from mnist_lib.access import Visitor
from mnist_lib.storage.files import write_whole

MAX_NAME_LENGTH = 40
MIN_SECRET_LENGTH = 32

# So many wrong passwords of all visitors together, in so many seconds.
MAX_WRONG_PASSWORDS = 10
WRONG_PASSWORDS_FORGOTTEN_AFTER_S = 600.0


class IdentityError(Exception):
    """A name, a password or the secret cannot be used. The message is one line."""


def make_visitor(name: str, may_do_all: bool = False) -> Visitor:
    """Return a new person of this name.

    Raises:
        IdentityError: The name is empty, too long, or has characters that cannot be printed.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise IdentityError(f"A name has 1 to {MAX_NAME_LENGTH} letters.")
    return Visitor(secrets.token_hex(8), name, may_do_all)


def visitor_from_provider(issuer: str, subject: str, name: str, may_do_all: bool) -> Visitor:
    """Return the person that a provider of identities vouches for.

    Args:
        issuer: The provider, as OpenID Connect's ``iss``.
        subject: The person's number there, as its ``sub``.
        name: What the screens call the person.
        may_do_all: Whether it is a teacher.
    """
    visitor_id = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:32]
    return Visitor(visitor_id, name[:MAX_NAME_LENGTH], may_do_all)


def sign_visitor(visitor: Visitor, secret: bytes, teacher_password: str) -> str:
    """Return a cookie's value for a person: ASCII, without characters that a cookie must quote.

    Args:
        visitor: A person as ``make_visitor`` returns it.
        secret: As ``read_secret`` returns it.
        teacher_password: Of this installation; without one there are no teachers.
    """
    body = base64.urlsafe_b64encode(json.dumps([visitor.visitor_id, visitor.name]).encode()).decode()
    return f"{body}.{_signature(body, secret, teacher_password if visitor.may_do_all else '')}"


def verify_visitor(cookie: str, secret: bytes, teacher_password: str) -> Visitor | None:
    """Return the person whom a cookie names, or None if it was not signed here.

    Args:
        cookie: What a browser sent.
        secret: As ``read_secret`` returns it.
        teacher_password: Of this installation, or an empty text.
    """
    body, _, signature = cookie.partition(".")
    for password in {"", teacher_password}:
        if hmac.compare_digest(signature.encode(), _signature(body, secret, password).encode()):
            visitor_id, name = json.loads(base64.urlsafe_b64decode(body))
            return Visitor(visitor_id, name, may_do_all=bool(password))
    return None


def _signature(body: str, secret: bytes, teacher_password: str) -> str:
    return hmac.new(secret + teacher_password.encode(), body.encode(), "sha256").hexdigest()


def read_secret(folder: Path) -> bytes:
    """Return the secret in MNIST_SECRET, else that in a file of the folder, which is made if there is none.

    Raises:
        IdentityError: It is too short, or the file cannot be read or written.
    """
    secret = os.environ.get("MNIST_SECRET", "").encode()
    if not secret:
        path = folder / ".secret"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".secret.lock"):
                if not path.exists():
                    write_whole(path, _write_secret)
                secret = path.read_bytes()
        except OSError as error:
            raise IdentityError(f"{path} cannot be used: {error.strerror or error}.") from error
    if len(secret) < MIN_SECRET_LENGTH:
        raise IdentityError(f"The secret has fewer than {MIN_SECRET_LENGTH} bytes.")
    return secret


def _write_secret(path: Path) -> None:
    path.touch(0o600)
    path.write_text(secrets.token_hex(32))


_wrong_passwords: deque[float] = deque(maxlen=MAX_WRONG_PASSWORDS)


def check_password(given: str, password: str) -> None:
    """Compare a password with the teacher's, in a time that does not depend on where they differ.

    Raises:
        IdentityError: It is wrong, or too many were.
    """
    now = time.monotonic()
    full = len(_wrong_passwords) == MAX_WRONG_PASSWORDS
    if full and now - _wrong_passwords[0] < WRONG_PASSWORDS_FORGOTTEN_AFTER_S:
        raise IdentityError("Too many wrong passwords. Try again in ten minutes.")
    if not password or not hmac.compare_digest(given.encode(), password.encode()):
        _wrong_passwords.append(now)
        raise IdentityError("That is not the teacher's password.")
