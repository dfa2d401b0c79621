"""A small HTTP server on a thread of its own, for machines that ask how things stand."""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from atode.errors import BadOption

logger = logging.getLogger("atode.http")

_SLOWEST_CLIENT = 10.0
"""Seconds for a request to arrive."""


class Answer(NamedTuple):
    """What a request is answered."""

    status: int
    content_type: str
    body: bytes


Route = Callable[[str], Answer]
"""Answers GET, given the `Accept` header; on a thread of its own for each request."""


class HttpServer:
    """Serves fixed paths until it is stopped."""

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        self._host = host
        try:
            self._server = _Server(host, port, routes)
        except (OSError, OverflowError) as error:
            raise BadOption(
                f"cannot listen on {_address(host, port)}: {error}. Each process needs a port of "
                "its own; 0 takes a free one"
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="atode-http", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{_address(self._host, self._server.server_address[1])}"

    def stop(self) -> None:
        """Answer nothing more; requests under way are left to end."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A scraper that reads slowly must not keep the process from exiting.
    block_on_close = False

    def __init__(self, host: str, port: int, routes: Mapping[str, Route]) -> None:
        self.routes = routes
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients come and go as they like; the standard library would print this.
        logger.debug("a request from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server_version = "atode"
    sys_version = ""
    timeout = _SLOWEST_CLIENT

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def _answer(self, *, with_body: bool) -> None:
        status, content_type, body = self._found()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _found(self) -> Answer:
        assert isinstance(self.server, _Server)
        routes = self.server.routes
        route = routes.get(self.path.partition("?")[0])
        if route is None:
            return text(404, f"there are {', '.join(routes)}")
        try:
            return route(self.headers.get("Accept", ""))
        except Exception:
            logger.exception("%s cannot be answered", self.path)
            return text(500, "see the log")


def text(status: int, line: str) -> Answer:
    """One line for people."""
    return Answer(status, "text/plain; charset=utf-8", f"{line}\n".encode())


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
