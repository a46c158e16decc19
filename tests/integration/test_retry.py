"""A pooled connection that dies under a request: once more where that is safe, never where it is
not."""

import select

import pytest

from harness.messages import build_request, build_response
from harness.wire import DEADLINE_S


def warm(proxy, origin):
    """A client, and an upstream connection that served it once and is idle now."""
    client = proxy.connect()
    client.request(b"GET", b"/warm-up")
    peer = origin.accept()
    peer.serve()
    client.read_response()
    return client, peer


def die_by_close(peer):
    peer.close()


def die_by_reset(peer):
    peer.reset()


DIE = pytest.mark.parametrize("die", [die_by_close, die_by_reset])


@DIE
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"DELETE"])
def test_a_safe_request_is_sent_once_more_on_a_fresh_connection(proxy, origin, die, method):
    client, first = warm(proxy, origin)
    client.request(method, b"/again?x=1", b"X-Request-ID: twice", b"X-A: 1")
    request = first.read_request()
    die(first)
    second = origin.accept()
    again = second.read_request()
    assert again.raw == request.raw
    second.respond()
    assert client.read_response(method).status == 200
    line = proxy.access_log(request_id="twice")
    assert (line["attempts"], line["status"], line["reused"]) == (2, 200, False)
    assert proxy.inspector.record("twice")["attempts"] == 2


@DIE
def test_it_is_sent_once_more_and_not_twice(proxy, origin, die):
    client, first = warm(proxy, origin)
    client.request(b"GET", b"/again", b"X-Request-ID: hopeless")
    first.read_request()
    die(first)
    second = origin.accept()
    second.read_request()
    die(second)
    response = client.read_response()
    assert response.status == 502 and response.one("X-Request-ID") == b"hopeless"
    assert not origin.waiting()
    assert proxy.access_log(request_id="hopeless")["attempts"] == 2


def test_the_second_attempt_takes_no_other_pooled_connection(proxy, origin):
    """They may all have died together; only a fresh one tells."""
    clients = [proxy.connect() for _ in range(3)]
    peers = []
    for client in clients:
        client.request()
        peers.append(origin.accept())
        peers[-1].read_request()
    for client, peer in zip(clients, peers):
        peer.respond()
        client.read_response()
    clients[0].request(b"GET", b"/again")
    peer, _ = origin.next_request()
    peer.reset()
    fresh = origin.accept()
    assert fresh.serve(body=b"fresh").target == b"/again"
    assert clients[0].read_response().body == b"fresh"


@DIE
@pytest.mark.parametrize("body", [b"once", b""])
@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"PURGE"])
def test_a_request_that_is_not_idempotent_is_never_sent_twice(proxy, origin, die, method, body):
    client, _ = warm(proxy, origin)
    client.request(method, b"/submit", body=body)
    peer, request = origin.next_request()
    assert request.body == body
    die(peer)
    response = client.read_response()
    assert response.status == 502
    assert not origin.waiting()
    client.request(b"GET", b"/after")
    peer, request = origin.next_request()
    assert request.target == b"/after", "what came next is the next request, not a second submit"
    peer.respond()
    client.read_response()


@DIE
def test_a_fresh_connection_that_dies_is_no_idle_close_and_is_not_tried_again(proxy, origin, die):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    die(peer)
    response = client.read_response()
    assert response.status == 502
    assert not origin.waiting()


def test_a_connection_that_dies_after_the_first_byte_of_the_answer_is_not_tried_again(
    proxy, origin
):
    client, peer = warm(proxy, origin)
    client.request()
    peer.read_request()
    peer.send(b"H")
    peer.close()
    assert client.read_response().status == 502
    assert not origin.waiting()


def test_a_connection_that_dies_after_an_interim_answer_is_not_tried_again(proxy, origin):
    client, peer = warm(proxy, origin)
    client.request()
    peer.read_request()
    peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert client.read_head().status == 103
    peer.close()
    assert client.read_response().status == 502
    assert not origin.waiting()


@pytest.mark.parametrize("size", [1, 1000, 16_384, 16_385, 100_000])
def test_an_idempotent_body_that_is_gone_is_not_sent_cut(proxy, origin, size):
    """A PUT whose body went out may be tried again only whole, from its start."""
    client, first = warm(proxy, origin)
    body = (bytes(range(256)) * 400)[:size]
    client.send(build_request(b"PUT", b"/file", b"Content-Length: %d" % len(body)))
    head = first.read_request_head()
    client.send(body)
    first.read_request_body(head)
    first.close()
    assert select.select([origin.listener, client.sock], [], [], DEADLINE_S)[0]
    if origin.waiting():
        assert origin.accept().serve().body == body
        assert client.read_response().status == 200
    else:
        assert client.read_response().status == 502


def test_a_put_without_a_body_is_tried_again(proxy, origin):
    client, first = warm(proxy, origin)
    client.request(b"PUT", b"/touch", body=b"")
    first.read_request()
    first.close()
    assert origin.accept().serve().target == b"/touch"
    assert client.read_response().status == 200


def test_many_clients_on_a_restarting_upstream_see_no_error(sightglass, origin):
    """An upstream that restarts closes all idle connections at the same moment as requests come
    in."""
    proxy = sightglass(origin, pool={"max_connections": 20, "max_idle": 20})
    clients = [proxy.connect() for _ in range(10)]
    peers = []
    for client in clients:
        client.request()
        peers.append(origin.accept())
        peers[-1].read_request()
    for client, peer in zip(clients, peers):
        peer.respond()
        client.read_response()
    for client in clients:
        client.request(b"GET", b"/after")
    for peer in peers:
        peer.reset()
    for _ in clients:
        origin.next_request()[0].respond(body=b"restarted")
    assert {client.read_response().body for client in clients} == {b"restarted"}


def test_a_retry_takes_its_place_where_the_cap_is_one(sightglass, origin):
    """The dead connection's place must be free for the fresh one: no deadlock at max_connections
    1."""
    proxy = sightglass(origin, pool={"max_connections": 1})
    client, first = warm(proxy, origin)
    client.request(b"GET", b"/again")
    first.read_request()
    first.reset()
    second = origin.accept()
    second.read_request()
    second.send(build_response(200, body=b"second"))
    assert client.read_response().body == b"second"
