"""A proxy that cuts WebSockets, as many do when nothing is said for a while."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator


class CuttingProxy(socketserver.ThreadingTCPServer):
    """Passes bytes on between browsers and a server of this machine, from a free port.

    Args:
        server_port: Where the server listens.

    Attributes:
        port: Where this listens.
        web_sockets: The WebSockets that are open now.
    """

    daemon_threads = True

    def __init__(self, server_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.port = self.server_address[1]
        self.server_port = server_port
        self.web_sockets: set[socket.socket] = set()

    def cut(self) -> None:
        """Cut every WebSocket that is open now."""
        for web_socket in list(self.web_sockets):
            _end(web_socket)


class _Connection(socketserver.BaseRequestHandler):
    server: CuttingProxy

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.server_port)) as to_server:
            # A browser opens a connection of its own for each WebSocket.
            request = self.request.recv(65_536)
            if b"upgrade: websocket" in request.lower():
                self.server.web_sockets.add(self.request)
            to_server.sendall(request)
            threading.Thread(target=_copy, args=(self.request, to_server), daemon=True).start()
            _copy(to_server, self.request)
        self.server.web_sockets.discard(self.request)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting_proxy(server_port: int) -> Iterator[CuttingProxy]:
    """Run a ``CuttingProxy`` in a thread."""
    with CuttingProxy(server_port) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
