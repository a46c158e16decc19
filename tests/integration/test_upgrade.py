"""WebSocket becomes a tunnel; any other upgrade is taken out of the request."""

import asyncio
import os
import pathlib
import random
import time

import pytest

from harness.exchange import exchange
from harness.messages import build, build_request, build_response
from harness.tunnel import HANDSHAKE, SWITCHING, open_tunnel
from harness.websocket_origin import connect
from harness.wire import until


def test_after_a_101_any_bytes_pass_both_ways(proxy, origin):
    client, peer = open_tunnel(proxy, origin)
    for number in range(10):
        client.send(b"\x00\xff\r\n\r\nGET %d" % number)
        assert peer.read_exactly(11) == b"\x00\xff\r\n\r\nGET %d" % number
        peer.send(b"HTTP/1.1 %d\x00" % number)
        assert client.read_exactly(11) == b"HTTP/1.1 %d\x00" % number


def test_bytes_right_behind_the_101_belong_to_the_tunnel(proxy, origin):
    client, peer = open_tunnel(proxy, origin, early=b"first words")
    assert client.read_exactly(11) == b"first words"


def test_bytes_that_the_client_sends_before_the_101_wait_for_it(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"GET", b"/ws", *HANDSHAKE) + b"eager")
    peer = origin.accept()
    peer.read_request_head()
    peer.send(SWITCHING)
    assert client.read_head().status == 101
    assert peer.read_exactly(5) == b"eager"


def test_an_end_on_one_side_of_a_tunnel_ends_the_other(proxy, origin):
    client, peer = open_tunnel(proxy, origin)
    peer.send(b"bye")
    peer.close()
    assert client.read_to_end() == b"bye"
    client, peer = open_tunnel(proxy, origin)
    client.send(b"bye")
    client.close()
    assert peer.read_to_end() == b"bye"


def test_a_reset_on_one_side_of_a_tunnel_ends_the_other(proxy, origin):
    client, peer = open_tunnel(proxy, origin)
    peer.reset()
    client.read_to_end()
    client, peer = open_tunnel(proxy, origin)
    client.reset()
    peer.read_to_end()


def test_a_tunnels_record_has_the_handshake_and_the_bytes_each_way(proxy, origin):
    client, peer = open_tunnel(proxy, origin, b"X-Request-ID: tunnelled")
    client.send(b"12345")
    assert peer.read_exactly(5) == b"12345"
    peer.send(b"1234567")
    assert client.read_exactly(7) == b"1234567"
    assert proxy.inspector.record("tunnelled", state=None)["status"] == 101
    client.close()
    peer.read_to_end()
    peer.close()
    line = proxy.access_log(request_id="tunnelled")
    assert (line["status"], line["request_bytes"], line["response_bytes"]) == (101, 5, 7)
    record = proxy.inspector.record("tunnelled", state="tunnel")
    assert (record["request_size_bytes"], record["response_size_bytes"]) == (5, 7)
    assert record["duration_ms"] > 0
    names = {field["name"].lower() for field in record["request_headers"]}
    assert "sec-websocket-key" in names
    names = {field["name"].lower() for field in record["response_headers"]}
    assert "sec-websocket-accept" in names


def test_a_tunnels_back_pressure_reaches_the_other_side(sightglass, origin):
    proxy = sightglass(origin)
    client = proxy.connect(receive_buffer=1 << 16)
    client.send(build_request(b"GET", b"/ws", *HANDSHAKE))
    peer = origin.accept()
    peer.read_request_head()
    peer.send(SWITCHING)
    client.read_head()
    limit = 256 << 20
    sent = peer.push_until_stalled(limit)
    assert sent < limit, "the client reads nothing, and the upstream was never stopped"
    client.count_to(sent)


def test_an_upstream_that_takes_nothing_of_a_tunnel_is_given_up(sightglass, origin):
    """And with it a client that has left meanwhile: behind what it sent, nobody sees it leave."""
    proxy = sightglass(origin, upstream_timeouts={"idle": "500ms"})
    client, peer = open_tunnel(proxy, origin, b"X-Request-ID: stuck")
    client.push_until_stalled(256 << 20)
    client.close()
    line = proxy.access_log(request_id="stuck")
    assert line["state"] == "tunnel" and "timeouts.idle" in line["error"]


def test_an_upstream_that_takes_little_of_a_tunnel_is_not_given_up(sightglass, small_buffers):
    proxy = sightglass(small_buffers, upstream_timeouts={"idle": "500ms"})
    client, peer = open_tunnel(proxy, small_buffers)
    sent = client.push_until_stalled(256 << 20)
    taken = 0
    end = time.monotonic() + 2
    while time.monotonic() < end:  # four times what it would be given if it took nothing
        taken += len(peer.sock.recv(30_000))
        time.sleep(0.05)
    peer.count_to(sent - taken)


def keepalive_timers(port):
    """How many connections of this port the system probes now and then."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = f":{port:04X}"
    return sum(
        row[5].startswith("02:") for row in rows if row[1].endswith(ours) or row[2].endswith(ours)
    )


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="the system does not tell")
def test_both_ends_of_a_tunnel_are_probed_for_peers_that_vanished(proxy, origin):
    plain = proxy.connect()
    plain.request()
    origin.accept().read_request()
    assert keepalive_timers(proxy.port) == 0 and keepalive_timers(origin.port) == 0
    open_tunnel(proxy, origin)
    until(lambda: keepalive_timers(proxy.port) == 1, "the client's connection is probed")
    until(lambda: keepalive_timers(origin.port) == 1, "the upstream's connection is probed")


def test_an_upstream_that_declines_the_upgrade_answers_as_usual(proxy, origin):
    client = proxy.connect()
    client.send(build_request(b"GET", b"/ws", *HANDSHAKE))
    peer = origin.accept()
    peer.read_request_head()
    peer.respond(403, body=b"no sockets here")
    response = client.read_response()
    assert (response.status, response.body) == (403, b"no sockets here")


def test_h2c_is_taken_out_of_the_request(proxy, origin):
    request, response = exchange(
        proxy,
        origin,
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    )
    assert not request.has("Upgrade") and not request.has("HTTP2-Settings")
    assert b"upgrade" not in [m.lower() for m in request.members("Connection")]
    assert response.body == b"fine"


def test_an_upgrade_that_connection_does_not_name_is_no_upgrade(proxy, origin):
    request, _ = exchange(proxy, origin, b"Upgrade: websocket")
    assert not request.has("Upgrade")


def test_only_a_get_without_a_body_can_become_a_tunnel(proxy, origin):
    for method, body in ((b"POST", None), (b"GET", b"body"), (b"POST", b"body")):
        request, response = exchange(proxy, origin, *HANDSHAKE, method=method, body=body)
        assert not request.has("Upgrade") and response.body == b"fine"
        assert request.body == (body or b"")


def test_a_client_of_http_1_0_cannot_ask_for_a_tunnel(proxy, origin):
    client = proxy.connect()
    client.send(build(b"GET /ws HTTP/1.0", [b"Host: a", *HANDSHAKE]))
    peer = origin.accept()
    assert not peer.read_request().has("Upgrade")
    peer.respond(body=b"plain")
    assert client.read_response().body == b"plain"


def test_a_101_that_nobody_asked_for_is_a_bad_answer(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(SWITCHING)
    assert client.read_response().status == 502
    peer.read_to_end()


def test_an_answer_before_the_tunnel_leaves_the_connection_usable(proxy, origin):
    request, _ = exchange(
        proxy, origin, *HANDSHAKE, answer=build_response(200, body=b"plain")
    )
    assert request.has("Upgrade")
    assert exchange(proxy, origin)[1].body == b"fine"


def test_a_real_websocket_works_with_messages_of_every_kind(sightglass, websocket_origin):
    proxy = sightglass(websocket_origin)
    big = random.Random(1).randbytes(1 << 20)  # so that no compression makes it small

    async def talk():
        async with connect(
            f"ws://127.0.0.1:{proxy.port}/chat?room=1",
            max_size=1 << 24,
            extra_headers={"X-Request-ID": "chat"},
        ) as socket:
            for message in ("hello", "", "ümlaut ✓", b"\x00\x01", big):
                await socket.send(message)
                assert await socket.recv() == message
            await (await socket.ping())
        return True

    assert asyncio.run(asyncio.wait_for(talk(), 30))
    assert websocket_origin.handshakes[0]["X-Request-ID"] == "chat"
    line = proxy.access_log(request_id="chat")
    assert line["status"] == 101
    assert line["request_bytes"] > len(big) and line["response_bytes"] > len(big)


def test_many_tunnels_stand_side_by_side(sightglass, websocket_origin):
    proxy = sightglass(websocket_origin, pool={"max_connections": 100})

    async def one(number):
        async with connect(f"ws://127.0.0.1:{proxy.port}/{number}") as socket:
            for turn in range(5):
                await socket.send(f"{number} {turn}")
                assert await socket.recv() == f"{number} {turn}"

    async def all_of_them():
        await asyncio.wait_for(asyncio.gather(*(one(n) for n in range(40))), 30)

    asyncio.run(all_of_them())
    until(lambda: len(websocket_origin.handshakes) == 40, "40 handshakes")
