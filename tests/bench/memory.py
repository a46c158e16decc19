"""One job: what memory a fresh proxy takes: at the start, for idle connections of either side, for one
large body either way, for many that go to slow clients.

Growth is of the PSS without Sightglass's ring, whose bytes are bounded by its settings whoever comes:
the ring is the anonymous mapping that is as large as capture.memory. Each part has an instance of
its own."""

import contextlib
import socket
import ssl
import time

import cost
import peers

PIECE_BYTES = 256 * 1024
TIMEOUT_S = 30
IDLE_WATCH_S = 2.0
SETTLE_S = 0.5
PER_ADDRESS = 10_000  # clients: fewer than there are ephemeral ports
UPSTREAM = 1_000
TLS_CLIENTS = 1_000
UPSTREAM_TLS_MAX = 24 * 1024  # bytes that an idle TLS connection to the origin may take
HANDSHAKE_S = 0.003  # in which the next one waits for the one before: it takes less
FEW_UPSTREAM = 8
STREAMS = 100
STREAM_ROUNDS = 20
SLOW_BYTES = 32 * 1024  # of a slow client's receive buffer, and of each of its reads
RING_KIB = 32 * 1024
RING_MARKS_KIB = RING_KIB // 64  # its bookkeeping, which may or may not lie in the same mapping


def measure(stage, name, idle_counts, stream_bytes):
    """A dict of figures, None for what cannot be told."""
    figures = {"idle": {}}
    with started(stage, name) as server:
        figures["start_rss_kib"] = cost.rss_kib(server)
        figures["stream_down_kib"] = _peak_growth(
            server, lambda: _download(server.port, stream_bytes)
        )
        figures["stream_up_kib"] = _peak_growth(server, lambda: _upload(server.port, stream_bytes))
    with started(stage, name) as server:
        figures["streaming_bytes_each"] = _streaming(server, stream_bytes)
    figures["upstream_bytes_each"] = _upstream(stage, name, False, _open_at_once)
    for count in idle_counts:
        with started(stage, name) as server:
            figures["idle"][str(count)] = _idle(server, count)
    return figures


@contextlib.contextmanager
def started(stage, name, **changes):
    server = peers.start(stage, name, **changes)
    try:
        yield server
    finally:
        stage.workplace.stop(server)


def ring_kib(server):
    """What there is of Sightglass's ring; 0 for others."""
    if not server.name.startswith("sightglass"):
        return 0
    found = cost.mapping_pss_kib(server, RING_KIB, RING_KIB + RING_MARKS_KIB)
    if found is None:
        raise RuntimeError("the ring's mapping is not to be found")
    return found


def _pss_kib(server):
    return cost.pss_kib(server) - ring_kib(server)


def _connect(port, number=0, tls=None):
    """From another address of this machine for each PER_ADDRESS: ports are short. `tls` is a context."""
    source = (f"127.0.0.{1 + number // PER_ADDRESS}", 0) if number >= PER_ADDRESS else None
    plain = socket.create_connection(("127.0.0.1", port), TIMEOUT_S, source)
    return plain if tls is None else tls.wrap_socket(plain, server_hostname=peers.TLS_NAME)


@contextlib.contextmanager
def _clients(port, count, tls=None):
    """`count` connections, that are closed in the end."""
    connections = []
    try:
        for number in range(count):
            connections.append(_connect(port, number, tls))
        yield connections
    finally:
        for connection in connections:
            connection.close()


def _request(path):
    return (
        f"GET {path} HTTP/1.1\r\nHost: origin\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n".encode()
    )


def _read_head(connection):
    """What came of the body with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            raise RuntimeError(f"closed within a head: {received!r}")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not answered: {head!r}")
    return body


def _read_small(connection):
    """An answer of 100 bytes."""
    body = _read_head(connection)
    while len(body) < 100:
        piece = connection.recv(PIECE_BYTES)
        if not piece:
            raise RuntimeError("closed within a body")
        body += piece


def _ask(connection):
    connection.sendall(_request("/bytes/100"))
    _read_small(connection)


def _warm(server, tls=None):
    with _connect(server.port, tls=tls) as first:
        _ask(first)
    time.sleep(SETTLE_S)


def idle_tls(stage, name):
    """What _idle() gives, of TLS_CLIENTS that speak TLS; how often it wakes is left out."""
    tls = ssl.create_default_context(cafile=stage.certificate)
    with started(stage, name, client_tls=True) as server:
        return _idle(server, TLS_CLIENTS, tls, watch_s=0)


def _idle(server, count, tls=None, watch_s=IDLE_WATCH_S):
    """Every connection has had an answer, as a browser's has."""
    _warm(server, tls)
    before = _pss_kib(server)
    with _clients(server.port, count, tls) as connections:
        for connection in connections:
            _ask(connection)
        time.sleep(SETTLE_S)
        after, ring = _pss_kib(server), ring_kib(server)
        woken = cost.wake_ups(server)
        time.sleep(watch_s)
        woken = cost.wake_ups(server) - woken
    return {
        "bytes_each": (after - before) * 1024 / count,
        "whole_pss_kib": after + ring,
        "without_ring_kib": after,
        "wake_ups_per_second": woken / watch_s if watch_s else None,
    }


def idle_upstream_tls(stage, name):
    """What _upstream() gives, of connections that speak TLS: opened one after the other, and all at
    once. What so many handshakes take meanwhile is no part of an idle connection, but the heap may
    keep it."""
    return [_upstream(stage, name, True, open_all) for open_all in (_open_in_order, _open_at_once)]


def _upstream(stage, name, tls, open_all):
    """Bytes of an idle upstream connection: what a proxy holds after UPSTREAM exchanges at once that
    had a connection each, less what it holds after as many that left no idle ones. None where a
    proxy does not keep them, or has one for each client and none without.

    Sightglass recycles what belonged to a connection that closed: there the others waited at the
    pool's bound. The rest has no such queue: there the origin closed their connections."""
    if name.startswith("relay"):
        return None
    many = _held_kib(stage, name, UPSTREAM, UPSTREAM, open_all, tls)
    if name.startswith("sightglass"):
        few = _held_kib(stage, name, FEW_UPSTREAM, FEW_UPSTREAM, _open_in_turns, tls)
    else:
        few = _held_kib(stage, name, UPSTREAM, 0, _open_and_close, tls)
    if many is None or few is None:
        return None
    return (many - few) * 1024 / UPSTREAM


def _held_kib(stage, name, allowed, kept, exchange, tls):
    origin_port = stage.tls_origin_port if tls else stage.origin_port
    with started(stage, name, upstream_connections=allowed, upstream_tls=tls) as server:
        _warm(server)
        before = _pss_kib(server)
        with _clients(server.port, UPSTREAM) as connections:
            exchange(stage, connections, tls)
            for connection in connections:
                _read_small(connection)
            time.sleep(SETTLE_S)
            if abs(_connected_to(origin_port) - kept) > UPSTREAM // 100:
                return None
            return _pss_kib(server) - before


def _send(connections, path):
    for connection in connections:
        connection.sendall(_request(path))


def _open_at_once(_, connections, tls):
    _send(connections, f"/gate/{UPSTREAM}")


def _open_in_order(_, connections, tls):
    for connection in connections:
        _send([connection], f"/gate/{UPSTREAM}")
        time.sleep(HANDSHAKE_S)


def _open_and_close(_, connections, tls):
    _send(connections, f"/gate/{UPSTREAM}/close")


def _open_in_turns(stage, connections, tls):
    """All wait, as many as may at the origin's gate; one more that comes past the proxy opens it."""
    path = f"/gate/{FEW_UPSTREAM + 1}"
    _send(connections, path)
    time.sleep(SETTLE_S)
    port = stage.tls_origin_port if tls else stage.origin_port
    context = ssl.create_default_context(cafile=stage.certificate) if tls else None
    for _ in range(UPSTREAM // FEW_UPSTREAM):
        with _connect(port, tls=context) as opener:
            opener.sendall(_request(path))
            _read_small(opener)


def _connected_to(port):
    """How many connections to it there are on this machine."""
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    established = "01"
    return sum(
        fields[3] == established and int(fields[2].split(":")[1], 16) == port for fields in lines
    )


def _streaming(server, size):
    """Bytes of an exchange whose answer goes to a client that reads it slowly: the most there was."""
    _warm(server)
    before = _pss_kib(server)
    most = before
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(STREAMS):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(TIMEOUT_S)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BYTES)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(_request(f"/bytes/{size}"))
            connections.append(connection)
        for connection in connections:
            _read_head(connection)
        for _ in range(STREAM_ROUNDS):
            for connection in connections:
                if not connection.recv(SLOW_BYTES):
                    raise RuntimeError("closed within a body")
            most = max(most, _pss_kib(server))
    return (most - before) * 1024 / STREAMS


def _peak_growth(server, transfer):
    """KiB from what the proxy holds before to its peak meanwhile; None where nobody tells. Here the
    ring is in it: the kernel keeps one peak for all."""
    _warm(server)
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
        connection.sendall(_request(f"/bytes/{size}"))
        left = size - len(_read_head(connection))
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
