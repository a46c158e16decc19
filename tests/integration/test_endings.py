"""Who leaves when: clients that go, answers that are cut off, answers that come before the request
is whole."""

import pytest

from harness.messages import LAST_CHUNK, build, build_request, chunk, read_chunk
from harness.wire import until

CHUNKED = [b"Transfer-Encoding: chunked"]
OK_CHUNKED = build(b"HTTP/1.1 200 OK", CHUNKED)


def leave_by_close(client):
    client.close()


def leave_by_reset(client):
    client.reset()


LEAVE = pytest.mark.parametrize("leave", [leave_by_close, leave_by_reset])


@LEAVE
def test_a_client_that_leaves_before_the_answer_cancels_the_upstream_exchange(proxy, origin, leave):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: gone")
    peer = origin.accept()
    peer.read_request()
    leave(client)
    peer.expect_end()
    line = proxy.access_log(request_id="gone")
    assert "DC" in line["flags"] and line["state"] == "client_aborted"
    assert proxy.inspector.record("gone", state="client_aborted")["error"]


@LEAVE
def test_a_client_that_leaves_within_the_answer_cancels_the_upstream_exchange(proxy, origin, leave):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: gone")
    peer = origin.accept()
    peer.read_request()
    peer.send(OK_CHUNKED + chunk(b"half"))
    client.read_head()
    assert read_chunk(client) == b"half"
    leave(client)
    peer.expect_end()
    assert proxy.inspector.record("gone", state="client_aborted")["response_size_bytes"] == 4


@LEAVE
def test_a_client_that_leaves_within_its_request_never_looks_whole_upstream(proxy, origin, leave):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", *CHUNKED) + chunk(b"half"))
    peer = origin.accept()
    peer.read_request_head()
    assert read_chunk(peer) == b"half"
    leave(client)
    assert peer.read_to_end() == b"", "no last chunk for a request that was cut off"


def test_a_client_that_leaves_a_stalled_answer_is_noticed(proxy, origin):
    """Where the client reads nothing the proxy reads nothing from the upstream; it hears of the
    leaving all the same."""
    client = proxy.connect(receive_buffer=1 << 16)
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % (1 << 40)]))
    peer.push_until_stalled(256 << 20)
    client.reset()
    peer.read_to_end()


def test_a_client_that_only_closes_its_sending_side_still_gets_its_answer_or_is_cancelled(
    proxy, origin
):
    """A half close looks like leaving. Either reading is allowed; silence is not."""
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    client.half_close()
    peer.try_send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 2"]) + b"ok")
    data = client.read_to_end()
    assert data == b"" or data.endswith(b"\r\n\r\nok")


def end_by_close(peer):
    peer.close()


def end_by_reset(peer):
    peer.reset()


END = pytest.mark.parametrize("end", [end_by_close, end_by_reset])


@END
def test_an_answer_cut_off_within_its_length_breaks_the_clients_connection(proxy, origin, end):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: cut")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 10"]) + b"12345")
    assert client.read_head().one("Content-Length") == b"10"
    assert client.read_exactly(5) == b"12345"
    end(peer)
    assert client.read_to_end() == b""
    record = proxy.inspector.record("cut", state="upstream_failed")
    assert record["error"] and record["status"] == 200
    assert proxy.access_log(request_id="cut")["flags"] == "UC"


@END
def test_an_answer_cut_off_within_its_chunks_never_gets_a_last_chunk(proxy, origin, end):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(OK_CHUNKED + chunk(b"12345"))
    client.read_head()
    assert read_chunk(client) == b"12345"
    end(peer)
    assert client.read_to_end() == b""


@END
def test_an_answer_cut_off_within_a_chunk_never_gets_a_last_chunk(proxy, origin, end):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(OK_CHUNKED + b"a\r\n12345")
    client.read_head()
    assert client.read_until(b"12345")
    end(peer)
    assert LAST_CHUNK not in client.read_to_end()


def test_a_close_delimited_answer_that_ends_with_a_reset_is_cut_off(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: reset")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", []) + b"and then")
    client.read_head()
    assert read_chunk(client) == b"and then"
    peer.reset()
    assert client.read_to_end() == b""
    proxy.inspector.record("reset", state="upstream_failed")


@END
def test_an_answer_cut_off_within_its_head_is_a_502(proxy, origin, end):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    end(peer)
    response = client.read_response()
    assert response.status == 502 and b"api" in response.body


def test_a_cut_off_answer_leaves_the_next_client_untouched(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 10"]) + b"12345")
    client.read_head()
    peer.close()
    client.read_to_end()
    client = proxy.connect()
    client.request()
    origin.accept().serve(body=b"whole")
    assert client.read_response().body == b"whole"


def test_an_answer_before_the_body_was_sent_reaches_the_client(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: 1000") + b"x" * 10)
    peer = origin.accept()
    peer.read_request_head()
    peer.send(
        build(b"HTTP/1.1 413 Too Large", [b"Connection: close", b"Content-Length: 3"]) + b"big"
    )
    response = client.read_response()
    assert (response.status, response.body) == (413, b"big")


def test_an_answer_before_the_body_was_sent_and_a_close_still_reach_the_client(proxy, origin):
    """What servers do that refuse an upload: answer, and close with unread bytes in their
    buffer."""
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % (1 << 24)))
    peer = origin.accept()
    peer.read_request_head()
    peer.send(
        build(b"HTTP/1.1 401 Who", [b"Connection: close", b"Content-Length: 3"]) + b"who"
    )
    peer.half_close()
    response = client.read_response()
    assert (response.status, response.body) == (401, b"who")
    client.try_send(b"x" * 100_000)
    peer.close()


def test_an_upload_goes_on_while_its_answer_is_already_running(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", *CHUNKED) + chunk(b"one"))
    peer = origin.accept()
    peer.read_request_head()
    assert read_chunk(peer) == b"one"
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 4"]) + b"go")
    client.read_head()
    assert client.read_exactly(2) == b"go"
    client.send(chunk(b"two"))
    assert read_chunk(peer) == b"two"
    client.send(LAST_CHUNK)
    assert read_chunk(peer) == b""
    peer.send(b"od")
    assert client.read_exactly(2) == b"od"


def test_an_early_answers_upstream_connection_is_not_used_again_before_its_request_ended(
    proxy, origin
):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: 10") + b"12345")
    peer = origin.accept()
    peer.read_request_head()
    assert peer.read_exactly(5) == b"12345"
    peer.respond(body=b"early")
    assert client.read_response().body == b"early"
    other = proxy.connect()
    other.request(b"GET", b"/other")
    second = origin.accept()
    assert second.serve(body=b"fine").target == b"/other"
    assert other.read_response().body == b"fine"


def test_a_client_that_leaves_frees_all_that_it_held(proxy, origin):
    client = proxy.connect()
    client.request()
    origin.accept().serve()
    client.read_response()
    files = proxy.open_files()
    for _ in range(50):
        client = proxy.connect()
        client.send(build_request(b"POST", b"/up", *CHUNKED) + chunk(b"half"))
        peer = origin.next_peer()
        peer.read_request_head()
        client.close()
        peer.read_to_end()
        peer.close()
    until(lambda: proxy.open_files() <= files, "no file descriptor left behind")


def test_a_client_that_leaves_while_its_connection_is_made_takes_nothing_with_it(
    sightglass, blackhole
):
    proxy = sightglass(blackhole, pool={"max_connections": 1, "queue_timeout": "30s"})
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: impatient")
    proxy.inspector.record("impatient", state="active")
    client.close()
    record = proxy.inspector.record("impatient", state="client_aborted")
    assert record["status"] == 0 and record["error"]
