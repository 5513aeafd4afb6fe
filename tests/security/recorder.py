"""The host that an attacker chose: an HTTP server that records every request, and answers it plausibly."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_BODY = b"a,b\n1,reached\n"


class Recorder:
    """A server on a free loopback port; ``requests`` holds the request lines and headers that came in.

    Args:
        redirect_to: answer every request with a redirect to the same path there.
    """

    def __init__(self, redirect_to: str | None = None) -> None:
        self.requests: list[str] = []
        recorded = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                recorded.append(f"{self.command} {self.path}\n{self.headers}")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200 if redirect_to is None else 307)
                if redirect_to is not None:
                    self.send_header("Location", redirect_to + self.path)
                self.send_header("Content-Length", str(len(_BODY)))
                self.send_header("Accept-Ranges", "bytes")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(_BODY)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815  # names of the library

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # name of the library
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.address}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
