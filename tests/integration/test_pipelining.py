"""Requests sent without waiting are answered in order, each on its own terms."""

import time

import pytest

from harness.messages import build, build_request, build_response, read_chunk


def test_pipelined_requests_are_answered_in_order(proxy, origin):
    client = proxy.connect()
    client.send(b"".join(build_request(b"GET", b"/%d" % n) for n in range(10)))
    for number in range(10):
        peer, request = origin.next_request()
        assert request.target == b"/%d" % number
        peer.respond(body=b"%d" % number)
        assert client.read_response().body == b"%d" % number


def test_a_hundred_pipelined_requests_through_a_serving_upstream(sightglass, serving):
    proxy = sightglass(serving())
    client = proxy.connect()
    client.send(b"".join(build_request(b"GET", b"/%d" % n) for n in range(100)))
    for number in range(100):
        assert client.read_response().body == b"/%d" % number


def test_pipelined_bodies_do_not_run_into_each_other(proxy, origin):
    client = proxy.connect()
    client.send(
        build_request(b"POST", b"/one", body=b"GET /fake HTTP/1.1\r\nHost: a\r\n\r\n")
        + build_request(b"POST", b"/two", b"Transfer-Encoding: chunked")
        + b"3\r\nabc\r\n0\r\n\r\n"
        + build_request(b"GET", b"/three")
    )
    for target, body in (
        (b"/one", b"GET /fake HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"/two", b"abc"),
        (b"/three", b""),
    ):
        peer, request = origin.next_request()
        assert (request.target, request.body) == (target, body)
        peer.respond(body=target)
        assert client.read_response().body == target


def test_a_slow_first_answer_holds_the_second_back(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"GET", b"/slow") + build_request(b"GET", b"/quick"))
    peer, request = origin.next_request()
    assert request.target == b"/slow"
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]) + b"4\r\nslow\r\n")
    client.read_head()
    assert read_chunk(client) == b"slow"
    peer.send(b"0\r\n\r\n")
    assert read_chunk(client) == b""
    client.read_until(b"\r\n")
    peer, request = origin.next_request()
    assert request.target == b"/quick"
    peer.respond(body=b"quick")
    assert client.read_response().body == b"quick"


def test_what_stands_behind_a_request_to_close_is_not_answered(proxy, origin):
    client = proxy.connect()
    last = build_request(b"GET", b"/last", b"Connection: close")
    client.send(last + build_request(b"GET", b"/x"))
    peer, request = origin.next_request()
    assert request.target == b"/last"
    peer.respond(body=b"last")
    assert client.read_response().body == b"last"
    client.expect_end()
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_a_proxys_own_error_stands_in_its_place_in_the_order(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"GET", b"/a") + build_request(b"GET", b"/b"))
    peer, _ = origin.next_request()
    peer.send(b"nonsense\r\n\r\n")
    assert client.read_response().status == 502
    peer, request = origin.next_request()
    assert request.target == b"/b"
    peer.respond(body=b"b")
    assert client.read_response().body == b"b"


def test_inspector_and_upstream_answers_keep_their_order(proxy, origin):
    client = proxy.connect()
    client.send(
        build_request(b"GET", b"/a", host=b"localhost")
        + build_request(b"GET", b"/_inspector/healthz", host=b"localhost")
        + build_request(b"GET", b"/b", host=b"localhost")
    )
    peer, request = origin.next_request()
    assert request.target == b"/a"
    peer.respond(body=b"a")
    assert client.read_response().body == b"a"
    assert client.read_response().body.strip() == b"ok"
    peer, request = origin.next_request()
    assert request.target == b"/b"
    peer.respond(body=b"b")
    assert client.read_response().body == b"b"


def test_a_flood_of_pipelined_requests_is_not_piled_up(proxy, origin):
    """The upstream does not answer the first one: the rest waits in the client's own buffers, not
    in the process."""
    client = proxy.connect()
    before = proxy.memory_kib()
    client.request(b"GET", b"/first")
    peer = origin.accept()
    peer.read_request()
    block = build_request(b"GET", b"/next", b"X-Pad: " + b"p" * 1000) * 256
    client.sock.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 256 << 20:
            client.sock.sendall(block)
            sent += len(block)
    assert proxy.memory_kib() - before < 4 << 10
    peer.respond(body=b"first")
    client.sock.settimeout(30)
    assert client.read_response().body == b"first"


def test_answers_wait_for_a_client_that_reads_none(sightglass, serving):
    """Many answers to one that never reads: the process stops asking before they pile up."""
    upstream = serving(lambda request: build_response(200, body=b"z" * 100_000))
    proxy = sightglass(upstream, "--capture-memory", "1MiB")
    client = proxy.connect(receive_buffer=1 << 16)
    before = proxy.memory_kib()
    client.send(b"".join(build_request(b"GET", b"/%d" % n) for n in range(1000)))
    asked = -1
    while asked < len(upstream.requests):
        asked = len(upstream.requests)
        time.sleep(0.5)  # until no more is asked for; a busy machine can only make it look so early
    assert asked < 500, "what the system's buffers hold, and no more"
    assert proxy.memory_kib() - before < 8 << 10
    for _ in range(1000):
        assert len(client.read_response().body) == 100_000
