"""One connection within TLS, on either side, and how it ended."""

import contextlib
import ssl

from harness.wire import Wire

CUT = "cut"  # beside FIN, which is an end with a farewell (close_notify), and RESET
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class TlsWire(Wire):
    """`sock` is an ssl.SSLSocket from shake_hands() on."""

    context = None
    peer_serial = None  # of the certificate that the other side has shown

    def shake_hands(self, context, **options):
        """As ssl.SSLContext.wrap_socket() takes them."""
        self.sock = context.wrap_socket(
            self.sock, suppress_ragged_eofs=False, do_handshake_on_connect=False, **options
        )
        self.sock.do_handshake()
        self.context = context
        certificate = self.sock.getpeercert()
        if certificate:
            self.peer_serial = int(certificate["serialNumber"], 16)

    def fill(self):
        try:
            return super().fill()
        except ssl.SSLEOFError:
            self.ending = CUT
            return False

    def say_farewell(self):
        """Sends close_notify, and waits for nothing."""
        timeout = self.sock.gettimeout()
        self.sock.setblocking(False)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.sock.unwrap()
        self.sock.settimeout(timeout)
