"""A WebSocket's handshake by hand, and the tunnel behind it."""

from harness.messages import build, build_request

HANDSHAKE = [
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
]
SWITCHING = build(
    b"HTTP/1.1 101 Switching Protocols",
    [
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ],
)


def open_tunnel(proxy, origin, *fields, early=b"", client=None):
    """A tunnel through the proxy: (client, peer), both past the handshake."""
    client = client or proxy.connect()
    client.send(build_request(b"GET", b"/ws", *HANDSHAKE, *fields))
    peer = origin.accept()
    request = peer.read_request_head()
    assert request.one("Upgrade").lower() == b"websocket"
    assert [m.lower() for m in request.members("Connection")] == [b"upgrade"]
    assert request.one("Sec-WebSocket-Key") == b"dGhlIHNhbXBsZSBub25jZQ=="
    peer.send(SWITCHING + early)
    answer = client.read_head()
    assert answer.status == 101
    assert answer.one("Upgrade").lower() == b"websocket"
    assert b"upgrade" in [m.lower() for m in answer.members("Connection")]
    assert answer.one("Sec-WebSocket-Accept") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    return client, peer
