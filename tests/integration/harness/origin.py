"""An upstream that the test plays itself, byte by byte, in its own thread.

Nothing happens that the test does not write down: it accepts, reads, answers, stalls, resets. So
client, upstream and expectation stand in one function, in the order in which they happen. (For an
upstream that answers by itself: serving.py.)
"""

import select
import socket

from harness.messages import (
    build_request,
    build_response,
    read_body,
    read_request,
    read_request_head,
)
from harness.wire import DEADLINE_S, Wire

SENTINEL = b"/sentinel-after-what-was-refused"


class Peer(Wire):
    """The upstream's end of one connection from the proxy."""

    def read_request(self):
        return read_request(self)

    def read_request_head(self):
        return read_request_head(self)

    def read_request_body(self, head):
        read_body(self, head)
        return head.body

    def respond(self, status=200, *fields, body=b"", reason=b"Fine"):
        self.send(build_response(status, *fields, body=body, reason=reason))

    def serve(self, *fields, status=200, body=b""):
        """Reads one request, answers it, returns it."""
        request = self.read_request()
        self.respond(status, *fields, body=body)
        return request


class Origin:
    """A listening socket whose connections the test accepts one by one."""

    peer_class = Peer

    def __init__(
        self,
        family=socket.AF_INET,
        path=None,
        receive_buffer=None,
        port=0,
        host=None,
        network=socket,
    ):
        """`host`: another address than the loopback one. `network`: where it listens; a Namespace, or
        this machine's."""
        self.listener = network.socket(socket.AF_UNIX if path else family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer is not None:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if path:
            self.listener.bind(path)
            self.url = f"unix:{path}"
        else:
            host = host or ("::1" if family == socket.AF_INET6 else "127.0.0.1")
            self.listener.bind((host, port))
            self.port = self.listener.getsockname()[1]
            self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.listener.listen(512)
        self.listener.settimeout(DEADLINE_S)
        self.peers = []

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except socket.timeout:
            raise AssertionError("the proxy opened no connection to the upstream") from None
        peer = self.peer_class(sock)
        self.peers.append(peer)
        return peer

    def next_request(self):
        """The next request on any connection, new or kept alive: (peer, request)."""
        peer = self.next_peer()
        return peer, peer.read_request()

    def next_peer(self):
        """The connection on which something comes next, new or kept alive."""
        while True:
            peer = next((p for p in self.peers if p.buffer), None)
            if peer is not None:
                return peer
            assert self.read_what_comes(DEADLINE_S), "no request reached the upstream"

    def waiting(self, timeout_s=0):
        """Whether a connection waits to be accepted."""
        return bool(select.select([self.listener], [], [], timeout_s)[0])

    def stop_listening(self):
        self.listener.close()

    def close(self):
        self.listener.close()
        for peer in self.peers:
            peer.close()

    def bytes_before_a_sentinel(self, client):
        """What reached this upstream before a fresh, harmless request by `client` did, on any
        connection.

        The proxy has one worker in such tests, so what it was ever going to send for an earlier
        request went out before.
        """
        client.send(build_request(b"GET", SENTINEL))
        answered = None
        while answered is None:
            assert self.read_what_comes(DEADLINE_S), "the sentinel never reached the upstream"
            answered = next((p for p in self.peers if self._take_sentinel(p)), None)
        while self.read_what_comes(0):
            pass
        stray = b"".join(peer.buffer for peer in self.peers)
        answered.respond(200, body=b"sentinel")
        assert client.read_response().body == b"sentinel"
        return stray

    def read_what_comes(self, timeout_s):
        """Accepts and reads whatever is ready within the time. False where nothing was."""
        alive = [p for p in self.peers if p.ending is None and p.sock.fileno() >= 0]
        ready = select.select([self.listener, *(p.sock for p in alive)], [], [], timeout_s)[0]
        if self.listener in ready:
            self.accept()
        for peer in alive:
            if peer.sock in ready:
                peer.fill()
        return bool(ready)

    @staticmethod
    def _take_sentinel(peer):
        """Takes the sentinel's request out of what the peer has got; False where it is not there
        whole."""
        before, mark, rest = peer.buffer.partition(b"GET " + SENTINEL)
        if not mark or b"\r\n\r\n" not in rest:
            return False
        peer.buffer = before + rest.partition(b"\r\n\r\n")[2]
        return True
