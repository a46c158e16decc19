"""An upstream that answers by itself: a thread a connection, a function from request to answer, and
a memory of it all.

For tests about counts and concurrency. Where the bytes and their order matter, the test plays the
upstream (origin.py).
"""

import contextlib
import socket
import threading

from harness.messages import build_response, read_request
from harness.origin import Peer
from harness.wire import ConnectionEnded, until


def is_open(peer):
    """Whether the other side has not closed yet, as the kernel knows it: the peer's thread may not
    have read so far."""
    try:
        # The socket's own method: that of TLS takes no flags.
        return socket.socket.recv(peer.sock, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


class ServingOrigin:
    peer_class = Peer

    def __init__(self, answer=None, host="127.0.0.1", port=0, network=socket):
        """`answer(request)`: the answer's bytes, or None to close without one; `request.peer` is its
        connection. Absent: 200 with the target as the body. `network`: where it listens; a
        Namespace, or this machine's."""
        self.answer = answer or (lambda request: build_response(200, body=request.target))
        self.lock = threading.Lock()
        self.requests = []
        self.opened = 0
        self.open_peak = 0
        self.peers = set()
        self.listener = network.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            peer = self.peer_class(sock)
            sock.settimeout(None)
            with self.lock:
                self.opened += 1
                self.peers.add(peer)
                self.open_peak = max(self.open_peak, sum(map(is_open, self.peers)))
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def begin(self, peer):
        """What comes before the first request."""

    def _serve(self, peer):
        with contextlib.suppress(ConnectionEnded, OSError):
            self.begin(peer)
            while True:
                request = read_request(peer)
                request.peer = peer
                with self.lock:
                    self.requests.append(request)
                reply = self.answer(request)
                if reply is None:
                    break
                peer.send(reply)
        with self.lock:
            self.peers.discard(peer)
        peer.close()

    def wait_for_requests(self, count):
        until(lambda: len(self.requests) >= count, f"{count} requests at the upstream")

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # while its thread accepts, close() does not
        self.listener.close()
        with self.lock:
            peers = list(self.peers)
        for peer in peers:
            with contextlib.suppress(OSError):
                # As above: TLS would be taken from under the thread that speaks it.
                socket.socket.shutdown(peer.sock, socket.SHUT_RDWR)


class Gate:
    """An answer for ServingOrigin that holds each request until the test lets it go; counts who is
    inside."""

    def __init__(self):
        self.open = threading.Event()
        self.lock = threading.Lock()
        self.inside = 0
        self.peak = 0

    def __call__(self, request):
        with self.lock:
            self.inside += 1
            self.peak = max(self.peak, self.inside)
        self.open.wait(60)
        with self.lock:
            self.inside -= 1
        return build_response(200, body=request.target)
