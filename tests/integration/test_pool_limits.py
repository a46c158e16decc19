"""The pool's bounds: exact over all workers, and whoever waits gets what becomes free."""

import concurrent.futures
import time

import pytest

from harness.messages import build_response
from harness.serving import Gate
from harness.wire import until


def ask_all(clients, target=b"/"):
    """Each client asks once, all at the same time. Returns the answers in order."""
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(lambda client: client.get(target), clients))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_cap_is_exact_over_all_workers_and_all_are_served(sightglass, serving, workers):
    gate = Gate()
    upstream = serving(gate)
    proxy = sightglass(
        upstream, workers=workers, pool={"max_connections": 5, "queue_timeout": "60s"}
    )
    clients = [proxy.connect() for _ in range(60)]
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        answers = [pool.submit(client.get, b"/%d" % n) for n, client in enumerate(clients)]
        until(lambda: gate.inside == 5, "five requests under way")
        gate.open.set()
        for number, answer in enumerate(answers):
            assert answer.result(60).body == b"/%d" % number
    assert gate.peak == 5
    assert upstream.open_peak <= 5


def test_a_worker_that_waits_at_the_cap_gets_another_workers_idle_place(sightglass, serving):
    """One connection in all, and two workers that need it in turn: neither waits for the other's
    idle time-out."""
    upstream = serving()
    proxy = sightglass(
        upstream,
        workers=2,
        pool={"max_connections": 1, "idle_timeout": "60s", "queue_timeout": "20s"},
    )
    clients = [proxy.connect() for _ in range(16)]  # the system spreads them over both workers
    for turn in range(5):
        for number, client in enumerate(clients):
            assert client.get(b"/%d/%d" % (turn, number)).body == b"/%d/%d" % (turn, number)
    assert upstream.open_peak == 1
    assert all(line["status"] == 200 for line in proxy.access_lines() if line["msg"] == "access")


def test_both_workers_take_turns_under_load_at_a_cap_of_one(sightglass, serving):
    upstream = serving()
    proxy = sightglass(
        upstream, workers=2, pool={"max_connections": 1, "queue_timeout": "60s"}
    )
    clients = [proxy.connect() for _ in range(16)]
    for _ in range(5):
        assert {answer.status for answer in ask_all(clients)} == {200}
    assert upstream.open_peak == 1


def test_no_connection_is_opened_while_the_worker_holds_an_idle_one(sightglass, serving):
    upstream = serving()
    proxy = sightglass(upstream, pool={"max_connections": 50, "max_idle": 20})
    clients = [proxy.connect() for _ in range(20)]
    for _ in range(10):
        for client in clients:
            assert client.get().status == 200
    assert upstream.opened == 1


def test_who_waits_first_is_served_first(sightglass, origin):
    proxy = sightglass(origin, pool={"max_connections": 1, "queue": 10, "queue_timeout": "30s"})
    clients = []
    for number in range(5):
        clients.append(proxy.connect())
        clients[-1].request(b"GET", b"/%d" % number, b"X-Request-ID: wait-%d" % number)
        until(lambda: listed(proxy, f"wait-{number}"), "the request is under way")
    peer = origin.accept()
    for number, client in enumerate(clients):
        assert peer.serve(body=b"x").target == b"/%d" % number
        assert client.read_response().body == b"x"
    assert proxy.inspector.record("wait-4")["timing"]["queue_ms"] > 0


def listed(proxy, request_id):
    return any(item["request_id"] == request_id for item in proxy.inspector.list())


def test_a_full_queue_refuses_at_once(sightglass, origin):
    proxy = sightglass(origin, pool={"max_connections": 1, "queue": 1, "queue_timeout": "30s"})
    first, second, third = (proxy.connect() for _ in range(3))
    first.request(b"GET", b"/first")
    peer = origin.accept()
    peer.read_request()
    second.request(b"GET", b"/second", b"X-Request-ID: queued")
    until(lambda: listed(proxy, "queued"), "the second one waits")
    started = time.monotonic()
    refused = third.get(b"/third", b"X-Request-ID: refused")
    assert time.monotonic() - started < 25, "it did not wait for the queue's time-out"
    assert refused.status == 503 and int(refused.one("Retry-After")) >= 0
    assert refused.one("Content-Type").startswith(b"application/problem+json")
    assert "UO" in proxy.access_log(request_id="refused")["flags"]
    peer.respond(body=b"1")
    assert first.read_response().body == b"1"
    assert peer.serve(body=b"2").target == b"/second"
    assert second.read_response().body == b"2"


def test_waiting_has_a_timeout(sightglass, origin):
    proxy = sightglass(origin, pool={"max_connections": 1, "queue_timeout": "200ms"})
    first, second = proxy.connect(), proxy.connect()
    first.request(b"GET", b"/first")
    peer = origin.accept()
    peer.read_request()
    refused = second.get(b"/second")
    assert refused.status == 503 and refused.has("Retry-After")
    assert b"200 ms" in refused.body, "it says that it waited, and how long"
    peer.respond(body=b"1")
    assert first.read_response().body == b"1"
    second.request(b"GET", b"/third")
    assert peer.serve(body=b"3").target == b"/third"
    assert second.read_response().body == b"3"


def test_who_leaves_the_queue_is_forgotten(sightglass, origin):
    proxy = sightglass(origin, pool={"max_connections": 1, "queue": 10, "queue_timeout": "30s"})
    first, second, third = (proxy.connect() for _ in range(3))
    first.request(b"GET", b"/first")
    peer = origin.accept()
    peer.read_request()
    second.request(b"GET", b"/second", b"X-Request-ID: leaver")
    until(lambda: listed(proxy, "leaver"), "the second one waits")
    second.close()
    proxy.inspector.record("leaver", state="client_aborted")
    third.request(b"GET", b"/third")
    peer.respond()
    first.read_response()
    assert peer.serve(body=b"3").target == b"/third"
    assert third.read_response().body == b"3"


def test_a_place_comes_back_from_every_kind_of_end(sightglass, origin):
    """Cancelled, cut off, refused, complete: the one place there is must be free again each
    time."""
    proxy = sightglass(origin, pool={"max_connections": 1, "queue_timeout": "20s"})
    for turn in range(5):
        client = proxy.connect()
        client.request(b"GET", b"/cancelled")
        origin.next_request()
        client.close()
        cut = proxy.connect()
        cut.request(b"GET", b"/cut")
        peer, _ = origin.next_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12")
        peer.close()
        cut.read_to_end()
        bad = proxy.connect()
        bad.request(b"GET", b"/bad")
        peer, _ = origin.next_request()
        peer.send(b"nonsense\r\n\r\n")
        assert bad.read_response().status == 502
        good = proxy.connect()
        good.request(b"GET", b"/good")
        peer, _ = origin.next_request()
        peer.send(build_response(200, b"Connection: close", body=b"good"))
        assert good.read_response().body == b"good"


def test_two_upstreams_have_two_pools(sightglass, origin, serving):
    other = serving()
    proxy = sightglass(
        origin,
        pool={"max_connections": 1},
        config={
            "upstreams": [{"name": "other", "url": other.url}],
            "routes": [{"prefix": "/other", "upstream": "other"}],
        },
    )
    stuck = proxy.connect()
    stuck.request(b"GET", b"/stuck")
    peer = origin.accept()
    peer.read_request()
    client = proxy.connect()
    assert client.get(b"/other/x").body == b"/other/x"
    peer.respond(body=b"free")
    assert stuck.read_response().body == b"free"
    assert proxy.access_log(path="/other/x")["upstream"] == "other"


def test_a_route_leads_to_its_upstream_by_its_longest_prefix_and_method(sightglass, serving):
    def named(name):
        return serving(lambda request: build_response(200, body=name + b" " + request.target))

    api, jobs, writes = named(b"api"), named(b"jobs"), named(b"writes")
    proxy = sightglass(
        api,
        config={
            "upstreams": [{"name": "jobs", "url": jobs.url}, {"name": "writes", "url": writes.url}],
            "routes": [
                {"prefix": "/api", "upstream": "api"},
                {"prefix": "/api/jobs", "upstream": "jobs"},
                {"prefix": "/api/jobs", "methods": ["POST"], "upstream": "writes"},
            ],
        },
    )
    client = proxy.connect()
    assert client.get(b"/api/x").body == b"api /api/x"
    assert client.get(b"/api/jobs/7").body == b"jobs /api/jobs/7"
    assert client.get(b"/api/jobs?x").body == b"jobs /api/jobs?x"
    assert client.get(b"/api/jobsters").body == b"api /api/jobsters"
    assert client.get(b"/api/%6aobs").body == b"jobs /api/%6aobs"
    assert client.get(b"/api/x/../jobs").body == b"jobs /api/x/../jobs"
    assert client.get(b"//api//jobs").body == b"jobs //api//jobs"
    assert client.ask(b"POST", b"/api/jobs", body=b"").body == b"writes /api/jobs"


@pytest.mark.slow
def test_ten_thousand_gets_open_at_most_max_idle_connections(sightglass, nginx):
    proxy = sightglass(nginx, workers=2, pool={"max_idle": 4})
    client = proxy.connect()
    used = set()
    for _ in range(10_000):
        used.add(client.get(b"/small").one("X-Connection"))
    assert len(used) <= 4


@pytest.mark.slow
def test_gets_on_connections_of_their_own_share_the_pool_as_well(sightglass, nginx):
    proxy = sightglass(nginx, workers=2, pool={"max_idle": 4})
    used = set()
    for _ in range(3_000):
        client = proxy.connect()
        used.add(client.get(b"/small", b"Connection: close").one("X-Connection"))
        client.close()
    assert len(used) <= 4
