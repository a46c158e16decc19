"""What one client may take: sizes, counts and time."""

import select
import time

import pytest

from harness.exchange import exchange
from harness.messages import LAST_CHUNK, build_request, chunk, read_chunk
from harness.wire import DEADLINE_S

LIMITS = {"limits": {"header_bytes": "8KiB", "headers": 20, "body_bytes": "1KiB"}}


def expect_refusal(client, status):
    response = client.read_response()
    assert response.status == status, response.raw
    assert response.one("Content-Type").startswith(b"application/problem+json")
    client.expect_end()
    return response


@pytest.mark.parametrize("how", ["send", "send_byte_by_byte"])
def test_a_head_that_is_too_large_is_a_431(sightglass, origin, how):
    proxy = sightglass(origin, config=LIMITS)
    client = proxy.connect()
    getattr(client, how)(build_request(b"GET", b"/", b"X-Big: " + b"x" * 9000))
    expect_refusal(client, 431)
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_a_head_that_never_ends_is_a_431_before_it_ends(sightglass, origin):
    proxy = sightglass(origin, config=LIMITS)
    client = proxy.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
    client.try_send(b"X-More: and more\r\n" * 10_000)
    expect_refusal(client, 431)


def test_too_many_fields_are_a_431(sightglass, origin):
    proxy = sightglass(origin, config=LIMITS)
    client = proxy.connect()
    client.send(build_request(b"GET", b"/", *[b"X-A: 1"] * 20))
    expect_refusal(client, 431)
    request, _ = exchange(proxy, origin, *[b"X-A: 1"] * 19)
    assert len(request.all("X-A")) == 19


@pytest.mark.parametrize("size", [9_000, 20_000])
def test_a_target_over_the_heads_own_limit_is_too_long_or_too_large(sightglass, origin, size):
    proxy = sightglass(origin, config=LIMITS)
    client = proxy.connect()
    client.send(build_request(b"GET", b"/" + b"x" * size))
    assert client.read_response().status in (414, 431)
    client.expect_end()


def test_a_connection_field_without_measure_is_a_431(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/", b"Connection: " + b"x, " * 400)
    expect_refusal(client, 431)


def test_a_target_that_is_too_long_is_a_414(sightglass, origin):
    proxy = sightglass(origin)
    client = proxy.connect()
    client.send(build_request(b"GET", b"/" + b"x" * 60_000))
    expect_refusal(client, 414)
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_by_default_a_browsers_largest_head_passes(proxy, origin):
    cookie = b"Cookie: " + b"c" * 16_000
    request, _ = exchange(proxy, origin, cookie, target=b"/" + b"q" * 8_000)
    assert request.one("Cookie") == cookie[8:] and len(request.target) == 8_001


def test_a_length_over_the_limit_is_a_413_and_nothing_goes_upstream(sightglass, origin):
    proxy = sightglass(origin, config=LIMITS)
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: 1025"))
    expect_refusal(client, 413)
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_chunks_over_the_limit_are_a_413_and_break_off_the_upstream(sightglass, origin):
    proxy = sightglass(origin, config=LIMITS)
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Transfer-Encoding: chunked") + chunk(b"x" * 1000))
    peer = origin.accept()
    peer.read_request_head()
    assert len(read_chunk(peer)) > 0
    client.send(chunk(b"x" * 1000) + LAST_CHUNK)
    assert LAST_CHUNK not in peer.read_to_end()
    expect_refusal(client, 413)


def test_a_body_at_the_limit_passes(sightglass, origin):
    proxy = sightglass(origin, config=LIMITS)
    request, _ = exchange(proxy, origin, method=b"POST", body=b"x" * 1024)
    assert len(request.body) == 1024


def test_a_head_that_takes_too_long_is_a_408(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"header": "300ms"}})
    client = proxy.connect()
    client.send(b"GET / HTTP/1.1\r\nHos")
    expect_refusal(client, 408)
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_a_head_that_drips_is_a_408_all_the_same(sightglass, origin):
    """The limit is for the whole head: a byte now and then does not renew it."""
    proxy = sightglass(origin, config={"timeouts": {"header": "500ms"}})
    client = proxy.connect()
    client.send(b"GET / HTTP/1.1\r\nX-Drip: ")
    end = time.monotonic() + DEADLINE_S
    while not select.select([client.sock], [], [], 0.05)[0]:
        assert client.try_send(b"x") and time.monotonic() < end
    expect_refusal(client, 408)


def test_silence_within_a_request_body_is_a_408_and_breaks_off_the_upstream(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"body": "300ms"}})
    client = proxy.connect()
    client.send(
        build_request(b"POST", b"/up", b"Content-Length: 10", b"X-Request-ID: mute") + b"12345"
    )
    peer = origin.accept()
    peer.read_request_head()
    assert peer.read_exactly(5) == b"12345"
    assert peer.read_to_end() == b""
    expect_refusal(client, 408)
    assert proxy.access_log(request_id="mute")["state"] in ("timed_out", "client_aborted")


def test_waiting_for_the_upstream_is_no_silence_of_the_clients(sightglass, origin):
    """A body that is all sent is never late, however long the upstream thinks."""
    proxy = sightglass(origin, config={"timeouts": {"body": "200ms", "keep_alive": "200ms"}})
    client = proxy.connect()
    client.request(b"POST", b"/up", body=b"12345")
    peer = origin.accept()
    peer.read_request()
    other = proxy.connect()  # is closed by the same clock, after the time in question has passed
    assert other.expect_end() == "fin"
    peer.respond(body=b"thought")
    assert client.read_response().body == b"thought"


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"send": "500ms"}})
    client = proxy.connect(receive_buffer=1 << 16)
    client.request(b"GET", b"/", b"X-Request-ID: stuck")
    peer = origin.accept()
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (1 << 40))
    peer.push_until_stalled(256 << 20, quiet_s=0.2)
    peer.read_to_end()
    line = proxy.access_log(request_id="stuck")
    assert line["state"] in ("timed_out", "client_aborted") and line["error"]
