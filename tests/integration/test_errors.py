"""Errors that the proxy makes: the right status, at once, as a problem that says which and bears
the request ID."""

import json
import select

from harness.messages import build, build_request
from harness.wire import until


def expect_problem(response, status, *words):
    assert response.status == status, response.raw
    assert response.one("Content-Type").startswith(b"application/problem+json")
    problem = json.loads(response.body)
    assert problem["status"] == status
    assert problem["request_id"] == response.request_id
    assert problem["type"] and problem["title"]
    for word in words:
        assert word in problem["detail"].lower(), problem
    if status == 503:
        assert int(response.one("Retry-After")) >= 0
    return problem


def test_an_upstream_that_refuses_is_a_502(proxy, origin):
    origin.stop_listening()
    client = proxy.connect()
    expect_problem(client.get(b"/", b"X-Request-ID: r1"), 502, "api", "refused")
    line = proxy.access_log(request_id="r1")
    assert "UF" in line["flags"] and line["state"] == "upstream_failed" and line["error"]
    record = proxy.inspector.record("r1", state="upstream_failed")
    assert record["status"] == 502 and record["error"] == line["error"]
    expect_problem(client.get(), 502)  # and the client's connection goes on


def test_an_upstream_that_resets_is_a_502(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: r2")
    peer = origin.accept()
    peer.read_request()
    peer.reset()
    expect_problem(client.read_response(), 502, "api")
    assert "UC" in proxy.access_log(request_id="r2")["flags"]


def test_a_missing_unix_socket_is_a_502(sightglass, tmp_path):
    proxy = sightglass(f"unix:{tmp_path}/nobody.sock")
    expect_problem(proxy.connect().get(), 502, "api")


def test_a_name_without_an_address_is_a_502(sightglass):
    proxy = sightglass("http://no-such-host.invalid:80")
    expect_problem(proxy.connect().get(), 502, "api")


def test_an_error_to_head_has_no_body(proxy, origin):
    origin.stop_listening()
    client = proxy.connect()
    response = client.ask(b"HEAD", b"/")
    assert response.status == 502
    expect_problem(client.get(), 502)


def test_an_upload_to_a_refusing_upstream_is_a_502_at_once(proxy, origin):
    origin.stop_listening()
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: 1000000") + b"x" * 100)
    expect_problem(client.read_response(), 502)


def test_a_small_upload_to_a_refusing_upstream_leaves_the_connection_usable_or_closed(
    proxy, origin
):
    origin.stop_listening()
    client = proxy.connect()
    response = client.ask(b"POST", b"/up", body=b"hello")
    expect_problem(response, 502)
    if b"close" in response.members("Connection"):
        client.expect_end()
    else:
        expect_problem(client.get(), 502)


def test_a_first_byte_that_does_not_come_is_a_504(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"first_byte": "200ms"})
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: late")
    peer = origin.accept()
    peer.read_request()
    expect_problem(client.read_response(), 504, "first", "api")
    peer.expect_end()
    line = proxy.access_log(request_id="late")
    assert "UT" in line["flags"] and line["state"] == "timed_out"
    assert proxy.inspector.record("late", state="timed_out")["status"] == 504


def test_a_routes_timeout_is_stricter_than_its_upstreams(sightglass, origin):
    proxy = sightglass(
        origin,
        upstream_timeouts={"first_byte": "60s"},
        config={"routes": [{"prefix": "/quick", "timeouts": {"first_byte": "200ms"}}]},
    )
    client = proxy.connect()
    client.request(b"GET", b"/quick/x")
    origin.accept().read_request()
    expect_problem(client.read_response(), 504, "first")


def test_a_total_timeout_before_the_answer_is_a_504(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"total": "300ms"})
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    expect_problem(client.read_response(), 504, "total")
    peer.expect_end()


def test_a_total_timeout_within_the_answer_breaks_it_off(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"total": "500ms"})
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: long")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 10"]) + b"12345")
    client.read_head()
    assert client.read_exactly(5) == b"12345"
    assert client.read_to_end() == b""
    peer.expect_end()
    assert proxy.inspector.record("long", state="timed_out")["status"] == 200


def test_silence_within_an_answer_breaks_it_off(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"idle": "300ms"})
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: silent")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 10"]) + b"12345")
    client.read_head()
    assert client.read_exactly(5) == b"12345"
    assert client.read_to_end() == b""
    peer.expect_end()
    record = proxy.inspector.record("silent", state="timed_out")
    assert "idle" in record["error"].lower()


def test_an_answers_head_that_begins_and_never_ends_is_a_504(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"first_byte": "300ms"})
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-")
    expect_problem(client.read_response(), 504)
    peer.expect_end()


def test_a_connection_that_does_not_come_about_is_a_504(sightglass, blackhole):
    proxy = sightglass(blackhole, upstream_timeouts={"connect": "300ms"})
    client = proxy.connect()
    expect_problem(client.get(b"/", b"X-Request-ID: hole"), 504, "connect", "api")
    assert proxy.access_log(request_id="hole")["state"] == "timed_out"


def test_a_client_over_the_connection_limit_gets_a_503(sightglass, origin):
    proxy = sightglass(origin, config={"limits": {"connections": 2}})
    first, second = proxy.connect(), proxy.connect()
    for client in (first, second):
        client.request()
        peer, _ = origin.next_request()
        peer.respond(body=b"in")
        assert client.read_response().body == b"in"
    third = proxy.connect()
    third.try_send(build_request())
    expect_problem(third.read_response(), 503)
    third.expect_end()
    first.close()

    def let_in():
        """The third one still holds its refused connection open: that takes nobody's place for
        long."""
        fourth = proxy.connect()
        fourth.try_send(build_request(b"GET", b"/fourth"))
        select.select([origin.listener, fourth.sock, *(p.sock for p in origin.peers)], [], [])
        if origin.read_what_comes(0):
            origin.next_request()[0].respond(body=b"in")
        status = fourth.read_response().status
        fourth.close()
        return status == 200

    until(let_in, "the place of a client that left is free")


def test_an_upstreams_own_error_passes_as_it_is(proxy, origin):
    client = proxy.connect()
    client.request()
    origin.accept().serve(b"Content-Type: text/plain", status=503, body=b"theirs")
    response = client.read_response()
    assert (response.status, response.body) == (503, b"theirs")
    assert response.one("Content-Type") == b"text/plain"
    assert not response.has("Retry-After")
