"""Each way an upstream can fail under a request: what the client is told, word for word, what
api/upstreams says of it, and that the next request works."""

import json
import signal

import pytest

from harness.messages import LAST_CHUNK, build, build_request, chunk, read_chunk
from harness.origin import Origin
from harness.wire import until

SOON = {"connect": "300ms", "first_byte": "300ms", "idle": "300ms"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"])


def close(peer):
    peer.close()


def reset(peer):
    peer.reset()


WORDS = {
    (close, "before"): "upstream api closed the connection before it answered",
    (reset, "before"): "upstream api broke the connection before it answered: "
    "connection reset by peer",
    (close, "within"): "upstream api closed the connection within its answer",
    (reset, "within"): "upstream api broke the connection within its answer: "
    "connection reset by peer",
}
END = pytest.mark.parametrize("end", [close, reset], ids=lambda end: end.__name__)


def upstream(client):
    """What api/upstreams says of the first one; over the client's own connection."""
    answer = client.get(b"/_inspector/api/upstreams", host=b"localhost")
    assert answer.status == 200, answer.raw
    return json.loads(answer.body)["items"][0]


def expect_reason(client, reason):
    item = upstream(client)
    assert item["failures"] == {reason: 1}
    assert [failure["reason"] for failure in item["last_failures"]] == [reason]
    assert item["active"] == 0 and item["waiting"] == 0


def expect_told(proxy, request_id, state, detail, flags):
    """The same words in the access log."""
    line = proxy.access_log(request_id=request_id)
    assert (line["error"], line["state"], line["flags"]) == (detail, state, flags)
    assert line["upstream"] == "api"


def expect_refused(response, status, detail):
    """The proxy's own answer, word for word."""
    assert response.status == status
    assert response.one("Content-Type") == b"application/problem+json"
    assert json.loads(response.body)["detail"] == detail
    assert response.has("Retry-After") == (status == 503)


def expect_the_next_works(client, origin):
    client.request(b"GET", b"/next")
    peer, request = origin.next_request()
    assert request.target == b"/next"
    peer.respond(body=b"works")
    assert client.read_response().body == b"works"


def asked(proxy, origin, *fields):
    """A request at the upstream: the client, and the upstream's end."""
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: r1", *fields)
    peer, _ = origin.next_request()
    return client, peer


# Nobody there


def test_a_connection_that_is_refused(proxy, origin):
    origin.stop_listening()
    client = proxy.connect()
    detail = f"upstream api: connect to 127.0.0.1:{origin.port}: connection refused"
    expect_refused(client.get(b"/", b"X-Request-ID: r1"), 502, detail)
    expect_reason(client, "refused")
    expect_told(proxy, "r1", "upstream_failed", detail, "UF")
    back = Origin(port=origin.port)
    expect_the_next_works(client, back)
    back.close()


def test_a_unix_socket_that_is_not_there(sightglass, tmp_path):
    path = tmp_path / "api.sock"
    client = sightglass(f"unix:{path}").connect()
    detail = f"upstream api: connect to unix:{path}: no such file or directory"
    expect_refused(client.get(), 502, detail)
    expect_reason(client, "connect")
    back = Origin(path=str(path))
    expect_the_next_works(client, back)
    back.close()


def test_a_connection_that_nobody_answers(sightglass, blackhole):
    proxy = sightglass(blackhole, upstream_timeouts=SOON)
    client = proxy.connect()
    target = blackhole.removeprefix("http://")
    detail = f"upstream api: connect to {target}: no answer within 300 ms"
    expect_refused(client.get(b"/", b"X-Request-ID: r1"), 504, detail)
    expect_reason(client, "connect_timeout")
    expect_told(proxy, "r1", "timed_out", detail, "UF")


# A connection that ends


@END
@pytest.mark.parametrize("size", [0, 1, 9, len(HEAD) - 1])
def test_an_answer_that_ends_within_its_head(proxy, origin, end, size):
    client, peer = asked(proxy, origin)
    peer.send(HEAD[:size])
    end(peer)
    detail = WORDS[end, "before"]
    expect_refused(client.read_response(), 502, detail)
    expect_reason(client, "reset")
    expect_told(proxy, "r1", "upstream_failed", detail, "UC")
    expect_the_next_works(client, origin)


@END
@pytest.mark.parametrize("size", [0, 1, 4])
def test_an_answer_that_ends_within_its_body(proxy, origin, end, size):
    client, peer = asked(proxy, origin)
    peer.send(HEAD + b"whole"[:size])
    assert client.read_head().status == 200
    assert client.read_exactly(size) == b"whole"[:size]
    end(peer)
    assert client.read_to_end() == b""
    expect_told(proxy, "r1", "upstream_failed", WORDS[end, "within"], "UC")
    client = proxy.connect()
    expect_reason(client, "reset_within")
    expect_the_next_works(client, origin)


@END
@pytest.mark.parametrize("rest", [b"", b"5", b"5\r\n12", b"5\r\n12345", b"0\r\n"])
def test_an_answer_that_ends_within_its_chunks(proxy, origin, end, rest):
    client, peer = asked(proxy, origin)
    peer.send(CHUNKED + chunk(b"first"))
    assert client.read_head().status == 200
    assert read_chunk(client) == b"first"
    peer.send(rest)
    end(peer)
    assert LAST_CHUNK not in client.read_to_end()
    expect_told(proxy, "r1", "upstream_failed", WORDS[end, "within"], "UC")
    client = proxy.connect()
    expect_reason(client, "reset_within")
    expect_the_next_works(client, origin)


@END
def test_a_reused_connection_that_ends_before_an_answer_to_a_post(proxy, origin, end):
    client, peer = asked(proxy, origin)
    peer.respond(body=b"first")
    assert client.read_response().body == b"first"
    client.request(b"POST", b"/", b"X-Request-ID: r2", body=b"once")
    assert peer.read_request().body == b"once"
    end(peer)
    detail = WORDS[end, "before"]
    expect_refused(client.read_response(), 502, detail)
    expect_reason(client, "reset")
    expect_told(proxy, "r2", "upstream_failed", detail, "UC")
    assert not origin.waiting()
    expect_the_next_works(client, origin)


# Slow ones


def test_a_head_that_trickles_has_the_time_for_the_first_byte_in_all(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts=SOON)
    client, peer = asked(proxy, origin)
    for byte in HEAD * 1000:  # it is over long before
        if not peer.try_send(bytes([byte])) or client.is_readable(0.02):
            break
    detail = "upstream api sent no answer within 300 ms (timeouts.first_byte)"
    expect_refused(client.read_response(), 504, detail)
    expect_reason(client, "first_byte_timeout")
    expect_told(proxy, "r1", "timed_out", detail, "UT")
    expect_the_next_works(client, origin)


def test_a_body_that_trickles_arrives_whole(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"first_byte": "1s", "idle": "1s"})
    client, peer = asked(proxy, origin)
    body = b"0123456789" * 3
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % len(body)]))
    assert client.read_head().status == 200
    for number in range(len(body)):
        peer.send(body[number : number + 1])
        assert client.read_exactly(1) == body[number : number + 1]
        assert not client.is_readable(0.05), "neither more nor the end"
    assert upstream(client)["failures"] == {}
    expect_the_next_works(client, origin)


def test_a_body_that_trickles_for_too_long_in_all_is_cut_off(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts={"idle": "10s", "total": "500ms"})
    client, peer = asked(proxy, origin)
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 1000000"]))
    assert client.read_head().status == 200
    until(lambda: peer.try_send(b".") is None or not client.fill(), "it is cut off")
    detail = "upstream api was not done within 500 ms (timeouts.total)"
    expect_told(proxy, "r1", "timed_out", detail, "UT")
    client = proxy.connect()
    expect_reason(client, "total_timeout")
    expect_the_next_works(client, origin)


def test_a_body_that_stops_is_cut_off(sightglass, origin):
    proxy = sightglass(origin, upstream_timeouts=SOON)
    client, peer = asked(proxy, origin)
    peer.send(HEAD + b"who")
    assert client.read_head().status == 200
    assert client.read_exactly(3) == b"who"
    assert client.read_to_end() == b""
    detail = "upstream api was silent for 300 ms (timeouts.idle)"
    expect_told(proxy, "r1", "timed_out", detail, "UT")
    client = proxy.connect()
    expect_reason(client, "idle_timeout")
    expect_the_next_works(client, origin)


# A process that stands still: its system takes connections and bytes, and nothing comes back


@pytest.fixture
def stopped(nginx):
    """nginx, and a function that has it stand still; it goes on at the end."""
    nginx.write("page", b"a page")
    nginx.write("large", bytes(16 << 20))
    yield lambda: nginx.process.send_signal(signal.SIGSTOP)
    nginx.process.send_signal(signal.SIGCONT)


def expect_it_goes_on(client, nginx):
    nginx.process.send_signal(signal.SIGCONT)
    response = client.get(b"/page")
    assert (response.status, response.body) == (200, b"a page")


@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "reused"])
def test_an_upstream_that_stands_still(sightglass, nginx, stopped, warm):
    proxy = sightglass(nginx, upstream_timeouts=SOON)
    client = proxy.connect()
    if warm:
        assert client.get(b"/page").body == b"a page"
    stopped()
    detail = "upstream api sent no answer within 300 ms (timeouts.first_byte)"
    expect_refused(client.get(b"/page", b"X-Request-ID: r1"), 504, detail)
    expect_reason(client, "first_byte_timeout")
    expect_told(proxy, "r1", "timed_out", detail, "UT")
    assert proxy.access_log(request_id="r1")["reused"] == warm
    expect_it_goes_on(client, nginx)


def test_an_upstream_that_stands_still_within_its_answer(sightglass, nginx, stopped):
    proxy = sightglass(nginx, upstream_timeouts=SOON)
    client = proxy.connect(receive_buffer=1 << 16)
    client.request(b"GET", b"/large", b"X-Request-ID: r1")
    client.read_head()
    stopped()
    assert len(client.read_to_end()) < 16 << 20
    detail = "upstream api was silent for 300 ms (timeouts.idle)"
    expect_told(proxy, "r1", "timed_out", detail, "UT")
    client = proxy.connect()
    expect_reason(client, "idle_timeout")
    expect_it_goes_on(client, nginx)


def test_an_upstream_that_stands_still_within_an_upload(sightglass, nginx, stopped):
    proxy = sightglass(nginx, upstream_timeouts=SOON)
    client = proxy.connect()
    stopped()
    size = 64 << 20
    client.send(build_request(b"PUT", b"/put/x", b"X-Request-ID: r1", b"Content-Length: %d" % size))
    client.push_until_stalled(size)
    detail = "upstream api was silent for 300 ms (timeouts.idle)"
    expect_refused(client.read_response(), 504, detail)
    client = proxy.connect()
    expect_reason(client, "idle_timeout")
    expect_told(proxy, "r1", "timed_out", detail, "UT")
    expect_it_goes_on(client, nginx)


# A machine that has vanished: no FIN, no reset, no answer to anything


@pytest.fixture
def remote(sightglass, hole, namespace):
    """An upstream at an address that may vanish."""
    peer = Origin(host=hole.address, network=namespace)
    yield peer
    peer.close()


@pytest.fixture
def beside(sightglass, remote, namespace):
    """A process in that upstream's network."""
    return sightglass(remote, namespace=namespace, upstream_timeouts=SOON)


def test_an_upstream_that_vanished_before_it_is_connected_to(beside, remote, hole):
    client = beside.connect()
    hole.vanish()
    detail = f"upstream api: connect to {hole.address}:{remote.port}: no answer within 300 ms"
    expect_refused(client.get(b"/", b"X-Request-ID: r1"), 504, detail)
    expect_reason(client, "connect_timeout")
    expect_told(beside, "r1", "timed_out", detail, "UF")
    hole.come_back()
    expect_the_next_works(client, remote)


def test_an_idle_connection_whose_upstream_vanished(beside, remote, hole):
    client, peer = asked(beside, remote)
    peer.respond(body=b"kept")
    assert client.read_response().body == b"kept"
    hole.vanish()
    detail = "upstream api sent no answer within 300 ms (timeouts.first_byte)"
    expect_refused(client.get(b"/", b"X-Request-ID: r2"), 504, detail)
    expect_reason(client, "first_byte_timeout")
    expect_told(beside, "r2", "timed_out", detail, "UT")
    assert upstream(client)["idle"] == 0, "it is not lent again"
    hole.come_back()
    expect_the_next_works(client, remote)
    assert upstream(client)["opened"] == 2


def test_an_upstream_that_vanished_before_it_answered(beside, remote, hole):
    client, peer = asked(beside, remote)
    hole.vanish()
    peer.respond(body=b"never arrives")
    detail = "upstream api sent no answer within 300 ms (timeouts.first_byte)"
    expect_refused(client.read_response(), 504, detail)
    expect_reason(client, "first_byte_timeout")
    expect_told(beside, "r1", "timed_out", detail, "UT")
    hole.come_back()
    peer.close()
    remote.peers.remove(peer)
    expect_the_next_works(client, remote)


def test_an_upstream_that_vanished_within_its_answer(beside, remote, hole):
    client, peer = asked(beside, remote)
    peer.send(HEAD + b"who")
    assert client.read_head().status == 200
    assert client.read_exactly(3) == b"who"
    hole.vanish()
    peer.send(b"le")
    assert client.read_to_end() == b""
    detail = "upstream api was silent for 300 ms (timeouts.idle)"
    expect_told(beside, "r1", "timed_out", detail, "UT")
    client = beside.connect()
    expect_reason(client, "idle_timeout")
    hole.come_back()
    peer.close()
    remote.peers.remove(peer)
    expect_the_next_works(client, remote)


def test_an_upstream_that_vanished_within_an_upload(beside, remote, hole):
    client = beside.connect()
    size = 64 << 20
    client.send(build_request(b"POST", b"/", b"X-Request-ID: r1", b"Content-Length: %d" % size))
    peer = remote.accept()
    peer.read_request_head()
    hole.vanish()
    client.push_until_stalled(size)
    detail = "upstream api was silent for 300 ms (timeouts.idle)"
    expect_refused(client.read_response(), 504, detail)
    client = beside.connect()
    expect_reason(client, "idle_timeout")
    expect_told(beside, "r1", "timed_out", detail, "UT")
    hole.come_back()
    peer.close()
    remote.peers.remove(peer)
    expect_the_next_works(client, remote)


def test_all_idle_connections_of_an_upstream_that_vanished_fail_once_at_most(
    sightglass, remote, hole, namespace
):
    """After the breaker's five the others are refused at once, and leave no trace when it is
    back."""
    proxy = sightglass(
        remote,
        namespace=namespace,
        upstream_timeouts=SOON,
        breaker={"failures": 5, "open": "1s"},
    )
    clients = [proxy.connect() for _ in range(10)]
    peers = []
    for client in clients:
        client.request()
        peers.append(remote.accept())
        peers[-1].read_request()
    for client, peer in zip(clients, peers):
        peer.respond(body=b"kept")
        assert client.read_response().body == b"kept"
    hole.vanish()
    statuses = [client.get().status for client in clients]
    assert statuses.count(504) == 5 and statuses.count(503) == 5
    hole.come_back()
    for peer in peers:
        peer.close()
    remote.peers.clear()
    until(lambda: upstream(clients[0])["idle"] == 0, "the ends of the others have arrived")

    def works_again():
        clients[0].request(b"GET", b"/again")
        if not clients[0].is_readable(0.1):
            remote.next_request()[0].respond(body=b"back")
        return clients[0].read_response().status == 200

    until(works_again, "it is tried again, and works")
