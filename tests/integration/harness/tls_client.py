"""A client of exact bytes within TLS."""

from harness.raw_client import Client
from harness.tls_wire import TlsWire


class TlsClient(TlsWire, Client):
    def __init__(self, address, context, session=None, receive_buffer=None):
        super().__init__(address, receive_buffer)
        self.shake_hands(context, server_hostname="localhost", session=session)


def connect_tls(proxy, context, index=0, **options):
    """A client's connection past its handshake, closed with the test."""
    client = TlsClient(proxy.address(index), context, **options)
    proxy.clients.append(client)
    return client
