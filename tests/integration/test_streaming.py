"""Bodies stream both ways, each piece as it comes, framed as they were framed."""

import pytest

from harness.exchange import exchange
from harness.messages import (
    LAST_CHUNK,
    build,
    build_request,
    build_response,
    chunk,
    read_chunk,
    read_trailers,
)

CHUNKED_ANSWER = build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"])
CHUNKED_REQUEST = build_request(b"POST", b"/up", b"Transfer-Encoding: chunked")


def test_the_first_byte_of_an_answer_arrives_while_the_upstream_is_still_sending(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 3"]))
    assert client.read_head().one("Content-Length") == b"3"
    for byte in (b"a", b"b", b"c"):
        peer.send(byte)
        assert client.read_exactly(1) == byte


def test_each_chunk_leaves_as_it_comes(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(CHUNKED_ANSWER)
    assert client.read_head().members("Transfer-Encoding") == [b"chunked"]
    for piece in (b"one", b"two" * 1000, b"3"):
        peer.send(chunk(piece))
        got = b""
        while len(got) < len(piece):
            got += read_chunk(client)
        assert got == piece
    peer.send(LAST_CHUNK)
    assert read_chunk(client) == b"" and read_trailers(client) == []
    client.request()
    peer.serve(body=b"again")
    assert client.read_response().body == b"again"


def test_each_server_sent_event_arrives_while_the_stream_is_open(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/events", b"Accept: text/event-stream")
    peer = origin.accept()
    peer.read_request()
    peer.send(
        build(b"HTTP/1.1 200 OK", [b"Content-Type: text/event-stream", b"Cache-Control: no-cache"])
    )
    assert client.read_head().one("Content-Type") == b"text/event-stream"
    for number in range(50):
        event = b"id: %d\ndata: event %d\n\n" % (number, number)
        peer.send(event)
        got = b""
        while got != event:
            got += read_chunk(client)
            assert event.startswith(got)


def test_half_a_chunk_does_not_wait_for_the_other_half(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(CHUNKED_ANSWER + b"64\r\n" + b"x" * 50)
    client.read_head()
    got = b""
    while len(got) < 50:
        got += read_chunk(client)
    peer.send(b"y" * 50 + b"\r\n" + LAST_CHUNK)
    while len(got) < 100:
        got += read_chunk(client)
    assert got == b"x" * 50 + b"y" * 50


def test_the_first_byte_of_a_request_body_arrives_while_the_client_is_still_sending(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: 3"))
    peer = origin.accept()
    head = peer.read_request_head()
    assert head.one("Content-Length") == b"3" and not head.has("Transfer-Encoding")
    for byte in (b"a", b"b", b"c"):
        client.send(byte)
        assert peer.read_exactly(1) == byte
    peer.respond(body=b"done")
    assert client.read_response().body == b"done"


def test_each_request_chunk_leaves_as_it_comes(proxy, origin):
    client = proxy.connect()
    client.send(CHUNKED_REQUEST)
    peer = origin.accept()
    head = peer.read_request_head()
    assert head.members("Transfer-Encoding") == [b"chunked"] and not head.has("Content-Length")
    for piece in (b"one", b"two" * 1000, b"3"):
        client.send(chunk(piece))
        got = b""
        while len(got) < len(piece):
            got += read_chunk(peer)
        assert got == piece
    client.send(LAST_CHUNK)
    assert read_chunk(peer) == b"" and read_trailers(peer) == []
    peer.respond(body=b"done")
    assert client.read_response().body == b"done"


def test_both_directions_stream_at_the_same_time(proxy, origin):
    client = proxy.connect()
    client.send(CHUNKED_REQUEST)
    peer = origin.accept()
    peer.read_request_head()
    peer.send(CHUNKED_ANSWER)
    client.read_head()
    for number in range(20):
        client.send(chunk(b"ping%d" % number))
        assert read_chunk(peer) == b"ping%d" % number
        peer.send(chunk(b"pong%d" % number))
        assert read_chunk(client) == b"pong%d" % number
    client.send(LAST_CHUNK)
    assert read_chunk(peer) == b""
    peer.send(LAST_CHUNK)
    assert read_chunk(client) == b""


SIZES = [0, 1, 15, 16, 4095, 65535, 65536, 65537, 1 << 20]


def body_of(size):
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


@pytest.mark.parametrize("size", SIZES)
def test_a_length_stays_a_length_and_the_bytes_stay_the_bytes(proxy, origin, size):
    body = body_of(size)
    answer = build_response(200, body=body)
    request, response = exchange(
        proxy, origin, method=b"PUT", target=b"/x", body=body, answer=answer
    )
    assert request.one("Content-Length") == response.one("Content-Length") == b"%d" % size
    assert request.body == body and response.body == body
    assert not request.has("Transfer-Encoding") and not response.has("Transfer-Encoding")


@pytest.mark.parametrize("size", SIZES)
def test_chunked_stays_chunked_and_the_bytes_stay_the_bytes(proxy, origin, size):
    body = body_of(size)
    framed = (chunk(body) if body else b"") + LAST_CHUNK
    client = proxy.connect()
    client.send(CHUNKED_REQUEST + framed)
    peer = origin.accept()
    request = peer.read_request()
    peer.send(CHUNKED_ANSWER + framed)
    response = client.read_response()
    for message in (request, response):
        assert message.members("Transfer-Encoding") == [b"chunked"]
        assert not message.has("Content-Length")
        assert message.body == body


def test_chunks_of_every_size_and_split_anywhere_come_out_whole(proxy, origin):
    pieces = [body_of(size) for size in range(1, 40)]
    framed = b"".join(map(chunk, pieces)) + LAST_CHUNK
    client = proxy.connect()
    client.send(CHUNKED_REQUEST)
    peer = origin.accept()
    head = peer.read_request_head()
    client.send_byte_by_byte(framed)
    assert peer.read_request_body(head) == b"".join(pieces)
    peer.send_byte_by_byte(CHUNKED_ANSWER + framed)
    assert client.read_response().body == b"".join(pieces)


def test_a_message_sent_byte_by_byte_is_the_same_message(proxy, origin):
    client = proxy.connect()
    client.send_byte_by_byte(build_request(b"POST", b"/slow?q", b"X-A: 1", body=b"hello"))
    peer = origin.accept()
    request = peer.read_request()
    assert (request.method, request.target, request.body) == (b"POST", b"/slow?q", b"hello")
    assert request.one("X-A") == b"1"
    peer.send_byte_by_byte(build_response(201, b"X-B: 2", body=b"world"))
    response = client.read_response()
    assert (response.status, response.body, response.one("X-B")) == (201, b"world", b"2")


def test_trailers_pass_upstream_and_back(proxy, origin):
    client = proxy.connect()
    client.send(CHUNKED_REQUEST + chunk(b"x") + b"0\r\nX-Sum: abc\r\nX-More: d\r\n\r\n")
    peer = origin.accept()
    request = peer.read_request()
    assert request.trailers == [(b"X-Sum", b"abc"), (b"X-More", b"d")]
    peer.send(CHUNKED_ANSWER + chunk(b"y") + b"0\r\nServer-Timing: a;dur=1\r\n\r\n")
    response = client.read_response()
    assert response.body == b"y" and response.trailers == [(b"Server-Timing", b"a;dur=1")]


FORBIDDEN_TRAILERS = [
    b"Transfer-Encoding: chunked",
    b"Content-Length: 5",
    b"Host: evil",
    b"Trailer: X",
    b"Authorization: Bearer evil",
    b"Cookie: evil=1",
    b"Set-Cookie: evil=1",
    b"X-Forwarded-For: 6.6.6.6",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: evil",
    b"X_Forwarded_For: 6.6.6.6",
    b"Via: evil",
    b"X-Request-ID: evil",
    b"Connection: close",
]


@pytest.mark.parametrize("line", FORBIDDEN_TRAILERS)
def test_fields_with_a_meaning_of_their_own_are_dropped_from_trailers(proxy, origin, line):
    end = b"0\r\n" + line + b"\r\nX-Sum: abc\r\n\r\n"
    client = proxy.connect()
    client.send(CHUNKED_REQUEST + chunk(b"x") + end)
    peer = origin.accept()
    assert peer.read_request().trailers == [(b"X-Sum", b"abc")]
    peer.send(CHUNKED_ANSWER + chunk(b"y") + end)
    assert client.read_response().trailers == [(b"X-Sum", b"abc")]


def test_chunk_extensions_are_dropped(proxy, origin):
    framed = b'3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n'
    client = proxy.connect()
    client.send(CHUNKED_REQUEST + framed)
    peer = origin.accept()
    assert peer.read_request().body == b"abc"
    assert b";" not in peer.received
    peer.send(CHUNKED_ANSWER + framed)
    assert client.read_response().body == b"abc"


def test_a_close_delimited_answer_is_chunked_for_a_client_that_can_keep_its_connection(
    proxy, origin
):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Type: text/plain"]) + b"until the end")
    head = client.read_head()
    assert head.members("Transfer-Encoding") == [b"chunked"]
    assert read_chunk(client) == b"until the end"
    peer.close()
    assert read_chunk(client) == b""


def test_an_http_1_0_upstream_is_understood(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
    response = client.read_response()
    assert response.version == b"HTTP/1.1" and response.body == b"old"
    assert peer.expect_end() == "fin", "a 1.0 answer without keep-alive ends its connection"
