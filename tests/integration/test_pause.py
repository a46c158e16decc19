"""`api/capture`: while capture is paused, traffic goes on, is counted, and leaves no record."""

import json

from harness.serving import Gate
from harness.wire import until

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def pause(proxy, paused):
    answer = proxy.inspector.ask(
        "POST", "/api/capture", SAME_ORIGIN, json.dumps({"paused": paused})
    )
    assert (answer.status, answer.json()) == (200, {"paused": paused})
    assert proxy.inspector.json("/api/capture") == {"paused": paused}
    assert proxy.inspector.json("/api/requests")["paused"] == paused


def total(proxy):
    return proxy.inspector.json("/api/summary")["total"]


def test_what_comes_while_it_is_paused_is_counted_and_not_kept(sightglass, serving):
    proxy = sightglass(serving(), "--exclude-get", "/polls", workers=2)
    assert proxy.inspector.json("/api/requests")["paused"] is False
    pause(proxy, True)
    for _ in range(3):
        client = proxy.connect()
        assert client.get(b"/api/secret").body == b"/api/secret"
        assert client.get(b"/polls/a").status == 200
    until(lambda: total(proxy) == 6, "six requests")
    assert proxy.inspector.list(polls=1) == []
    pause(proxy, False)
    client.get(b"/api/open")
    client.get(b"/polls/b")
    until(lambda: len(proxy.inspector.list(polls=1)) == 2, "two records")
    assert {r["path"] for r in proxy.inspector.list(polls=1)} == {"/api/open", "/polls/b"}


def test_what_runs_when_it_is_paused_is_recorded_to_its_end(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate))
    client = proxy.connect()
    client.request(b"GET", b"/held", b"X-Request-ID: held")
    until(lambda: gate.inside == 1, "the request upstream")
    pause(proxy, True)
    gate.open.set()
    assert client.read_response().body == b"/held"
    record = proxy.inspector.record("held")
    assert (record["status"], record["response_body"]) == (200, "/held")


def test_a_bad_body_changes_nothing(sightglass, origin):
    proxy = sightglass(origin)
    for body in ("", "true", "{}", '{"paused":"yes"}', '{"paused":true,"x":1}', '{"paused":null}'):
        answer = proxy.inspector.ask("POST", "/api/capture", SAME_ORIGIN, body)
        assert answer.status == 400
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert proxy.inspector.ask("POST", "/api/capture", {}, '{"paused":true}').status == 403
    assert proxy.inspector.json("/api/capture") == {"paused": False}


def test_a_body_is_read_in_chunks_and_after_a_100(proxy):
    client = proxy.connect()
    client.send(
        b"POST /_inspector/api/capture HTTP/1.1\r\nHost: localhost\r\n"
        b"Sec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert client.read_head().status == 100
    client.send(b'5\r\n{"pau\r\n')
    client.send(b'a\r\nsed":true}\r\n0\r\n\r\n')
    answer = client.read_response()
    assert (answer.status, answer.body) == (200, b'{"paused":true}')
    assert client.ask(b"GET", b"/_inspector/api/capture", host=b"localhost").status == 200
