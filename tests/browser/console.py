"""The platform's own web page: the seller starts there, and the browser comes back to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Console</title><link rel="icon" href="data:,"></head>
<body><h1>Your shops</h1><p id="result"></p>
<script>
document.getElementById("result").textContent = new URLSearchParams(location.search).get("result");
</script>
</body></html>
"""


class _Console(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """The same page for every address, as a single-page app has it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the browser's own record is enough."""


@contextmanager
def running_console() -> Iterator[str]:
    """The origin of the page. Named localhost, so that to a browser it is another site than the service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Console) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()
