"""One job: what memory a fresh proxy takes: at the start, for idle connections, for one large body
either way."""

import socket
import time

import cost
import peers

REQUEST = b"GET /bytes/100 HTTP/1.1\r\nHost: origin\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
PIECE_BYTES = 256 * 1024
TIMEOUT_S = 30
IDLE_WATCH_S = 2.0
SETTLE_S = 0.5


def measure(stage, name, idle_counts, stream_bytes):
    """A dict of figures. Each part has an instance of its own."""
    figures = {"idle": {}}
    with _instance(stage, name) as server:
        figures["start_rss_kib"] = cost.rss_kib(server)
        figures["stream_down_kib"] = _peak_growth(
            server, lambda: _download(server.port, stream_bytes)
        )
        figures["stream_up_kib"] = _peak_growth(server, lambda: _upload(server.port, stream_bytes))
    for count in idle_counts:
        with _instance(stage, name) as server:
            figures["idle"][str(count)] = _idle(server, count)
    return figures


class _instance:
    def __init__(self, stage, name):
        self.stage, self.server = stage, peers.start(stage, name)

    def __enter__(self):
        return self.server

    def __exit__(self, *_):
        self.stage.workplace.stop(self.server)


def _connect(port):
    return socket.create_connection(("127.0.0.1", port), TIMEOUT_S)


def _read_head(connection):
    """The head's text, and what came of the body with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            raise RuntimeError(f"closed within a head: {received!r}")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not answered: {head!r}")
    return head, body


def _ask(connection):
    connection.sendall(REQUEST)
    _, body = _read_head(connection)
    while len(body) < 100:
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            raise RuntimeError("closed within a body")
        body += piece


def _idle(server, count):
    """Every connection has had an answer, as a browser's has."""
    connections = []
    try:
        with _connect(server.port) as first:
            _ask(first)
            time.sleep(SETTLE_S)
            before = cost.pss_kib(server)
            for _ in range(count):
                connections.append(_connect(server.port))
                _ask(connections[-1])
            time.sleep(SETTLE_S)
            after = cost.pss_kib(server)
            woken = cost.wake_ups(server)
            time.sleep(IDLE_WATCH_S)
            woken = cost.wake_ups(server) - woken
    finally:
        for connection in connections:
            connection.close()
    return {
        "bytes_each": (after - before) * 1024 / count,
        "whole_pss_kib": after,
        "wake_ups_per_second": woken / IDLE_WATCH_S,
    }


def _peak_growth(server, transfer):
    """KiB from what the proxy holds before to its peak meanwhile; None where nobody tells."""
    with _connect(server.port) as connection:
        _ask(connection)
    before = cost.rss_kib(server)
    try:
        cost.forget_peak(server)
    except OSError:
        return None
    transfer()
    return max(0, cost.peak_rss_kib(server) - before)


def _download(port, size):
    """Slower than the origin, so that what a proxy takes ahead is seen."""
    with _connect(port) as connection:
        connection.sendall(REQUEST.replace(b"/100 ", b"/%d " % size))
        _, body = _read_head(connection)
        left = size - len(body)
        while left:
            piece = connection.recv(min(left, PIECE_BYTES))
            if not piece:
                raise RuntimeError("closed within a body")
            left -= len(piece)
            time.sleep(0.0005)


def _upload(port, size):
    with _connect(port) as connection:
        connection.sendall(
            b"POST /bytes/100 HTTP/1.1\r\nHost: origin\r\nContent-Length: %d\r\n\r\n" % size
        )
        for _ in range(size // PIECE_BYTES):
            connection.sendall(bytes(PIECE_BYTES))
        connection.sendall(bytes(size % PIECE_BYTES))
        _read_head(connection)
