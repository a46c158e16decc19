"""Answers are held to the same rules: a broken head is a 502, a broken body ends the client's
connection."""

import json

import pytest

from harness.messages import LAST_CHUNK, build, build_response, chunk, read_chunk


def answer(*fields, status=b"HTTP/1.1 200 OK", body=b"hello"):
    return build(status, [*fields], body)


LENGTH = b"Content-Length: 5"
CODING = b"Transfer-Encoding: chunked"

BAD_HEADS = {
    "nonsense": b"nonsense\r\n\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "version 2": answer(LENGTH, status=b"HTTP/2 200 OK"),
    "version 1.2": answer(LENGTH, status=b"HTTP/1.2 200 OK"),
    "a small http": answer(LENGTH, status=b"http/1.1 200 OK"),
    "a status of two digits": answer(LENGTH, status=b"HTTP/1.1 20 OK"),
    "a status of four digits": answer(LENGTH, status=b"HTTP/1.1 2000 OK"),
    "a status below 100": answer(LENGTH, status=b"HTTP/1.1 099 OK"),
    "a status that is no number": answer(LENGTH, status=b"HTTP/1.1 abc OK"),
    "LF alone": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "LF alone behind a field": b"HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 5\r\n\r\nhello",
    "CR within a value": answer(LENGTH, b"X-A: 1\rX-B: 2"),
    "NUL within a value": answer(LENGTH, b"X-A: a\0b"),
    "NUL within the reason": answer(LENGTH, status=b"HTTP/1.1 200 O\0K"),
    "a folded field": answer(LENGTH, b"X-A: 1", b" 2"),
    "an empty name": answer(LENGTH, b": 1"),
    "a space before the colon": answer(LENGTH, b"X-A : 1"),
    "a line without a colon": answer(LENGTH, b"X-A"),
    "both framings": answer(LENGTH, CODING, body=chunk(b"hello") + LAST_CHUNK),
    "two lengths that differ": answer(LENGTH, b"Content-Length: 6"),
    "two lengths that agree": answer(LENGTH, LENGTH),
    "a list of lengths": answer(b"Content-Length: 5, 5"),
    "a length with a plus": answer(b"Content-Length: +5"),
    "a length that is no number": answer(b"Content-Length: five"),
    "a length beyond 63 bits": answer(b"Content-Length: 9223372036854775808"),
    "an unknown coding": answer(b"Transfer-Encoding: gzip"),
    "gzip, chunked": answer(b"Transfer-Encoding: gzip, chunked", body=chunk(b"hello") + LAST_CHUNK),
    "chunked twice": answer(b"Transfer-Encoding: chunked, chunked", body=LAST_CHUNK),
    "a coding from HTTP/1.0": answer(CODING, status=b"HTTP/1.0 200 OK", body=LAST_CHUNK),
    "a head of ten megabytes": b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * (10 << 20) + b"\r\n\r\n",
    "a hundred thousand fields": answer(*[b"X-A: 1"] * 100_000),
}


@pytest.mark.parametrize("name", BAD_HEADS)
def test_a_bad_head_is_a_502(proxy, origin, name):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: bad-answer")
    peer = origin.accept()
    peer.read_request()
    peer.try_send(BAD_HEADS[name])
    response = client.read_response()
    assert response.status == 502
    problem = json.loads(response.body)
    assert problem["request_id"] == "bad-answer" and "api" in problem["detail"]
    peer.read_to_end()
    assert proxy.inspector.record("bad-answer", state="upstream_failed")["status"] == 502
    client.request(b"GET", b"/next")
    origin.accept().serve(body=b"next")
    assert client.read_response().body == b"next", "the client's own connection did nothing wrong"


@pytest.mark.parametrize("name", ["both framings", "a folded field", "LF alone", "nonsense"])
def test_a_bad_head_byte_by_byte_is_a_502(proxy, origin, name):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send_byte_by_byte(BAD_HEADS[name])
    assert client.read_response().status == 502


def test_a_bad_interim_answer_is_a_502(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(b"HTTP/1.1 103 Early Hints\r\nBad Name: 1\r\n\r\n")
    assert client.read_response().status == 502


BAD_BODIES = {
    "a size that is no number": b"xyz\r\nhello\r\n",
    "LF alone behind the size": b"5\nhello\r\n",
    "LF alone behind the data": b"5\r\nhello\n",
    "more data than the size": b"5\r\nhello world\r\n",
    "a size beyond 63 bits": b"8000000000000000\r\nhello\r\n",
    "an extension of a megabyte": b"5;" + b"a" * (1 << 20) + b"\r\nhello\r\n",
    "a folded trailer": b"0\r\nX-A: 1\r\n 2\r\n\r\n",
    "a trailer of a megabyte": b"0\r\nX-A: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "LF alone at the end": b"0\r\n\n",
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_ends_the_clients_connection(proxy, origin, name):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: bad-body")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [CODING]) + chunk(b"good"))
    client.read_head()
    assert read_chunk(client) == b"good"
    peer.try_send(BAD_BODIES[name] + LAST_CHUNK)
    assert LAST_CHUNK not in client.read_to_end()
    peer.read_to_end()
    assert proxy.inspector.record("bad-body", state="upstream_failed")["error"]


def test_a_silent_upstream_that_closes_is_a_502_that_says_so(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.close()
    response = client.read_response()
    detail = json.loads(response.body)["detail"]
    assert response.status == 502 and "api" in detail


def test_an_interim_flood_is_bounded(proxy, origin):
    """1xx answers without end: each passes or all end, but nothing is piled up for a client that
    reads none."""
    client = proxy.connect(receive_buffer=1 << 16)
    client.request()
    peer = origin.accept()
    peer.read_request()
    before = proxy.memory_kib()
    peer.sock.settimeout(1)
    block = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000
    try:
        for _ in range(5000):
            peer.sock.sendall(block)
    except OSError:
        pass
    assert proxy.memory_kib() - before < 16 << 10


def test_an_answer_may_come_before_anything_else_is_wrong(proxy, origin):
    """A good answer and the close right behind it: the answer counts."""
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build_response(200, body=b"good"))
    peer.close()
    assert client.read_response().body == b"good"
