"""Upstreams over TLS: one that the test plays byte by byte, and one that answers by itself."""

from harness.origin import Origin, Peer
from harness.serving import ServingOrigin
from harness.tls_wire import TlsWire


class SecurePeer(TlsWire, Peer):
    """The upstream's end of a connection: TLS from shake_hands() on."""

    def shake_hands(self, context):
        self.sock = context.wrap_socket(
            self.sock, server_side=True, suppress_ragged_eofs=False, do_handshake_on_connect=False
        )
        self.sock.do_handshake()


def note_names(context):
    """The list of what clients asked for by SNI, one for each handshake; None where nobody did."""
    names = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    return names


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
        peer.shake_hands(self.context)
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
            peer.shake_hands(self.context)
        except OSError as failure:
            with self.lock:
                self.refused.append(failure)
            raise
        with self.lock:
            self.handshakes += 1
            self.resumed += peer.sock.session_reused
