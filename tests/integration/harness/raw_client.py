"""A client of exact bytes: nothing is added to what the test writes, nothing mended in what it
reads."""

import socket

from harness.messages import build_request, read_response, read_response_head
from harness.wire import DEADLINE_S, Wire


class Client(Wire):
    def __init__(self, address, receive_buffer=None, network=socket):
        """`address`: (host, port), or a path for a unix socket. A small `receive_buffer` makes
        stalls quick. `network`: where its socket is made; a Namespace, or this machine's."""
        if isinstance(address, str):
            sock = network.socket(socket.AF_UNIX)
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            sock = network.socket(family)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(DEADLINE_S)
        sock.connect(address)
        super().__init__(sock)

    def request(self, method=b"GET", target=b"/", *fields, **more):
        self.send(build_request(method, target, *fields, **more))

    def read_head(self):
        return read_response_head(self)

    def read_response(self, method=b"GET"):
        return read_response(self, method)

    def ask(self, method=b"GET", target=b"/", *fields, **more):
        """Sends a request and reads its whole answer."""
        self.request(method, target, *fields, **more)
        return self.read_response(method)

    def get(self, target=b"/", *fields, **more):
        return self.ask(b"GET", target, *fields, **more)
