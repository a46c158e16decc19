"""`api/routes`: what is counted by route, method and folded path is what the test sent."""

import statistics
import threading
import time

from harness.messages import build_response
from harness.serving import Gate
from harness.wire import until

SHAPE = [
    "route", "method", "path", "capture", "count", "active", "status", "errors", "request_bytes",
    "response_bytes", "p50_ms", "p95_ms", "p99_ms", "mean_ms", "upstream_calls", "upstream_ms",
    "interval_ms", "recent", "overlapped", "compared", "unchanged", "coalesced", "cache_hits",
]  # fmt: skip


def rows(proxy):
    """By method and path."""
    items = proxy.inspector.json("/api/routes")["items"]
    assert all(list(item) == SHAPE for item in items)
    return {(item["method"], item["path"]): item for item in items}


def row(proxy, method, path, count):
    """That row, once as many have ended."""

    def found():
        item = rows(proxy).get((method, path))
        return item if item is not None and item["count"] == count else None

    return until(found, f"{count} of {method} {path}")


def test_without_traffic_the_list_is_empty(sightglass, origin):
    answer = sightglass(origin).inspector.json("/api/routes")
    assert answer["items"] == []
    assert 0 < answer["since_ts"] <= time.time()


def test_what_was_sent_is_counted_by_route_method_and_folded_path(sightglass, serving):
    statuses = {b"/api/jobs/3": 404, b"/api/jobs/4": 503}
    upstream = serving(
        lambda r: build_response(statuses.get(r.target, 200), body=r.target + b"!" * 10)
    )
    proxy = sightglass(
        upstream, "--exclude-get", "/polls", workers=2, config={"routes": [{"prefix": "/api"}]}
    )
    sizes = 0
    for i in range(5):  # each over a connection of its own: so both workers have some
        target = b"/api/jobs/%d" % i
        assert proxy.connect().get(target).status == statuses.get(target, 200)
        sizes += len(target) + 10
    client = proxy.connect()
    for _ in range(3):
        client.get(b"/polls/9f1c2f5e-7d3b-4b6e-9d0a-1f2e3d4c5b6a/state?at=1")
    client.ask(b"POST", b"/api/jobs", body=b"12345")
    client.get(b"/other")
    jobs = row(proxy, "GET", "/api/jobs/{id}", 5)
    assert (jobs["route"], jobs["capture"], jobs["active"]) == ("/api", "full", 0)
    assert jobs["status"] == {"2xx": 3, "4xx": 1, "5xx": 1}
    assert (jobs["errors"], jobs["upstream_calls"]) == (1, 5)
    assert (jobs["request_bytes"], jobs["response_bytes"]) == (0, sizes)
    polls = row(proxy, "GET", "/polls/{id}/state", 3)
    assert (polls["route"], polls["capture"], polls["errors"]) == ("/polls", "row", 0)
    post = row(proxy, "POST", "/api/jobs", 1)
    assert (post["request_bytes"], post["interval_ms"]) == (5, None)
    assert row(proxy, "GET", "/other", 1)["route"] == "/"
    items = proxy.inspector.json("/api/routes")["items"]
    assert [i["count"] for i in items] == [5, 3, 1, 1]
    assert all((i["coalesced"], i["cache_hits"]) == (0, 0) for i in items)


def test_latencies_are_those_of_the_upstream(sightglass, serving):
    delays = [0.02] * 9 + [0.3]

    def answer(request):
        time.sleep(delays[int(request.target.rsplit(b"/", 1)[1])])
        return build_response(200, body=b"x")

    proxy = sightglass(serving(answer))
    client = proxy.connect()
    for i in range(len(delays)):
        client.get(b"/slow/%d" % i)
    item = row(proxy, "GET", "/slow/{id}", 10)
    assert 19.6 <= item["p50_ms"] <= 150
    assert 294 <= item["p95_ms"] <= 1000
    assert item["p99_ms"] == item["p95_ms"]
    records = [r["duration_ms"] for r in proxy.inspector.list(path="/slow*")]
    assert abs(item["mean_ms"] - statistics.mean(records)) < 0.01
    nearest = min(records, key=lambda d: abs(d - item["p95_ms"]))
    assert abs(nearest - item["p95_ms"]) <= 0.02 * nearest
    assert sum(delays) * 1000 <= item["upstream_ms"] <= sum(records)


def test_what_runs_is_active(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate))
    held = proxy.connect()
    held.request(b"GET", b"/held/1")
    until(lambda: gate.inside == 1, "the request upstream")
    item = rows(proxy)["GET", "/held/{id}"]
    assert (item["count"], item["active"], item["p50_ms"], item["mean_ms"]) == (0, 1, None, None)
    gate.open.set()
    held.read_response()
    assert row(proxy, "GET", "/held/{id}", 1)["active"] == 0


def test_a_retry_is_one_more_upstream_call(sightglass, origin):
    proxy = sightglass(origin)
    client = proxy.connect()
    client.request(b"GET", b"/first")
    peer, _ = origin.next_request()
    peer.respond(body=b"x")
    client.read_response()
    client.request(b"GET", b"/second")
    peer.read_request()
    peer.close()
    peer, _ = origin.next_request()
    peer.respond(body=b"x")
    assert client.read_response().status == 200
    assert row(proxy, "GET", "/second", 1)["upstream_calls"] == 2
    peer.close()


def test_answers_that_did_not_change_are_counted_by_url(sightglass, serving):
    bodies = iter([b"a", b"a", b"a", b"b", b"b"])
    upstream = serving(
        lambda r: build_response(200, body=b"same" if b"?" in r.target else next(bodies))
    )
    proxy = sightglass(upstream, workers=2)
    for _ in range(5):  # each over a connection of its own
        proxy.connect().get(b"/things/1")
    for i in range(3):
        proxy.connect().get(b"/things/2?at=%d" % i)  # three URLs: none before any of them
    item = row(proxy, "GET", "/things/{id}", 8)
    assert (item["compared"], item["unchanged"]) == (4, 3)


def test_polls_are_compared_once_a_second_and_their_cadence_is_told(sightglass, serving):
    proxy = sightglass(
        serving(lambda r: build_response(200, body=b"same")), "--exclude-get", "/poll", workers=2
    )
    for _ in range(5):
        for _ in range(4):
            proxy.connect().get(b"/poll")
        time.sleep(1.05)
    item = row(proxy, "GET", "/poll", 20)
    assert 4 <= item["compared"] <= 6
    assert item["unchanged"] == item["compared"]
    assert proxy.inspector.list(polls=0) == []  # nothing of them was kept
    for _ in range(9):
        time.sleep(0.2)
        proxy.connect().get(b"/slow-poll")
    interval = row(proxy, "GET", "/slow-poll", 9)["interval_ms"]
    assert 200 <= interval <= 300


def test_calls_that_overlap_are_told(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate))
    clients = [proxy.connect() for _ in range(3)]
    for i, client in enumerate(clients):
        client.request(b"GET", b"/x")
        until(lambda inside=i: gate.inside == inside + 1, "the request upstream")
    gate.open.set()
    for client in clients:
        client.read_response()
    item = row(proxy, "GET", "/x", 3)
    assert (item["recent"], item["overlapped"]) == (3, 2)


def test_made_up_paths_fill_their_routes_share_and_no_more(sightglass, serving):
    proxy = sightglass(serving(), config={"routes": [{"prefix": "/api"}]})
    client = proxy.connect()
    names = [f"/made-up-{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnop"]
    for name in names:
        client.get(name.encode())
    client.get(b"/api/me")
    row(proxy, "GET", "/api/me", 1)
    found = rows(proxy)
    assert len(found) == 256 + 1 + 1
    assert found["GET", "other"]["count"] == len(names) - 256
    assert found["GET", "other"]["route"] == "/"


def test_a_token_in_a_path_is_not_shown(sightglass, serving):
    proxy = sightglass(serving())
    client = proxy.connect()
    secrets = [b"AKIAIOSFODNN7EXAMPLE", b"ghp_16C7e42F292c6912E7710c838347Ae178B4a"]
    for secret in secrets:
        client.get(b"/keys/" + secret)
        client.get(b"/callback/token=" + secret)
    until(lambda: len(rows(proxy)) >= 3, "all rows")
    for path in ("/api/routes", "/api/summary"):
        body = proxy.inspector.get(path).body
        assert b"/keys/" in body
        assert not any(secret in body for secret in secrets)


def test_counts_are_exact_with_many_clients_at_once(sightglass, serving):
    proxy = sightglass(serving(), workers=2)

    def ask(number):
        client = proxy.connect()
        for i in range(50):
            client.get(b"/api/things/%d/%s" % (number * 100 + i, b"ab"[i % 2 : i % 2 + 1]))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in "ab":
        item = row(proxy, "GET", f"/api/things/{{id}}/{name}", 200)
        assert (item["active"], item["status"], item["upstream_calls"]) == (0, {"2xx": 200}, 200)


def test_a_parameter_is_refused(sightglass, origin):
    answer = sightglass(origin).inspector.get("/api/routes?limit=3")
    assert answer.status == 400
    assert "limit" in answer.json()["detail"]
