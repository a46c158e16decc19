"""One job: how much longer all calls of a dashboard take at once, through a proxy that has no
connection yet, than the slowest of them takes alone, without a proxy.

Each round has a proxy that was started for it. The browser's connections are open, as it has them;
the proxy's are not, so connecting (and, to an upstream over TLS, shaking hands) is in the
figure."""

import contextlib
import select
import socket
import ssl
import time

import measure
import peers
from memory import TIMEOUT_S, _read_small, _request

CALLS = 18
SLOWEST_MS = (20, 50, 100)
PROXY = "sightglass-captured"
TARGET = 1.3


def run(stage, rounds, deadline):
    """A list of dicts, one for each kind of upstream and slowest call: its time alone and that of
    all at once, in ms, and the ratio within a round, as measure.spread() gives them."""
    rows = []
    for tls in (False, True):
        for slowest in SLOWEST_MS:
            pairs = []
            for _ in range(rounds):
                if time.monotonic() > deadline:
                    break
                pairs.append((_alone(stage, tls, slowest), _at_once(stage, tls, slowest)))
            if pairs:
                rows.append(
                    {
                        "upstream": "https" if tls else "http",
                        "slowest_ms": slowest,
                        "alone_ms": measure.spread([alone for alone, _ in pairs]),
                        "all_ms": measure.spread([together for _, together in pairs]),
                        "ratio": measure.spread([together / alone for alone, together in pairs]),
                    }
                )
    return rows


def _alone(stage, tls, slowest):
    """Milliseconds of the slowest call, over a connection of its own straight to the origin."""
    port = stage.tls_origin_port if tls else stage.origin_port
    context = ssl.create_default_context(cafile=stage.certificate) if tls else None
    began = time.monotonic()
    connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    if context is not None:
        connection = context.wrap_socket(connection, server_hostname=peers.TLS_NAME)
    with connection:
        connection.sendall(_request(f"/after/{slowest}"))
        _read_small(connection)
        return (time.monotonic() - began) * 1000


def _at_once(stage, tls, slowest):
    """Milliseconds from the first call to the last answer; the slowest one is asked last."""
    server = peers.start(stage, PROXY, upstream_tls=tls)
    try:
        with contextlib.ExitStack() as stack:
            connections = []
            for _ in range(CALLS):
                connection = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
                connections.append(stack.enter_context(connection))
                # It is accepted, for it was answered; and nothing of this went upstream.
                connection.sendall(_request("/_inspector/healthz"))
                if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError("the proxy is not well")
            requests = [_request(f"/after/{slowest * (n + 1) // CALLS}") for n in range(CALLS)]
            began = time.monotonic()
            for connection, request in zip(connections, requests):
                connection.sendall(request)
            waiting = set(connections)
            while waiting:
                ready = select.select(list(waiting), [], [], TIMEOUT_S)[0]
                if not ready:
                    raise RuntimeError("calls that are not answered")
                for connection in ready:
                    _read_small(connection)
                    waiting.discard(connection)
            return (time.monotonic() - began) * 1000
    finally:
        stage.workplace.stop(server)
