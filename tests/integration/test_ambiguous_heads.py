"""One reading: a head that could be read in two ways gets its status and a closed connection, and
not one byte goes upstream."""

import json

import pytest

from harness.ambiguous_heads import AMBIGUOUS, SMUGGLED
from harness.messages import build_request
from harness.origin import Origin

CASES = pytest.mark.parametrize("name", AMBIGUOUS)


@pytest.fixture(scope="module")
def upstream(shared_sightglass):
    peer = Origin()
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def refusing(shared_sightglass, upstream):
    """One process for the whole table, with one worker: so that a sentinel behind a case is behind
    all it did."""
    return shared_sightglass(upstream)


def expect_refusal(client, statuses):
    response = client.read_response()
    assert response.status in statuses, response.raw
    assert response.one("Content-Type").startswith(b"application/problem+json")
    problem = json.loads(response.body)
    assert problem["status"] == response.status
    assert problem["request_id"] == response.request_id
    assert problem["type"] and problem["title"] and problem["detail"]
    assert b"close" in [m.lower() for m in response.members("Connection")]
    client.expect_end()


@CASES
def test_it_is_refused_and_nothing_goes_upstream(refusing, upstream, name):
    raw, statuses = AMBIGUOUS[name]
    client = refusing.connect()
    client.send(raw + SMUGGLED)
    expect_refusal(client, statuses)
    assert upstream.bytes_before_a_sentinel(refusing.connect()) == b""


@CASES
def test_it_is_refused_byte_by_byte(refusing, upstream, name):
    raw, statuses = AMBIGUOUS[name]
    client = refusing.connect()
    client.send_byte_by_byte(raw + SMUGGLED)
    expect_refusal(client, statuses)
    assert upstream.bytes_before_a_sentinel(refusing.connect()) == b""


@CASES
def test_it_is_refused_behind_a_good_one(refusing, upstream, name):
    raw, statuses = AMBIGUOUS[name]
    client = refusing.connect()
    client.send(build_request(b"GET", b"/good") + raw + SMUGGLED)
    peer, request = upstream.next_request()
    assert request.target == b"/good"
    peer.respond(body=b"good")
    assert client.read_response().body == b"good"
    expect_refusal(client, statuses)
    assert upstream.bytes_before_a_sentinel(refusing.connect()) == b""


@pytest.mark.parametrize("name", ["both framings", "a folded field", "no Host", "CONNECT"])
def test_a_refusal_arrives_whatever_was_sent_behind_it(refusing, upstream, name):
    """Closing with unread bytes would send a reset, and a reset may take the answer away before it
    is read."""
    raw, statuses = AMBIGUOUS[name]
    client = refusing.connect()
    client.send(raw)
    client.send(b"x" * 300_000)
    expect_refusal(client, statuses)
    assert client.ending == "fin"
    assert upstream.bytes_before_a_sentinel(refusing.connect()) == b""


def test_the_refusals_are_in_the_log_and_in_the_inspector(refusing, upstream):
    client = refusing.connect()
    raw, _ = AMBIGUOUS["both framings"]
    client.send(raw)
    made = client.read_response().request_id
    line = refusing.access_log(request_id=made)
    assert line["status"] == 400 and line["error"]
    record = refusing.inspector.record(made, state=None)
    assert record["status"] == 400 and record["error"] == line["error"]


def test_what_looks_like_trouble_and_is_none_passes(refusing, upstream):
    """The other side of the table: strictness refuses nothing that has one reading."""
    fine = [
        b"GET / HTTP/1.1\r\nHOST:a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-A:\t1\t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Obs: \xff\x80\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a_b.example.:80\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 0\r\nHost: a\r\n\r\n",
        b"GET http://A:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/?x=http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    for raw in fine:
        client = refusing.connect()
        client.send(raw)
        peer, _ = upstream.next_request()
        peer.respond(body=b"fine")
        assert client.read_response().body == b"fine", raw
        client.close()
