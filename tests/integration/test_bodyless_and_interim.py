"""Answers without a body, answers before the answer, and clients that speak HTTP/1.0."""

import pytest

from harness.messages import LAST_CHUNK, build, build_request, build_response, chunk

EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Same: as\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def test_an_answer_to_head_has_its_length_and_no_body(proxy, origin):
    client = proxy.connect()
    client.request(b"HEAD", b"/file")
    peer = origin.accept()
    assert peer.read_request().method == b"HEAD"
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 1000"]))
    response = client.read_response(b"HEAD")
    assert response.one("Content-Length") == b"1000"
    client.request(b"GET", b"/next")
    assert peer.serve(body=b"next").target == b"/next"
    assert client.read_response().body == b"next"


def test_an_answer_to_head_may_say_chunked_and_has_no_body(proxy, origin):
    client = proxy.connect()
    client.request(b"HEAD", b"/file")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]))
    client.read_response(b"HEAD")
    client.request(b"GET", b"/next")
    assert peer.serve(body=b"next").target == b"/next"
    assert client.read_response().body == b"next"


@pytest.mark.parametrize(
    "answer",
    [
        build(b"HTTP/1.1 204 No Content", [b"X-A: 1"]),
        build(b"HTTP/1.1 304 Not Modified", [b'ETag: "x"']),
        build(b"HTTP/1.1 304 Not Modified", [b"Content-Length: 1000"]),
        build(b"HTTP/1.1 204 No Content", [b"Content-Length: 0"]),
    ],
    ids=["204", "304", "304 with a length", "204 with a length of 0, as many servers send it"],
)
def test_an_answer_that_cannot_have_a_body_has_none(proxy, origin, answer):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(answer)
    response = client.read_response()
    assert response.start_line == answer.split(b"\r\n")[0]
    assert not response.has("Transfer-Encoding")
    client.request(b"GET", b"/next")
    assert peer.serve(body=b"next").target == b"/next"
    assert client.read_response().body == b"next"


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_a_204_with_a_body_is_a_bad_answer(proxy, origin, field):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 204 No Content", [field]) + b"hello")
    assert client.read_response().status == 502
    peer.read_to_end()


def test_a_get_may_have_a_body(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/search", body=b"a query")
    peer = origin.accept()
    assert peer.serve(body=b"found").body == b"a query"
    assert client.read_response().body == b"found"


def test_interim_answers_pass_in_order_and_at_once(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(EARLY_HINTS)
    hints = client.read_head()
    assert (hints.status, hints.one("Link")) == (103, b"</a.css>; rel=preload")
    peer.send(b"HTTP/1.1 102 Processing\r\n\r\n" + EARLY_HINTS)
    assert client.read_head().status == 102
    assert client.read_head().status == 103
    peer.respond(body=b"at last")
    assert client.read_response().body == b"at last"


def test_a_client_of_http_1_0_gets_no_interim_answer(proxy, origin):
    client = proxy.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    peer = origin.accept()
    peer.read_request()
    peer.send(EARLY_HINTS)
    peer.respond(body=b"only this")
    response = client.read_response()
    assert response.status == 200 and response.body == b"only this"


def test_expect_continue_passes_and_the_upstream_decides(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Expect: 100-continue", b"Content-Length: 5"))
    peer = origin.accept()
    head = peer.read_request_head()
    assert head.one("Expect") == b"100-continue"
    peer.send(CONTINUE)
    assert client.read_head().status == 100
    client.send(b"hello")
    assert peer.read_request_body(head) == b"hello"
    peer.respond(201)
    assert client.read_response().status == 201


def test_an_upstream_that_refuses_the_expectation_is_heard_before_the_body(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Expect: 100-continue", b"Content-Length: 5"))
    peer = origin.accept()
    peer.read_request_head()
    peer.respond(417, body=b"no")
    response = client.read_response()
    assert (response.status, response.body) == (417, b"no")
    assert b"close" in response.members("Connection"), "or the next request might be read as a body"
    assert client.expect_end() == "fin"
    assert peer.read_to_end() == b"", "a body nobody sent never reaches the upstream"


def test_a_client_that_does_not_wait_for_100_is_served(proxy, origin):
    client = proxy.connect()
    client.request(b"POST", b"/up", b"Expect: 100-continue", body=b"hello")
    peer = origin.accept()
    assert peer.read_request().body == b"hello"
    peer.send(CONTINUE + build_response(201))
    assert client.read_head().status == 100
    assert client.read_response().status == 201


def test_a_client_of_http_1_0_gets_a_chunked_answer_up_to_the_close(proxy, origin):
    client = proxy.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    peer = origin.accept()
    request = peer.read_request()
    assert request.version == b"HTTP/1.1"
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]) + chunk(b"one"))
    head = client.read_head()
    assert not head.has("Transfer-Encoding") and not head.has("Content-Length")
    assert client.read_exactly(3) == b"one"
    peer.send(chunk(b"two") + b"0\r\nX-Trailer: lost\r\n\r\n")
    assert client.read_to_end() == b"two" and client.ending == "fin"


def test_a_client_of_http_1_0_that_is_cut_off_sees_a_reset(proxy, origin):
    client = proxy.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]) + chunk(b"one"))
    client.read_head()
    assert client.read_exactly(3) == b"one"
    peer.close()
    client.read_to_end()
    assert client.ending == "reset", "a close would say that the answer is whole"


def test_a_client_of_http_1_0_without_keep_alive_is_closed_after_its_answer(proxy, origin):
    client = proxy.connect()
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    origin.accept().serve(body=b"sized")
    response = client.read_head()
    assert response.one("Content-Length") == b"5"
    assert client.read_to_end() == b"sized" and client.ending == "fin"


def test_a_client_of_http_1_0_needs_no_host(proxy, origin):
    client = proxy.connect()
    client.send(b"GET /old HTTP/1.0\r\n\r\n")
    peer = origin.accept()
    request = peer.read_request()
    assert request.target == b"/old" and len(request.all("Host")) == 1
    peer.respond(body=b"x")
    client.read_head()
    assert client.read_to_end() == b"x"


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_empty_body_is_an_empty_body(proxy, origin, status):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 %d X" % status, [b"Transfer-Encoding: chunked"]) + LAST_CHUNK)
    assert client.read_response().body == b""
    client.request()
    peer.serve(status=status)
    assert client.read_response().body == b""
