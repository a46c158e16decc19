"""Upstreams over TLS: one that the test plays byte by byte, and one that answers by itself."""

from harness.origin import Origin, Peer
from harness.serving import ServingOrigin
from harness.tls_wire import TlsWire


class SecurePeer(TlsWire, Peer):
    """The upstream's end of a connection."""


class TlsOrigin(Origin):
    """See Origin. Where `context` is changed, the next connection meets the new one."""

    peer_class = SecurePeer

    def __init__(self, context, **options):
        super().__init__(**options)
        self.context = context
        self.url = self.url.replace("http://", "https://")

    def accept_plain(self):
        """The connection before its handshake."""
        return super().accept()

    def accept(self):
        """A connection past its handshake; ssl.SSLError where there is none to have."""
        peer = self.accept_plain()
        peer.shake_hands(self.context, server_side=True)
        return peer


class TlsServingOrigin(ServingOrigin):
    """See ServingOrigin; it counts its own handshakes. Where `context` is changed, the next
    connection meets the new one."""

    peer_class = SecurePeer

    def __init__(self, context, answer=None):
        self.context = context
        self.handshakes = 0
        self.resumed = 0
        self.refused = []  # what was wrong with each handshake that failed
        super().__init__(answer)
        self.url = self.url.replace("http://", "https://")

    def begin(self, peer):
        try:
            peer.shake_hands(self.context, server_side=True)
        except OSError as failure:
            with self.lock:
                self.refused.append(failure)
            raise
        with self.lock:
            self.handshakes += 1
            self.resumed += peer.sock.session_reused
