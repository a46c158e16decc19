"""The circuit breaker: an upstream that fails again and again is left alone for a while, then tried
by one request alone."""

import concurrent.futures
import json
import select

import pytest

from harness.messages import build_response
from harness.origin import Origin
from harness.wire import DEADLINE_S, until

SOON = {"failures": 2, "open": "100ms"}
NOT_TOO_SOON = {"failures": 2, "open": "400ms"}  # so that a test can ask before it is over
NOT_SOON = {"failures": 2, "open": "1h"}


def detail(response):
    return json.loads(response.body)["detail"]


def fail_until_it_opens(proxy, failures=2):
    """Of an upstream that refuses: so many 502."""
    client = proxy.connect()
    for _ in range(failures):
        assert client.get(b"/fails").status == 502
    return client


def probe(client, origin, target=b"/probe", *fields):
    """Asks again and again until it is let through; returns the upstream's end of it."""
    while True:
        client.request(b"GET", target, *fields)
        assert select.select([origin.listener, client.sock], [], [], DEADLINE_S)[0]
        if origin.waiting():
            return origin.accept()
        assert client.read_response().status == 503


@pytest.fixture
def back(sightglass, origin):
    """A function that lets an upstream that refused listen again."""
    made = []

    def listen():
        made.append(Origin(port=origin.port))
        return made[-1]

    origin.stop_listening()
    yield listen
    for upstream in made:
        upstream.close()


def test_an_upstream_that_refuses_is_left_alone_after_five_failures(sightglass, origin, back):
    proxy = sightglass(origin)
    client = fail_until_it_opens(proxy, failures=5)
    upstream = back()
    refused = client.get(b"/sixth", b"X-Request-ID: sixth")
    assert refused.status == 503
    assert 1 <= int(refused.one("Retry-After")) <= 10
    assert refused.one("Content-Type").startswith(b"application/problem+json")
    assert "upstream api: is left alone for " in detail(refused)
    assert " after 5 failures in a row, the last: connect to " in detail(refused)
    assert detail(refused).endswith("connection refused")
    assert not upstream.waiting(), "the upstream was not asked"
    line = proxy.access_log(request_id="sixth")
    assert (line["flags"], line["status"], line["attempts"]) == ("UO", 503, 0)
    assert line["error"] == detail(refused)
    assert line["state"] == "upstream_failed" and line["upstream"] == "api"
    record = proxy.inspector.record("sixth", state="upstream_failed")
    assert record["error"] == detail(refused)
    proxy.stderr.wait_for(
        lambda entry: "is left alone for 10000 ms after 5 failures" in entry, "a warning"
    )


def test_a_request_with_a_body_is_refused_too(sightglass, origin, back):
    proxy = sightglass(origin, breaker=NOT_SOON)
    client = fail_until_it_opens(proxy)
    refused = client.ask(b"POST", b"/submit", body=b"x" * 100_000)
    assert refused.status == 503 and int(refused.one("Retry-After")) > 3500


def test_one_request_tries_it_and_lets_the_others_in_again(sightglass, origin, back):
    proxy = sightglass(origin, breaker=SOON)
    client = fail_until_it_opens(proxy)
    upstream = back()
    peer = probe(client, upstream)
    others = [proxy.connect() for _ in range(5)]
    for other in others:
        refused = other.get(b"/meanwhile")
        assert refused.status == 503 and refused.one("Retry-After") == b"1"
        assert "is tried by one request alone" in detail(refused)
    assert not upstream.waiting(), "one request alone"
    peer.serve(body=b"back")
    assert client.read_response().body == b"back"
    proxy.stderr.wait_for(lambda entry: "upstream api: answers again" in entry, "a notice")
    for other in others:
        other.request(b"GET", b"/after")
        assert peer.serve(body=b"after").target == b"/after"
        assert other.read_response().body == b"after"


def test_a_probe_that_fails_leaves_the_upstream_alone_again(sightglass, origin, back):
    proxy = sightglass(origin, breaker=NOT_TOO_SOON)
    client = fail_until_it_opens(proxy)
    upstream = back()
    for failures in (3, 4):
        peer = probe(client, upstream)
        peer.read_request()
        peer.close()
        assert client.read_response().status == 502
        assert f"after {failures} failures in a row" in detail(client.get(b"/too-early"))
    peer = probe(client, upstream)
    peer.serve()
    assert client.read_response().status == 200


def test_a_probe_that_cannot_connect_leaves_the_upstream_alone_again(sightglass, origin, back):
    proxy = sightglass(origin, breaker=NOT_TOO_SOON)
    client = fail_until_it_opens(proxy)

    def tried_again():
        response = client.get(b"/again")
        assert response.status in (502, 503)
        return response.status == 502

    until(tried_again, "the probe failed")
    assert "after 3 failures in a row" in detail(client.get(b"/too-early"))


def test_a_probe_whose_client_leaves_makes_room_for_the_next(sightglass, origin, back):
    proxy = sightglass(origin, breaker=SOON)
    client = fail_until_it_opens(proxy)
    upstream = back()
    leaver = proxy.connect()
    peer = probe(leaver, upstream)
    peer.read_request()
    assert client.get(b"/meanwhile").status == 503
    leaver.close()
    second = probe(client, upstream)
    second.serve(body=b"second")
    assert client.read_response().body == b"second"


def test_another_upstream_is_not_affected(sightglass, origin, back, serving):
    other = serving()
    proxy = sightglass(
        origin,
        breaker=NOT_SOON,
        config={
            "upstreams": [{"name": "other", "url": other.url}],
            "routes": [{"prefix": "/other", "upstream": "other"}],
        },
    )
    client = fail_until_it_opens(proxy)
    assert client.get(b"/").status == 503
    assert client.get(b"/other/x").body == b"/other/x"
    assert proxy.inspector.get("/readyz").status == 200, "one upstream can be reached"


def test_all_workers_leave_it_alone_and_send_one_probe(sightglass, origin, back):
    proxy = sightglass(origin, workers=4, breaker={"failures": 8, "open": "100ms"})
    clients = [proxy.connect() for _ in range(32)]  # the system spreads them
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        statuses = [answer.status for answer in pool.map(lambda c: c.get(b"/"), clients)]
        assert statuses.count(502) >= 8
        assert set(statuses) <= {502, 503}
        upstream = back()
        # The first that asks after the time gets through; whoever else asks, on whichever worker,
        # does not.
        peer = probe(clients[0], upstream)
        statuses = {answer.status for answer in pool.map(lambda c: c.get(b"/"), clients[1:])}
    assert statuses == {503}
    assert not upstream.waiting()
    peer.serve(body=b"back")
    assert clients[0].read_response().body == b"back"


def test_connections_in_the_pool_are_left_alone_too(sightglass, origin):
    proxy = sightglass(origin, breaker=NOT_SOON, upstream_timeouts={"first_byte": "200ms"})
    clients = [proxy.connect() for _ in range(3)]
    peers = []
    for client in clients:
        client.request()
        peers.append(origin.accept())
        peers[-1].read_request()
    peers[0].respond(body=b"kept")
    assert clients[0].read_response().body == b"kept"
    for client in clients[1:]:
        assert client.read_response().status == 504
    assert clients[0].get(b"/again").status == 503
    assert not select.select([peers[0].sock], [], [], 0)[0], "it is open still, and idle"


def test_a_reset_before_the_answer_counts(sightglass, origin):
    proxy = sightglass(origin, breaker=NOT_SOON)
    client = proxy.connect()
    for _ in range(2):
        client.request()
        peer = origin.accept()
        peer.read_request()
        peer.reset()
        assert client.read_response().status == 502
    assert client.get(b"/").status == 503


def test_bad_and_cut_answers_and_errors_of_the_upstream_do_not_count(sightglass, origin):
    proxy = sightglass(origin, breaker={"failures": 1, "open": "1h"})
    for _ in range(2):
        client = proxy.connect()
        client.request()
        peer, _ = origin.next_request()
        peer.respond(503)
        assert client.read_response().status == 503
        client.request()
        peer, _ = origin.next_request()
        peer.send(b"nonsense\r\n\r\n")
        assert client.read_response().status == 502
        client.request()
        peer, _ = origin.next_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12")
        peer.close()
        client.read_to_end()
    client = proxy.connect()
    client.request()
    peer, _ = origin.next_request()
    peer.respond(body=b"fine")
    assert client.read_response().body == b"fine"


def test_an_idle_close_that_crossed_a_request_does_not_count(sightglass, origin):
    proxy = sightglass(origin, breaker={"failures": 1, "open": "1h"})
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.serve()
    client.read_response()
    client.request()
    peer.read_request()
    peer.close()
    origin.accept().serve(body=b"once more")
    assert client.read_response().body == b"once more"
    client.request()
    peer, _ = origin.next_request()
    peer.respond(body=b"fine")
    assert client.read_response().body == b"fine"


def test_a_client_that_leaves_does_not_count(sightglass, origin):
    proxy = sightglass(origin, breaker={"failures": 1, "open": "1h"})
    for number in range(3):
        client = proxy.connect()
        client.request(b"GET", b"/", b"X-Request-ID: leaver-%d" % number)
        origin.next_request()
        client.close()
        proxy.inspector.record(f"leaver-{number}", state="client_aborted")
    client = proxy.connect()
    client.request()
    peer, _ = origin.next_request()
    peer.respond(body=b"fine")
    assert client.read_response().body == b"fine"


def test_a_success_in_between_begins_the_row_anew(sightglass, serving):
    upstream = serving(
        lambda request: None
        if request.target == b"/fails"
        else build_response(200, b"Connection: close")
    )
    proxy = sightglass(upstream, breaker=NOT_SOON)
    client = proxy.connect()
    for _ in range(5):
        assert client.get(b"/fails").status == 502
        assert client.get(b"/works").status == 200


def test_it_can_be_switched_off(sightglass, origin, back):
    proxy = sightglass(origin, breaker={"failures": 0})
    fail_until_it_opens(proxy, failures=20)


def test_readyz_says_so_and_finds_out_by_itself_that_it_is_over(sightglass, origin, back):
    proxy = sightglass(origin, breaker=NOT_TOO_SOON)
    fail_until_it_opens(proxy)
    back()
    answer = proxy.inspector.get("/readyz")
    assert answer.status == 503 and b"is left alone" in answer.body
    until(lambda: proxy.inspector.get("/readyz").status == 200, "ready, without any request")
