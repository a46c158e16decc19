"""Bounded memory with the right order of forgetting: a flood of reads never evicts the submit that
failed."""

import pytest

from harness.messages import build_request, build_response
from harness.wire import until


def answers(request):
    if request.target.startswith(b"/fail"):
        return build_response(500, body=b"failed")
    if request.target.startswith(b"/big"):
        return build_response(200, body=b"b" * 100_000)
    return build_response(200, body=b"fine")


@pytest.fixture
def small_ring(sightglass, serving):
    """A ring of twenty records in front of an upstream that fails below /fail."""
    return sightglass(serving(answers), "--capture-entries", "20", workers=2)


def ids(proxy):
    return {item["request_id"] for item in proxy.inspector.list(limit=1000)}


def flood(proxy, count, method=b"GET", target=b"/read"):
    client = proxy.connect()
    for number in range(count):
        tag = b"X-Request-ID: %s-%s-%d" % (method, target.strip(b"/"), number)
        client.ask(method, target, tag, body=b"" if method != b"GET" else None)


def test_the_ring_is_bounded_by_count_and_the_oldest_go_first(small_ring):
    flood(small_ring, 100)
    until(lambda: "GET-read-99" in ids(small_ring), "the newest is there")
    listed = small_ring.inspector.json("/api/requests?limit=1000")
    assert listed["capacity"] == 20
    assert listed["count"] == len(listed["items"]) <= 20
    assert listed["evicted"] == 100 - listed["count"]
    kept = sorted(int(i["request_id"].rsplit("-", 1)[1]) for i in listed["items"])
    assert kept == list(range(100 - len(kept), 100)), "the newest, without a gap"


def test_reads_alone_may_use_the_whole_ring(small_ring):
    flood(small_ring, 100)
    until(lambda: len(ids(small_ring)) == 20, "unused shares are lent out")


def test_a_flood_of_reads_never_evicts_the_failed_submit(small_ring):
    client = small_ring.connect()
    client.ask(b"POST", b"/fail/submit", b"X-Request-ID: the-failed-submit", body=b"data")
    client.ask(b"POST", b"/submit", b"X-Request-ID: the-submit", body=b"data")
    client.get(b"/fail/read", b"X-Request-ID: the-failed-read")
    flood(small_ring, 500)
    kept = ids(small_ring)
    assert {"the-failed-submit", "the-submit", "the-failed-read"} <= kept
    assert small_ring.inspector.record("the-failed-submit")["request_body"] == "data"
    assert len(kept) == 20


def test_a_reserved_share_is_taken_back_when_it_is_needed(small_ring):
    flood(small_ring, 100)
    flood(small_ring, 5, method=b"POST", target=b"/write")
    kept = ids(small_ring)
    assert {f"POST-write-{n}" for n in range(5)} <= kept and len(kept) == 20


def test_a_flood_of_failures_does_not_evict_the_mutations(small_ring):
    flood(small_ring, 3, method=b"POST", target=b"/write")
    flood(small_ring, 200, target=b"/fail")
    assert {f"POST-write-{n}" for n in range(3)} <= ids(small_ring)


def test_a_flood_of_mutations_does_not_evict_the_failures(small_ring):
    flood(small_ring, 3, target=b"/fail")
    flood(small_ring, 200, method=b"POST", target=b"/write")
    assert {f"GET-fail-{n}" for n in range(3)} <= ids(small_ring)


def test_the_ring_is_bounded_by_bytes(sightglass, serving):
    proxy = sightglass(
        serving(answers), "--capture-memory", "2MiB", "--capture-entries", "1000", workers=2
    )
    client = proxy.connect()
    client.ask(b"POST", b"/fail/submit", b"X-Request-ID: kept", body=b"data")
    flood(proxy, 200, target=b"/big")
    until(lambda: "GET-big-199" in ids(proxy), "the newest is there")
    listed = proxy.inspector.json("/api/requests?limit=1000")
    assert 2 <= listed["count"] <= 21 and listed["evicted"] > 150
    assert "kept" in {item["request_id"] for item in listed["items"]}


def test_one_busy_worker_may_use_the_whole_ring(sightglass, serving):
    proxy = sightglass(serving(answers), "--capture-entries", "20", workers=4)
    flood(proxy, 50)  # one client connection: one worker
    until(lambda: len(ids(proxy)) == 20, "all of the ring")


def test_the_order_is_one_over_all_workers(sightglass, serving):
    proxy = sightglass(serving(answers), workers=4)
    clients = [proxy.connect() for _ in range(16)]
    for number in range(160):
        clients[number % 16].get(b"/x", b"X-Request-ID: n%03d" % number)
    listed = until(
        lambda: (i := proxy.inspector.list(limit=1000)) and len(i) == 160 and i, "all are there"
    )
    assert [item["request_id"] for item in listed] == [f"n{n:03d}" for n in range(159, -1, -1)]
    sequence = [item["seq"] for item in listed]
    assert sequence == sorted(sequence, reverse=True) and len(set(sequence)) == 160


def test_a_body_larger_than_any_budget_streams_on(sightglass, serving):
    big = b"0123456789" * 1_000_000
    proxy = sightglass(
        serving(lambda request: build_response(200, body=big)),
        "--capture-memory",
        "1MiB",
        "--capture-body",
        "1MiB",
    )
    client = proxy.connect()
    for number in range(3):
        assert client.get(b"/", b"X-Request-ID: %d" % number).body == big
    listed = proxy.inspector.list()
    for item in listed:
        record = proxy.inspector.record(item["request_id"])
        assert record["response_size_bytes"] == len(big)
        assert record["response_body_truncated"] is True


def test_running_captures_count_against_the_budget(sightglass, origin):
    """Many unfinished uploads at once: memory stays in its bound, traffic goes on."""
    proxy = sightglass(
        origin, "--capture-memory", "1MiB", pool={"max_connections": 100, "max_idle": 20}
    )
    before = proxy.memory_kib()
    clients = []
    for _ in range(50):
        client = proxy.connect()
        client.send(build_request(b"POST", b"/", b"Content-Length: 300000") + b"x" * 250_000)
        peer = origin.accept()
        peer.read_request_head()
        peer.read_exactly(250_000)
        clients.append((client, peer))
    assert proxy.memory_kib() - before < 12 << 10, "50 times 250 KB are on their way"
    for client, peer in clients:
        client.send(b"x" * 50_000)
        peer.read_exactly(50_000)
        peer.respond(body=b"done")
        assert client.read_response().body == b"done"


def test_delete_clears_the_ring_and_the_poll_log(sightglass, serving):
    proxy = sightglass(serving(answers), "--exclude-get", "/poll")
    flood(proxy, 5)
    flood(proxy, 5, target=b"/poll")
    until(lambda: len(proxy.inspector.list(polls=1)) == 10, "ten are listed")
    origin_field = {"Origin": f"http://127.0.0.1:{proxy.port}"}
    assert proxy.inspector.ask("DELETE", "/api/requests", origin_field).status in (200, 204)
    assert proxy.inspector.list(polls=1) == []
    flood(proxy, 1)
    until(lambda: len(proxy.inspector.list()) == 1, "capture goes on")
