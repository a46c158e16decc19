"""The real program with an upstream of its own, for the tests that hold for it too.

One job: start and end them, and send requests through the proxy as FakeInspector.send() pretends to.
"""

import http.client
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

START_S = 10


class _Upstream(BaseHTTPRequestHandler):
    """Answers `/status/N` with N and all else with 200 and a little JSON."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match = re.match(r"/status/(\d{3})", self.path)
        body = b'{"items": [1, 2, 3], "ok": true}'
        self.send_response(int(match[1]) if match else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer


class RealInspector:
    def __init__(self, binary):
        self.binary = binary
        self.upstream = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
        self.upstream.daemon_threads = True
        self.process = None
        self.port = 0

    def start(self):
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.process = subprocess.Popen(
            [self.binary, "--listen", "127.0.0.1:0", "--access-log", "off",
             "--upstream", f"http://127.0.0.1:{self.upstream.server_port}"],
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
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(START_S)
        self.upstream.shutdown()
        self.upstream.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/_inspector/"

    def send(self, method="GET", path="/api/things", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        connection.getresponse().read()
        connection.close()
