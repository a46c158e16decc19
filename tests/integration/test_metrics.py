"""`metrics`: what is counted is what passed, and the text is what Prometheus reads."""

import http.client
import re
import socket

import pytest

from harness.messages import build_response
from harness.metrics import Metrics
from harness.process import REPOSITORY, run
from harness.serving import Gate
from harness.wire import DEADLINE_S, until

NAMES = [
    "http_server_request_duration_seconds",
    "http_server_active_requests",
    "http_client_request_duration_seconds",
    "http_client_open_connections",
    "sightglass_client_connections",
    "sightglass_upstream_connects_total",
    "sightglass_upstream_reuses_total",
    "sightglass_upstream_retries_total",
    "sightglass_upstream_failures_total",
    "sightglass_upstream_queue_seconds",
    "sightglass_capture_records",
    "sightglass_capture_bytes",
    "sightglass_capture_evicted_total",
    "sightglass_capture_truncated_total",
    "sightglass_capture_dropped_total",
    "sightglass_build_info",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
]
COUNT = "http_server_request_duration_seconds_count"
STATUS = "http_response_status_code"


def scrape(proxy):
    answer = proxy.inspector.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return Metrics(answer.body.decode())


def served(method, route, status):
    return {"http_request_method": method, "http_route": route, STATUS: str(status)}


def test_without_traffic_all_but_the_requests_are_there(sightglass, origin):
    metrics = scrape(sightglass(origin))
    assert list(metrics.types) == NAMES[1:]
    assert metrics.value("http_server_active_requests") == 0
    assert metrics.value("http_client_open_connections", upstream="api", state="active") == 0
    assert metrics.sum("sightglass_upstream_failures_total", upstream="api") == 0
    assert metrics.value("http_client_request_duration_seconds_count", upstream="api") == 0


def test_requests_are_counted_by_route_method_and_status(sightglass, serving):
    upstream = serving(lambda r: build_response(404 if r.target == b"/none" else 200, body=b"x"))
    proxy = sightglass(upstream, "--exclude-get", "/polls", config={"routes": [{"prefix": "/api"}]})
    client = proxy.connect()
    for _ in range(5):
        client.get(b"/api/things?secret=1")
    for _ in range(3):
        client.get(b"/polls/a")
    client.ask(b"POST", b"/polls/a", body=b"{}")
    client.get(b"/none")
    client.ask(b"PROPFIND", b"/api/things")
    refused = proxy.connect()
    refused.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert refused.read_response().status == 400

    def counted():
        metrics = scrape(proxy)
        return metrics.sum(COUNT) == 12 and metrics

    metrics = until(counted, "12 requests in the metrics")
    assert metrics.value(COUNT, **served("GET", "/api", 200)) == 5
    assert metrics.value(COUNT, **served("GET", "/polls", 200)) == 3
    assert metrics.value(COUNT, **served("POST", "/", 200)) == 1
    assert metrics.value(COUNT, **served("GET", "/", 404)) == 1
    assert metrics.value(COUNT, **served("_OTHER", "/api", 200)) == 1
    assert metrics.sum(COUNT, http_route="", **{STATUS: "400"}) == 1
    assert metrics.value("sightglass_upstream_connects_total", upstream="api") == 1
    assert metrics.value("sightglass_upstream_reuses_total", upstream="api") == 10
    assert metrics.value("http_client_request_duration_seconds_count", upstream="api") == 11
    assert metrics.value("http_client_open_connections", upstream="api", state="idle") == 1
    assert metrics.sum("sightglass_capture_records") == 9, "polls leave rows, not records"
    assert list(metrics.types) == NAMES, "the order is the same every time"


def test_the_workers_are_summed(sightglass, serving):
    proxy = sightglass(serving(), workers=2)
    for _ in range(40):
        client = proxy.connect()
        assert client.get(b"/x").status == 200
        client.close()
    until(lambda: scrape(proxy).value(COUNT, **served("GET", "/", 200)) == 40, "40 requests")
    metrics = scrape(proxy)
    connects = metrics.value("sightglass_upstream_connects_total", upstream="api")
    assert connects + metrics.value("sightglass_upstream_reuses_total", upstream="api") == 40
    assert metrics.value("sightglass_capture_records", **{"class": "read"}) == 40


def test_what_runs_and_what_waits_is_seen(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate), pool={"max_connections": 1})
    clients = [proxy.connect() for _ in range(3)]
    for client in clients:
        client.request(b"GET", b"/held")

    def running():
        metrics = scrape(proxy)
        return metrics.value("http_server_active_requests") == 3 and metrics

    metrics = until(running, "three requests that run")
    assert metrics.value("sightglass_client_connections") == 4, "the scrape's own is one"
    until(
        lambda: scrape(proxy).value("http_client_open_connections", upstream="api", state="active")
        == 1,
        "a connection in use",
    )
    gate.open.set()
    for client in clients:
        assert client.read_response().status == 200
    until(lambda: scrape(proxy).value("http_server_active_requests") == 0, "the end of all")
    metrics = scrape(proxy)
    assert metrics.value("sightglass_upstream_queue_seconds_count", upstream="api") == 2
    assert metrics.value("sightglass_upstream_queue_seconds_sum", upstream="api") > 0


def test_failures_are_counted_by_reason(sightglass):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    proxy = sightglass(url, breaker={"failures": 2, "open": "1h"})
    client = proxy.connect()
    assert [client.get(b"/x").status for _ in range(3)] == [502, 502, 503]
    metrics = scrape(proxy)
    failures = "sightglass_upstream_failures_total"
    assert metrics.value(failures, upstream="api", reason="refused") == 2
    assert metrics.value(failures, upstream="api", reason="breaker_open") == 1
    assert metrics.sum(failures) == 3
    assert metrics.sum(COUNT, **{STATUS: "502"}) == 2
    assert metrics.sum("sightglass_capture_records", **{"class": "failed"}) == 3


def test_a_route_may_hold_any_sign(sightglass, serving):
    route = '/a"b\\c'
    proxy = sightglass(serving(), config={"routes": [{"prefix": route}]})
    client = proxy.connect()
    client.get(b"/a%22b%5Cc/d")
    client.get(b'/a"b\\c/d')
    found = {dict(labels).get("http_route") for name, labels in scrape(proxy).samples if name == COUNT}
    assert found <= {route, "/"} and found


def test_the_process_is_there(sightglass, origin):
    proxy = sightglass(origin)
    metrics = scrape(proxy)
    again = scrape(proxy)
    assert metrics.value("process_resident_memory_bytes") > 1 << 20
    assert metrics.value("process_open_fds") <= metrics.value("process_max_fds")
    start = "process_start_time_seconds"
    assert metrics.value(start) == again.value(start) > 1_600_000_000
    assert again.value("process_cpu_seconds_total") >= metrics.value("process_cpu_seconds_total") > 0
    assert metrics.sum("sightglass_build_info") == 1


def test_metrics_need_what_the_api_needs(sightglass, origin):
    proxy = sightglass(origin, "--inspector-token", "a-long-token")
    foreign = {"X-Forwarded-For": "192.0.2.1"}
    assert proxy.inspector.ask("GET", "/metrics", foreign).status == 401
    assert proxy.inspector.ask("GET", "/metrics", {"Host": "elsewhere.example"}).status == 403
    bearer = {**foreign, "Authorization": "Bearer a-long-token"}
    assert proxy.inspector.ask("GET", "/metrics", bearer).status == 200
    assert proxy.inspector.ask("POST", "/metrics", bearer).status == 405
    assert proxy.inspector.ask("HEAD", "/metrics").body == b""


# --- the admin listener


def ask(proxy, index, path, method="GET", **headers):
    connection = http.client.HTTPConnection(*proxy.address(index), timeout=DEADLINE_S)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


@pytest.fixture
def watched(sightglass, serving):
    upstream = serving()
    proxy = sightglass(
        upstream,
        "--admin-listen",
        "127.0.0.1:0",
        "--inspector-token",
        "a-long-token",
        listeners=2,
        config={"limits": {"connections": 2}},
    )
    return proxy, upstream


def test_an_admin_listener_answers_three_paths_to_everybody(watched):
    proxy, upstream = watched
    for path, beginning in (("/metrics", b"# HELP"), ("/healthz", b"ok"), ("/readyz", b"ok")):
        status, body = ask(proxy, 1, path, X_Forwarded_For="192.0.2.1", Host="anything.example")
        assert status == 200 and body.startswith(beginning), path
    for path in ("/", "/_inspector/", "/_inspector/metrics", "/api/requests", "/metrics/", "/x"):
        status, body = ask(proxy, 1, path)
        assert status == 404 and b"/metrics, /healthz and /readyz alone" in body, path
    assert ask(proxy, 1, "/metrics", "POST")[0] == 405
    assert ask(proxy, 1, "*", "OPTIONS")[0] == 404
    assert not upstream.requests, "nothing that comes there goes upstream"
    assert scrape(proxy).sum(COUNT) == 0 and not proxy.inspector.list()
    assert ask(proxy, 0, "/metrics")[0] == 200, "elsewhere the path is the upstream's"
    assert [request.target for request in upstream.requests] == [b"/metrics"]


def test_an_admin_listener_answers_when_there_is_no_room_for_clients(watched):
    proxy, _ = watched
    busy = [proxy.connect(), proxy.connect()]
    for client in busy:
        assert client.get(b"/x").status == 200
    assert proxy.connect().get(b"/x").status == 503
    assert ask(proxy, 1, "/healthz")[0] == 200
    metrics = Metrics(ask(proxy, 1, "/metrics")[1].decode())
    assert metrics.value("sightglass_client_connections") == 2, "it is not among them"


def test_an_admin_listener_stands_without_an_inspector(sightglass, serving):
    proxy = sightglass(serving(), "--admin-listen", "127.0.0.1:0", "--no-inspector", listeners=2)
    assert proxy.connect().get(b"/_inspector/metrics").status == 200, "the upstream's own"
    metrics = Metrics(ask(proxy, 1, "/metrics")[1].decode())
    assert metrics.sum(COUNT) == 1
    assert not [name for name in metrics.types if "capture" in name]
    assert ask(proxy, 1, "/readyz")[0] == 200
    assert "inspector:" not in proxy.stderr.text()


def test_an_admin_listener_may_be_a_unix_socket(sightglass, serving, tmp_path):
    path = tmp_path / "admin.sock"
    proxy = sightglass(serving(), "--admin-listen", f"unix:{path}", listeners=2)
    client = proxy.connect(1)
    assert client.get(b"/readyz", host=b"localhost").body == b"ok\n"
    proxy.stop()
    assert not path.exists()


def test_metrics_and_readiness_are_told_while_it_drains(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate), "--admin-listen", "127.0.0.1:0", listeners=2)
    held = proxy.connect()
    held.request(b"GET", b"/held")
    until(lambda: gate.inside == 1, "the request upstream")
    watchers = [proxy.connect(1) for _ in range(2)]
    for watcher in watchers:  # begun before, ended after: an idle connection would be closed
        watcher.send(b"GET /")
    until(
        lambda: Metrics(ask(proxy, 1, "/metrics")[1].decode()).value("http_server_active_requests"),
        "the request in the metrics",
    )
    proxy.signal(15)
    until(proxy.refuses_connections, "the beginning of the end")
    watchers[0].send(b"readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert watchers[0].read_response().status == 503
    watchers[1].send(b"metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = watchers[1].read_response()
    assert Metrics(answer.body.decode()).value("http_server_active_requests") == 1
    gate.open.set()
    assert held.read_response().status == 200
    assert proxy.wait() == 0


def test_admin_listen_is_in_help_and_check_and_readme():
    assert "--admin-listen ADDR" in run("--help").stdout
    checked = run("--check", "--upstream", "http://127.0.0.1:9", "--admin-listen", ":9100")
    assert re.search(r"^admin:\n  listen: \[\":9100\"\]$", checked.stdout, re.M), checked.stdout
    assert re.search(r"^#   statistics +[\d.]+ MiB$", checked.stdout, re.M)
    assert "--admin-listen" in (REPOSITORY / "README.md").read_text()
