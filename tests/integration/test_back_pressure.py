"""Who does not read stops who sends, and nobody in between holds what is under way."""

import threading
import time

from harness.messages import build, build_request

TOTAL = 256 << 20
HELD_KIB = 8 << 10  # what the process itself may take; the kernel's buffers are not its own


def test_a_client_that_stops_reading_stops_the_upstream(proxy, origin):
    client = proxy.connect(receive_buffer=1 << 16)
    client.request()
    peer = origin.accept()
    peer.read_request()
    before = proxy.memory_kib()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % TOTAL]))
    client.read_head()
    sent = peer.push_until_stalled(TOTAL)
    assert sent < TOTAL, "the client reads nothing, and the upstream was never stopped"
    assert proxy.memory_kib() - before < HELD_KIB
    client.count_to(sent)


def test_an_upstream_that_stops_reading_stops_the_client(sightglass, small_buffers):
    proxy = sightglass(small_buffers)
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % TOTAL))
    peer = small_buffers.accept()
    peer.read_request_head()
    before = proxy.memory_kib()
    sent = client.push_until_stalled(TOTAL)
    assert sent < TOTAL, "the upstream reads nothing, and the client was never stopped"
    assert proxy.memory_kib() - before < HELD_KIB
    peer.count_to(sent)


def test_a_stalled_client_does_not_hurt_another(sightglass, serving):
    upstream = serving(
        lambda request: build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % (64 << 20)])
        + bytes(64 << 20)
        if request.target == b"/big"
        else build(b"HTTP/1.1 200 OK", [b"Content-Length: 5"]) + b"small"
    )
    proxy = sightglass(upstream)
    stalled = [proxy.connect(receive_buffer=1 << 16) for _ in range(4)]
    for client in stalled:
        client.request(b"GET", b"/big")
        client.read_head()
    other = proxy.connect()
    for _ in range(200):
        assert other.get(b"/small").body == b"small"
    for client in stalled:
        client.count_to(64 << 20)


def test_a_client_that_sends_a_head_slowly_does_not_hurt_another(proxy, origin):
    slow = [proxy.connect() for _ in range(20)]
    raw = build_request(b"GET", b"/slow")
    for client in slow:
        client.send(raw[:-1])
    other = proxy.connect()
    for _ in range(20):
        other.request(b"GET", b"/quick")
        assert origin.next_request()[1].target == b"/quick"
        origin.peers[0].respond(body=b"quick")
        assert other.read_response().body == b"quick"
    for client in slow:
        client.send(raw[-1:])
        peer, request = origin.next_request()
        assert request.target == b"/slow"
        peer.respond(body=b"slow")
        assert client.read_response().body == b"slow"


def take_little_by_little(wire, size, seconds):
    """Takes of `size` bytes so little that the sender's buffers stay full for so long; then the
    rest."""
    taken = len(wire.buffer)
    wire.buffer = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = wire.sock.recv(30_000)
        assert data, f"cut off after {taken} bytes"
        taken += len(data)
        time.sleep(0.05)
    wire.count_to(size - taken)


def test_a_client_that_takes_little_is_not_taken_for_one_that_takes_nothing(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"send": "500ms"}})
    client = proxy.connect(receive_buffer=1 << 16)
    client.request()
    peer = origin.accept()
    peer.read_request()
    size = 16 << 20
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % size]))
    sender = threading.Thread(target=peer.try_send, args=(bytes(size),))
    sender.start()
    client.read_head()
    take_little_by_little(client, size, seconds=2)
    sender.join()


def test_an_upstream_that_takes_little_is_not_taken_for_one_that_takes_nothing(
    sightglass, small_buffers
):
    proxy = sightglass(small_buffers, upstream_timeouts={"idle": "500ms"})
    client = proxy.connect()
    size = 16 << 20
    client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % size))
    peer = small_buffers.accept()
    peer.read_request_head()
    sender = threading.Thread(target=client.try_send, args=(bytes(size),))
    sender.start()
    take_little_by_little(peer, size, seconds=2)
    sender.join()
    peer.respond(body=b"all")
    assert client.read_response().body == b"all"


def test_an_upstream_that_takes_nothing_is_a_504(sightglass, small_buffers):
    proxy = sightglass(small_buffers, upstream_timeouts={"idle": "500ms"})
    client = proxy.connect()
    client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % TOTAL))
    peer = small_buffers.accept()
    peer.read_request_head()
    assert client.push_until_stalled(TOTAL) < TOTAL
    assert client.read_response().status == 504
