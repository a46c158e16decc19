"""The real program with an upstream of its own, for the tests that hold for it too.

One job: start and end them, and make exchanges as FakeInspector.send() and .hold() pretend to.
"""

import http.client
import re
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

START_S = 30
BODY_KEPT = 4096
OPTIONAL_ROWS = ("api/events", "api/routes", "api/marks")


class _Upstream(BaseHTTPRequestHandler):
    """`/status/N` is answered with N, `/big/N` with N bytes of text, `/held` once it is let go, all else with JSON."""

    protocol_version = "HTTP/1.1"
    let_go = threading.Event()

    def log_message(self, *_):
        pass

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, kind, body = 200, "application/json", b'{"items": [1, 2, 3], "ok": true}'
        parts = self.path.split("/")
        if parts[1] == "status":
            status = int(parts[2])
        elif parts[1] == "big":
            kind, body = "text/plain", b"0123456789abcde\n" * (int(parts[2]) // 16)
        elif parts[1] == "tunnel":
            self._tunnel()
            return
        elif parts[1] == "held":
            self.let_go.wait(START_S)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _tunnel(self):
        """Sends back what comes, until the client leaves."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        while data := self.connection.recv(4096):
            self.connection.sendall(data)
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer


class RealInspector:
    """`absent` names the rows of the API that this program has not."""

    def __init__(self, binary):
        self.binary = binary
        self.absent = set()
        self.handler = type("Upstream", (_Upstream,), {"let_go": threading.Event()})
        self.upstream = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.upstream.daemon_threads = True
        self.process = None
        self.port = 0
        self.held = []
        self.tunnel = None

    def start(self):
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.process = subprocess.Popen(
            [self.binary, "--listen", "127.0.0.1:0", "--access-log", "off", "--exclude-get", "/poll",
             "--capture-body", str(BODY_KEPT), "--upstream", f"http://127.0.0.1:{self.upstream.server_port}"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        watchdog = threading.Timer(START_S, self.process.kill)
        watchdog.start()
        for line in self.process.stderr:
            match = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
            if match:
                self.port = int(match[1])
                break
        watchdog.cancel()
        assert self.port != 0, "the program did not print where it listens"
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.absent = {row for row in OPTIONAL_ROWS if self.status_of(row) == 404}
        return self

    def status_of(self, row):
        """What a GET of a row of the API is answered with; its body is left alone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        connection.request("GET", f"/_inspector/{row}")
        status = connection.getresponse().status
        connection.close()
        return status

    def stop(self):
        self.let_go()
        self.process.terminate()
        try:
            self.process.wait(START_S)
        finally:
            self.process.kill()
            self.upstream.shutdown()
            self.upstream.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/_inspector/"

    def send(self, method="GET", path="/api/things", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            fields["Content-Type"] = "application/json"
        connection.request(method, path, body, fields)
        connection.getresponse().read()
        connection.close()

    def hold(self):
        """A request to /held, which has no answer until let_go()."""
        self.held.append(threading.Thread(target=self.send, args=("GET", "/held"), daemon=True))
        self.held[-1].start()

    def hold_tunnel(self):
        """A WebSocket to /tunnel, through which five bytes went and came."""
        self.tunnel = socket.create_connection(("127.0.0.1", self.port), timeout=START_S)
        self.tunnel.sendall(b"GET /tunnel HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        received = b""
        while not received.endswith(b"\r\n\r\n"):
            received += self.tunnel.recv(1)
        self.tunnel.sendall(b"hello")
        assert self.tunnel.recv(5) == b"hello"

    def let_tunnel_go(self):
        self.tunnel.close()

    def let_go(self):
        self.handler.let_go.set()
        for thread in self.held:
            thread.join(START_S)
