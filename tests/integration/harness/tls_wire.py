"""One connection within TLS, on either side, and how it ended."""

import contextlib
import ssl

from harness.wire import Wire

CUT = "cut"  # beside FIN, which is an end with a farewell (close_notify), and RESET
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class TlsWire(Wire):
    """`sock` is an ssl.SSLSocket that was made with suppress_ragged_eofs=False."""

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

    @property
    def peer_serial(self):
        """Of the certificate that the other side has shown; None where it showed none."""
        certificate = self.sock.getpeercert()
        return int(certificate["serialNumber"], 16) if certificate else None
