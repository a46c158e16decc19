"""A stand-in for the inspector: the panel's files and the API that it reads, over records made by tests.

One job: answer `<prefix>/`, `<prefix>/panel/*`, `<prefix>/api/requests...` and `<prefix>/api/upstreams` as the
inspector does (the other rows of the API are in fake_rows.py), with its Content-Security-Policy, so that the panel can be tested without the proxy. Run by itself it serves
invented traffic that goes on: `/usr/bin/python3 tests/panel/fake_inspector.py`.
"""

import base64
import contextlib
import fnmatch
import json
import mimetypes
import socket
import threading
import time
import urllib.parse
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fake_rows import Rows

PANEL = Path(__file__).resolve().parents[2] / "inspector" / "panel"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
LONG = ("request_headers", "request_trailers", "request_body", "request_body_encoding",
        "response_headers", "response_trailers", "response_body", "response_body_encoding", "messages")
POLL_ROW = ("seq", "time", "request_id", "method", "path", "status", "duration_ms",
            "request_size_bytes", "response_size_bytes")


def upstream(name="api", **more):
    """An upstream as the API has it: healthy, unless `more` says otherwise."""
    item = {
        "name": name, "url": "http://127.0.0.1:8000", "active": 3, "idle": 9, "waiting": 0, "max_connections": 50,
        "opened": 31, "opened_last_minute": 2, "reused": 830, "reuse_rate": 0.964, "retried": 1, "expired": 16,
        "failures": {}, "last_failures": [], "breaker": {"state": "closed", "retry_at": None}, "reachable": True,
        "queue": {"limit": 1000, "timeout_ms": 5000, "waited": 0, "waited_ms": 0.0}, "tls": None,
        "credential": {"kind": "none", "expires_at": None, "error": None},
    }
    return {**item, **more}


def rfc3339(ts):
    return datetime.fromtimestamp(ts, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fields(**named):
    """Headers as the record holds them: content_type='a/b' becomes Content-Type."""
    return [{"name": name.replace("_", "-").title(), "value": value} for name, value in named.items()]


class FakeInspector:
    """Records, newest last, and the server that shows them. Everything is under one lock."""

    def __init__(self, prefix="/_inspector", capacity=1000, poll_capacity=2000):
        self.prefix = prefix
        self.capacity = capacity
        self.poll_capacity = poll_capacity
        self.lock = threading.RLock()
        self.records = []
        self.polls = []
        self.upstreams = [upstream()]
        self.last_seq = 0
        self.evicted = 0
        self.csp_reports = []
        self.requests = []  # "METHOD path?query", as they came
        self.refuse = None  # (status, detail): every API request is refused so
        self.delay = 0  # seconds before each answer of the API
        self.absent = set()  # rows of the API that it has not
        self.routes = []
        self.marks = []
        self.comparison = {"from": {}, "to": {}, "items": []}
        self.paused = False
        self.replays = []  # the changes that were asked for
        self.replay_answer = {}  # what a replayed request gets
        self.journal = []  # of events
        self.long = LONG
        self.rows = Rows(self)
        self.port = 0
        self.server = None
        self.held = None
        self.held_tunnel = None

    # --- its life

    def start(self):
        """Listens; again on the same port after stop()."""
        handler = type("Handler", (_Handler,), {"fake": self})
        self.server = _Server(("127.0.0.1", self.port), handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        if self.server is not None:
            self.server.ending = True
            self.server.shutdown()
            self.server.server_close()
            self.server.hang_up()
            self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.prefix}/"

    def forget(self):
        """As a new process: no records, and seqs that begin anew."""
        with self.lock:
            self.records, self.polls, self.last_seq, self.evicted = [], [], 0, 0

    # --- its records

    def _next(self):
        self.last_seq += 1
        return self.last_seq

    def add(self, method="GET", path="/api/things", status=200, ago=0.0, told=True, **more):
        """Keeps a record, complete unless `more` says otherwise, and returns it. `told`: to those who follow events."""
        with self.lock:
            seq = self._next()
            ts = more.pop("ts", time.time() - ago)
            record = {
                "seq": seq, "request_id": f"0195ae3e-7c1f-7b06-9d2e-{seq:012x}",
                "trace_id": f"{seq:032x}", "ts": ts, "time": rfc3339(ts), "state": "complete",
                "method": method, "scheme": "http", "host": "dash.acme.dev", "path": path, "query": "",
                "status": status, "duration_ms": 42.5, "ttfb_ms": 40.1, "caller": None,
                "client_ip": "10.4.2.17", "route": "/api", "upstream": "api", "error": None,
                "attempts": 1, "reused": True, "idle_ms": 120.0,
                "timing": {"queue_ms": 0.0, "connect_ms": 0.0, "tls_ms": 0.0, "send_ms": 0.2,
                           "wait_ms": 39.9, "receive_ms": 2.4},
                "request_version": "1.1", "response_version": "1.1",
            }
            for side in ("request", "response"):
                record.update({
                    f"{side}_headers": [], f"{side}_trailers": [], f"{side}_body": "",
                    f"{side}_body_encoding": "utf-8", f"{side}_body_truncated": False,
                    f"{side}_body_redacted": False, f"{side}_size_bytes": 0, f"{side}_hash": None,
                })
            record.update(more)
            for side in ("request", "response"):
                body = record[f"{side}_body"]
                if isinstance(body, bytes):
                    record[f"{side}_body"] = base64.b64encode(body).decode()
                    record[f"{side}_body_encoding"] = "base64"
                if f"{side}_size_bytes" not in more:
                    record[f"{side}_size_bytes"] = len(body if isinstance(body, bytes) else body.encode())
            if self.paused:
                return record
            self.records.append(record)
            if told:
                self.journal.append(("request", record))
            while len(self.records) > self.capacity:
                self.records.pop(0)
                self.evicted += 1
            return record

    def send(self, method="GET", path="/api/things", body=None, **headers):
        """What a request through the proxy would leave, where real_inspector.py's upstream answers it."""
        target, _, query = path.partition("?")
        parts = target.split("/")
        if parts[1] == "poll":
            self.add_poll(method, target)
            return
        shown = {name: "[redacted]" if name == "authorization" else value for name, value in headers.items()}
        answer = {"response_headers": fields(content_type="application/json"),
                  "response_body": '{"items": [1, 2, 3], "ok": true}'}
        if parts[1] == "big":
            size = int(parts[2])
            answer = {"response_headers": fields(content_type="text/plain"), "response_size_bytes": size,
                      "response_body": ("0123456789abcde\n" * (size // 16))[:4096], "response_body_truncated": size > 4096,
                      "response_hash": "9f2ac04d77c1e0b2a5d3f6887e4961be"}
        status = int(parts[2]) if parts[1] == "status" else 200
        request_headers = fields(**shown) + (fields(content_type="application/json") if body else [])
        self.add(method, target, status, query=query, request_body=body or "", request_headers=request_headers, **answer)

    def hold(self):
        self.held = self.begin("GET", "/held")

    def hold_tunnel(self):
        self.held_tunnel = self.add("GET", "/tunnel", 101, state="tunnel", duration_ms=1.0, timing={"wait_ms": 1.0})

    def let_tunnel_go(self):
        self.finish(self.held_tunnel, 101, 800.0, state="tunnel", request_size_bytes=5, response_size_bytes=5)

    def let_go(self):
        self.finish(self.held, 200, 800.0, response_headers=fields(content_type="application/json"),
                    response_body='{"items": [1, 2, 3], "ok": true}', response_size_bytes=32)

    def begin(self, method="GET", path="/api/things", **more):
        """Keeps a record of an exchange that has no answer yet."""
        return self.add(method, path, 0, state="active", duration_ms=None, ttfb_ms=None, timing={}, **more)

    def finish(self, record, status=200, duration_ms=120.0, **more):
        with self.lock:
            record.update({"status": status, "state": "complete", "duration_ms": duration_ms,
                           "timing": {"send_ms": 0.2, "wait_ms": duration_ms - 0.4, "receive_ms": 0.2}})
            record.update(more)
            self.journal.append(("request", record))

    def fall_behind(self, count):
        """As many exchanges that no reader of events was told of."""
        with self.lock:
            for i in range(count):
                self.add(path=f"/api/missed/{i}", told=False)
            self.journal.append(("gap", {"reason": "late", "missed": count, "before": self.last_seq + 1}))

    def shown(self, row):
        """A summary."""
        return {key: value for key, value in row.items() if key not in LONG}

    def counts(self):
        """How full it is, as the list and the events say."""
        with self.lock:
            return {
                "count": len(self.records), "capacity": self.capacity, "evicted": self.evicted,
                "bytes": 21400 * len(self.records), "bytes_capacity": 32 << 20,
                "poll_rows": len(self.polls), "poll_capacity": self.poll_capacity, "paused": self.paused,
            }

    def add_poll(self, method="GET", path="/api/monitor/aks", status=200, ago=0.0, duration_ms=12.0, size=2048):
        with self.lock:
            seq = self._next()
            row = {"seq": seq, "time": rfc3339(time.time() - ago), "request_id": f"poll-{seq}",
                   "method": method, "path": path, "status": status, "duration_ms": duration_ms,
                   "request_size_bytes": 0, "response_size_bytes": size, "poll": True}
            self.polls.append(row)
            self.journal.append(("request", row))
            del self.polls[:-self.poll_capacity]
            return row

    # --- its answers

    def listing(self, query):
        with self.lock:
            rows = list(self.records)
            if query.get("polls") == "1":
                rows = sorted(rows + self.polls, key=lambda row: row["seq"])
            rows.reverse()
            chosen = [row for row in rows if _passes(row, query)]
            limit = max(1, min(1000, int(query.get("limit", 100))))
            page = chosen[:limit]
            return {
                "items": [self.shown(row) for row in page], **self.counts(),
                "next": page[-1]["seq"] if len(chosen) > limit else None,
                "server": {"version": "0.1.0", "listen": [f"127.0.0.1:{self.port}"], "capture_body": 262144},
            }

    def record(self, name):
        with self.lock:
            for record in reversed(self.records):
                if name in (f"seq:{record['seq']}", record["request_id"]):
                    return dict(record)
        return None

    def clear(self):
        with self.lock:
            self.records, self.polls = [], []
            self.journal.append(("gap", {"reason": "cleared", "missed": None, "before": self.last_seq + 1}))


def _status_passes(wanted, status):
    for sign, test in ((">=", status.__ge__), ("<=", status.__le__), (">", status.__gt__), ("<", status.__lt__)):
        if wanted.startswith(sign):
            return test(int(wanted[len(sign):]))
    if wanted.endswith("xx"):
        return status // 100 == int(wanted[0])
    return status == int(wanted)


def _text_of(row):
    parts = [row["path"], row.get("query", "")]
    for side in ("request", "response"):
        parts += [f"{field['name']}: {field['value']}" for field in row.get(f"{side}_headers", [])]
        parts.append(row.get(f"{side}_body", ""))
    return "\n".join(parts)


def _path_passes(wanted, path):
    return fnmatch.fnmatchcase(path, wanted) if "*" in wanted else wanted in path


_TESTS = {
    "after": lambda row, value: row["seq"] > int(value),
    "before": lambda row, value: row["seq"] < int(value),
    "method": lambda row, value: row["method"] == value,
    "status": lambda row, value: _status_passes(value, row["status"]),
    "path": lambda row, value: _path_passes(value, row["path"]),
    "q": lambda row, value: value in _text_of(row),
    "state": lambda row, value: row.get("state", "complete") == value,
    "route": lambda row, value: row.get("route") == value,
    "min_duration_ms": lambda row, value: (row["duration_ms"] or 0) >= float(value),
}


def _passes(row, query):
    return all(_TESTS[name](row, value) for name, value in query.items() if name in _TESTS)


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that they can be cut as by the end of a process."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.open = set()
        self.ending = False

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """A connection that was cut, by either side, is no news."""

    def hang_up(self):
        for request in list(self.open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake = None

    def log_message(self, *_):
        pass

    def _send(self, status, content_type, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value, status=200, content_type="application/json"):
        self._send(status, content_type, json.dumps(value).encode(), Cache_Control="no-store")

    def _problem(self, status, detail):
        problem = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
        self._json(problem, status, "application/problem+json")

    def _route(self):
        """What stands below the prefix, and the query."""
        path, _, query = self.path.partition("?")
        if not path.startswith(self.fake.prefix + "/"):
            return None, {}
        return path[len(self.fake.prefix) + 1:], dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def do_GET(self):
        path, query = self._route()
        if path is None:
            self._problem(404, "nothing here")
        elif path == "" or path.startswith("panel/"):
            self._file("index.html" if path == "" else path[len("panel/"):])
        else:
            self._api(path, query)

    def _file(self, name):
        file = PANEL / name
        if "/" in name or not file.is_file():
            self._problem(404, "no such file")
            return
        policy = f"{POLICY}; report-uri {self.fake.prefix}/csp-report"
        content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._send(200, content_type, file.read_bytes(), Content_Security_Policy=policy, Cache_Control="no-store")

    def _api(self, path, query):
        self.fake.requests.append(f"{self.command} {self.path}")
        if self.fake.delay:
            time.sleep(self.fake.delay)
        if self.fake.refuse is not None:
            self._problem(*self.fake.refuse)
        elif path == "api/requests":
            self._list(query)
        elif path == "api/upstreams":
            with self.fake.lock:
                self._json({"items": self.fake.upstreams})
        elif self.fake.rows.get(self, path, query):
            pass
        elif path.startswith("api/requests/"):
            self._one(path[len("api/requests/"):])
        else:
            self._problem(404, "not in this version")

    def _list(self, query):
        try:
            answer = self.fake.listing(query)
        except ValueError:
            self._problem(400, "status: not a status")
            return
        self._json(answer)

    def _one(self, rest):
        name, _, part = rest.partition("/")
        record = self.fake.record(urllib.parse.unquote(name))
        if record is None:
            self._problem(404, "no record with this ID is kept")
        elif part == "":
            self._json(record)
        elif part in ("request-body", "response-body"):
            side = part.split("-")[0]
            body = record[f"{side}_body"]
            raw = base64.b64decode(body) if record[f"{side}_body_encoding"] == "base64" else body.encode()
            self._send(200, "application/octet-stream", raw, Content_Disposition="attachment")
        else:
            self._problem(404, "not in this version")

    def do_DELETE(self):
        path, _ = self._route()
        origin = self.headers.get("Origin")
        self.fake.requests.append(f"DELETE {self.path}")
        if self.fake.refuse is not None:
            self._problem(*self.fake.refuse)
        elif path != "api/requests":
            self._problem(404, "nothing here")
        elif origin != f"http://{self.headers['Host']}":
            self._problem(403, "a change needs a same-origin Origin")
        else:
            self.fake.clear()
            self._send(204, "application/json", b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _ = self._route()
        if path == "csp-report":
            self.fake.csp_reports.append(body.decode(errors="replace"))
            self._send(204, "text/plain", b"")
            return
        self.fake.requests.append(f"POST {self.path}")
        if self.fake.refuse is not None:
            self._problem(*self.fake.refuse)
        elif self.headers.get("Origin") != f"http://{self.headers['Host']}":
            self._problem(403, "a change needs a same-origin Origin")
        elif not self.fake.rows.post(self, path or "", body):
            self._problem(404, "not in this version")


def _run():
    from samples import keep_going, sample_traffic

    fake = FakeInspector()
    sample_traffic(fake)
    fake.start()
    print(fake.url, flush=True)
    keep_going(fake)


if __name__ == "__main__":
    _run()
