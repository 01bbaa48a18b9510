"""A real HTTP server on this machine, whose answers a test sets."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Calls `answer` for every request, and remembers what was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Says nothing: a client that has read enough hangs up."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _handle(self) -> None:
        self.server.asked.append((self.command, self.path))
        self.server.headers.append(dict(self.headers))
        self.server.answer(self)

    do_GET = do_HEAD = _handle  # noqa: N815  the names are the library's

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def answering(status: int = 200, body: bytes | None = None, **headers: object) -> Answer:
    """An answer with these headers; content_length becomes Content-Length."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-").title(), str(value))
        request.end_headers()
        if body is not None and request.command != "HEAD":
            request.wfile.write(body)

    return answer


def hanging(request: BaseHTTPRequestHandler) -> None:
    """Answers when the test is over."""
    request.server.released.wait(60)


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """Runs a server for as long as the block."""
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
