"""One reading of chunks: a body that breaks the rules breaks off both connections, so that a cut
request never looks whole."""

import pytest

from harness.ambiguous_heads import SMUGGLED
from harness.messages import LAST_CHUNK, build_request, chunk, read_chunk

POST = build_request(b"POST", b"/up", b"Transfer-Encoding: chunked")

BAD_CHUNKS = {
    "LF alone behind the size": b"5\nhello\r\n",
    "CR alone behind the size": b"5\rhello\r\n",
    "LF alone behind the data": b"5\r\nhello\n",
    "CR alone behind the data": b"5\r\nhello\r0\r\n\r\n",
    "no line end behind the data": b"5\r\nhello0\r\n\r\n",
    "more data than the size": b"5\r\nhello world\r\n",
    "an empty size": b"\r\nhello\r\n",
    "a size that is no number": b"xyz\r\nhello\r\n",
    "a size with 0x": b"0x5\r\nhello\r\n",
    "a negative size": b"-5\r\nhello\r\n",
    "a size with a plus": b"+5\r\nhello\r\n",
    "a space before the size": b" 5\r\nhello\r\n",
    "a size with a space within": b"0 5\r\nhello\r\n",
    "a size with an underscore": b"0_5\r\nhello\r\n",
    "a size of 64 bits": b"8000000000000000\r\nhello\r\n",
    "a size beyond 64 bits": b"10000000000000005\r\nhello\r\n",
    "a size of a hundred digits": b"0" * 99 + b"5" * 20 + b"\r\nhello\r\n",
    "an extension with LF alone": b"5;a\nhello\r\n",
    "an extension with CR within": b"5;a\rb\r\nhello\r\n",
    "an extension with NUL": b"5;a=\0\r\nhello\r\n",
    "an extension of a megabyte": b"5;" + b"a" * (1 << 20) + b"\r\nhello\r\n",
    "LF alone behind the last chunk": b"0\n\r\n",
    "LF alone at the end": b"0\r\n\n",
    "a folded trailer": b"0\r\nX-A: 1\r\n folded\r\n\r\n",
    "a trailer without a colon": b"0\r\nX-A\r\n\r\n",
    "a trailer with a space before the colon": b"0\r\nX-A : 1\r\n\r\n",
    "a trailer with an empty name": b"0\r\n: 1\r\n\r\n",
    "a trailer with NUL": b"0\r\nX-A: \0\r\n\r\n",
    "a trailer with LF alone": b"0\r\nX-A: 1\nX-B: 2\r\n\r\n",
    "a trailer of a megabyte": b"0\r\nX-A: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "ten thousand trailers": b"0\r\n" + b"X-A: 1\r\n" * 10_000 + b"\r\n",
}

# If the bad chunk were taken for a good one, this would make a whole request of it, and one more
# behind it.
REST = LAST_CHUNK + SMUGGLED

CASES = pytest.mark.parametrize("name", BAD_CHUNKS)


def expect_a_broken_off_request(peer):
    rest = peer.read_to_end()
    assert LAST_CHUNK not in rest and b"smuggled" not in rest


@CASES
def test_a_bad_chunk_breaks_off_both_connections(proxy, origin, name):
    client = proxy.connect()
    client.send(POST + chunk(b"good"))
    peer = origin.accept()
    peer.read_request_head()
    assert read_chunk(peer) == b"good"
    client.try_send(BAD_CHUNKS[name] + REST)
    expect_a_broken_off_request(peer)
    assert client.read_response().status in (400, 431)
    client.expect_end()
    assert not origin.waiting()


@pytest.mark.parametrize("name", [name for name, bad in BAD_CHUNKS.items() if len(bad) < 1000])
def test_a_bad_chunk_byte_by_byte_breaks_off_both_connections(proxy, origin, name):
    client = proxy.connect()
    client.send(POST + chunk(b"good"))
    peer = origin.accept()
    peer.read_request_head()
    assert read_chunk(peer) == b"good"
    client.send_byte_by_byte(BAD_CHUNKS[name] + REST)
    expect_a_broken_off_request(peer)
    assert client.read_response().status == 400
    client.expect_end()


@CASES
def test_a_bad_chunk_right_behind_its_head_never_looks_whole(proxy, origin, name):
    client = proxy.connect()
    client.try_send(POST + BAD_CHUNKS[name] + REST)
    assert client.read_response().status in (400, 431)
    client.expect_end()
    stray = origin.bytes_before_a_sentinel(proxy.connect())
    assert LAST_CHUNK not in stray and b"smuggled" not in stray


def test_a_refusal_of_a_body_arrives_whatever_was_sent_behind_it(proxy, origin):
    client = proxy.connect()
    client.send(POST + chunk(b"good"))
    peer = origin.accept()
    peer.read_request_head()
    client.send(b"xyz\r\n")
    client.send(b"x" * 300_000)
    assert client.read_response().status == 400
    assert client.expect_end() == "fin"


@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "within the answer"])
def test_a_bad_chunk_is_in_the_log_with_its_reason(proxy, origin, answered):
    client = proxy.connect()
    client.send(
        build_request(b"POST", b"/up", b"Transfer-Encoding: chunked", b"X-Request-ID: bad")
    )
    peer = origin.accept()
    peer.read_request_head()
    if answered:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        client.read_head()
        client.read_exactly(4)
    client.send(b"xyz\r\n")
    peer.read_to_end()
    client.read_to_end()
    line = proxy.access_log(request_id="bad")
    assert line["error"] and line["status"] == (200 if answered else 400)


def test_sizes_in_any_usual_form_are_read(proxy, origin):
    body = b"5\r\nhello\r\n0005\r\nhello\r\nA\r\n0123456789\r\na\r\n0123456789\r\n"
    client = proxy.connect()
    client.send(POST + body + LAST_CHUNK)
    peer = origin.accept()
    assert peer.read_request().body == b"hellohello01234567890123456789"
    peer.respond()
    assert client.read_response().status == 200


def test_many_small_extensions_are_bounded_in_sum(proxy, origin):
    """Each is small; together they would be a gigabyte of nothing for a byte of body."""
    client = proxy.connect()
    client.send(POST)
    peer = origin.accept()
    peer.read_request_head()
    client.try_send((b"1;" + b"e" * 1000 + b"\r\nx\r\n") * 2000)
    assert LAST_CHUNK not in peer.read_to_end()
    assert client.read_response().status in (400, 431)


def test_a_second_request_behind_a_whole_body_is_a_request_of_its_own(proxy, origin):
    client = proxy.connect()
    client.send(POST + chunk(b"x") + LAST_CHUNK + SMUGGLED)
    peer = origin.accept()
    assert peer.serve(body=b"1").target == b"/up"
    assert client.read_response().body == b"1"
    peer, request = origin.next_request()
    assert request.target == b"/smuggled", "two requests, two answers: that is what the bytes say"
    peer.respond(body=b"2")
    assert client.read_response().body == b"2"
