"""Nothing that a peer sends ends the process. Random, but from fixed seeds: a failure can be had
again."""

import random

import pytest

from harness.ambiguous_heads import AMBIGUOUS
from harness.messages import build, build_request, build_response
from harness.wire import until

SEEDS = range(12)
GOOD_REQUEST = build_request(
    b"POST", b"/a?b=c", b"X-Request-ID: x", b"Cookie: a=b", b"Transfer-Encoding: chunked"
) + (b"5\r\nhello\r\n" * 20 + b"0\r\nX-T: 1\r\n\r\n")
GOOD_ANSWER = (
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
    + b"5\r\nhello\r\n" * 20
    + b"0\r\nX-T: 1\r\n\r\n"
)
SPICE = [b"\r", b"\n", b"\r\n", b"\0", b":", b" ", b"\t", b"\xff", b"0", b";", b"chunked"]


def mutate(chance, raw):
    data = bytearray(raw)
    for _ in range(chance.randrange(1, 8)):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            data[place:place] = chance.choice(SPICE)
        elif kind == 1:
            del data[place : place + chance.randrange(1, 20)]
        elif kind == 2:
            data[place : place + 1] = bytes([chance.randrange(256)])
        else:
            data[place:place] = data[: chance.randrange(1, 50)]
        if not data:
            data = bytearray(b"\r")
    return bytes(data)


def send_in_pieces(chance, wire, raw):
    while raw:
        size = chance.randrange(1, len(raw) + 1)
        if not wire.try_send(raw[:size]):
            return
        raw = raw[size:]


@pytest.fixture
def survivor(sightglass, serving):
    upstream = serving()
    timeouts = {"header": "500ms", "body": "500ms"}
    proxy = sightglass(upstream, workers=2, config={"timeouts": timeouts})
    yield proxy
    assert proxy.alive()
    assert proxy.connect().get(b"/still-here").body == b"/still-here"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_bytes_from_clients(survivor, seed):
    chance = random.Random(seed)
    for _ in range(50):
        client = survivor.connect()
        send_in_pieces(chance, client, chance.randbytes(chance.randrange(1, 5000)))
        leave(chance, client)


def leave(chance, wire):
    kind = chance.randrange(3)
    if kind == 0:
        wire.close()
    elif kind == 1:
        wire.reset()
    else:
        wire.sock.shutdown(1) if wire.ending is None else None
        wire.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_requests(survivor, seed):
    chance = random.Random(seed)
    seeds = [GOOD_REQUEST, build_request(), *(raw for raw, _ in AMBIGUOUS.values())]
    for _ in range(100):
        client = survivor.connect()
        raw = mutate(chance, chance.choice(seeds)) + chance.choice(seeds)
        send_in_pieces(chance, client, raw)
        leave_quietly(chance, client)


def leave_quietly(chance, client):
    try:
        leave(chance, client)
    except OSError:
        client.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_answers(sightglass, origin, seed):
    proxy = sightglass(origin, upstream_timeouts={"idle": "300ms", "first_byte": "300ms"})
    chance = random.Random(seed)
    for _ in range(30):
        client = proxy.connect()
        client.request(b"POST", b"/x", body=b"once")  # never tried again: one answer each
        peer, _ = origin.next_request()
        send_in_pieces(chance, peer, mutate(chance, GOOD_ANSWER))
        if chance.randrange(2):
            peer.close()
        client.sock.settimeout(0.05)
        try:
            client.sock.recv(1 << 16)
        except OSError:
            pass
        client.close()
        if peer.sock.fileno() >= 0:
            peer.close()
    assert proxy.alive()
    last = proxy.connect()
    last.request(b"GET", b"/still-here")
    peer, _ = origin.next_request()
    peer.send(build_response(200, body=b"yes"))
    assert last.read_response().body == b"yes"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_requests_to_the_inspector(survivor, seed):
    chance = random.Random(seed)
    alphabet = "abc/%.?&=*:;,-_+~0129 \"'<>{}[]|\\^`éß\x7f"
    for _ in range(60):
        tail = "".join(chance.choice(alphabet) for _ in range(chance.randrange(0, 60)))
        path = chance.choice(
            ["", "/", "/api/requests", "/api/requests/", "/api/requests?limit=", "/api/requests?q="]
        )
        client = survivor.connect()
        raw = ("/_inspector" + path + tail).encode()
        method = chance.choice([b"GET", b"POST", b"DELETE", b"PUT", b"HEAD", b"OPTIONS", b"X"])
        lines = [b"Host: localhost", b"Connection: close"]
        client.send(build(method + b" " + raw + b" HTTP/1.1", lines))
        assert client.read_to_end().startswith(b"HTTP/1.1 ")
        client.close()


def test_clients_that_connect_and_leave_at_any_point(survivor):
    raw = GOOD_REQUEST
    for length in range(0, len(raw), 3):
        client = survivor.connect()
        client.send(raw[:length])
        (client.reset if length % 2 else client.close)()
    until(lambda: not survivor.inspector.list(state="active"), "no exchange left running")


def test_an_upstream_that_leaves_at_any_point(sightglass, origin):
    proxy = sightglass(origin, breaker={"failures": 0})
    for length in range(0, len(GOOD_ANSWER), 7):
        client = proxy.connect()
        client.request(b"POST", b"/x", b"Connection: close", body=b"once")
        peer, _ = origin.next_request()
        peer.send(GOOD_ANSWER[:length])
        (peer.reset if length % 2 else peer.close)()
        assert b"0\r\nX-T: 1\r\n\r\n" not in client.read_to_end()
        client.close()
    assert proxy.alive()
