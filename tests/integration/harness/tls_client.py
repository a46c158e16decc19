"""A client of exact bytes within TLS, and how its connection ended."""

import ssl

from harness.raw_client import Client
from harness.wire import DEADLINE_S

CUT = "cut"  # beside FIN, which is an end with a farewell (close_notify), and RESET


class TlsClient(Client):
    def __init__(self, address, context, session=None, receive_buffer=None):
        super().__init__(address, receive_buffer)
        self.sock = context.wrap_socket(
            self.sock,
            server_hostname="localhost",
            session=session,
            suppress_ragged_eofs=False,
        )
        self.sock.settimeout(DEADLINE_S)

    def fill(self):
        try:
            return super().fill()
        except ssl.SSLEOFError:
            self.ending = CUT
            return False

    @property
    def serial(self):
        """Of the certificate that it was shown."""
        return int(self.sock.getpeercert()["serialNumber"], 16)


def connect_tls(proxy, context, index=0, **options):
    """A client's connection past its handshake, closed with the test."""
    client = TlsClient(proxy.address(index), context, **options)
    proxy.clients.append(client)
    return client
