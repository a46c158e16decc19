"""A gigabyte each way, five thousand idle clients: what passes through is never held."""

import os
import resource
import subprocess
import threading

import pytest

from harness.messages import build, build_request
from harness.raw_client import Client

GIB = 1 << 30
STEP = 64 << 20
CAPTURE_KIB = 4 << 10  # what the tests allow for capture, by --capture-memory
GROWTH_KIB = (8 << 10) + CAPTURE_KIB

pytestmark = pytest.mark.slow


@pytest.fixture
def step_file(tmp_path):
    """64 MiB to send again and again, straight from the page cache."""
    path = tmp_path / "step"
    with open(path, "wb") as file:
        for number in range(STEP >> 20):
            file.write(bytes([number]) * (1 << 20))
    return path


def send_gigabyte(sock, path):
    sock.settimeout(None)  # sendfile knows nothing of Python's timeouts
    with open(path, "rb") as file:
        for _ in range(GIB // STEP):
            left = STEP
            while left > 0:
                left -= os.sendfile(sock.fileno(), file.fileno(), STEP - left, left)


def in_background(function, *arguments):
    failures = []

    def guarded():
        try:
            function(*arguments)
        except Exception as failure:  # shown by join()
            failures.append(failure)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()

    def join():
        thread.join(60)
        assert not thread.is_alive() and not failures, failures

    return join


def ask_for_health(client):
    """An exchange that leaves no record."""
    return client.get(b"/_inspector/healthz", host=b"localhost")


def warm_up(proxy):
    """Everything that is made once is made; returns the memory that the process takes then, in
    KiB."""
    assert ask_for_health(proxy.connect()).status == 200
    proxy.forget_peak_memory()
    return proxy.memory_kib()


def expected_hash(step_file):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(["xxhsum", "-H2", "-"], **pipes) as xxhsum:
        block = step_file.read_bytes()
        for _ in range(GIB // STEP):
            xxhsum.stdin.write(block)
        xxhsum.stdin.close()
        return xxhsum.stdout.read().split()[0].decode()


@pytest.mark.parametrize("flags", [(), ("--exclude-get", "/")], ids=["captured", "excluded"])
def test_a_gigabyte_down_in_bounded_memory(sightglass, origin, step_file, flags):
    proxy = sightglass(origin, "--capture-memory", f"{CAPTURE_KIB}KiB", *flags)
    client = proxy.connect()
    before = warm_up(proxy)
    client.request(b"GET", b"/big", b"X-Request-ID: down")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % GIB]))
    client.read_head()
    join = in_background(send_gigabyte, peer.sock, step_file)
    client.count_to(GIB)
    join()
    assert proxy.peak_memory_kib() - before < GROWTH_KIB
    assert proxy.access_log(request_id="down")["response_bytes"] == GIB
    if not flags:
        record = proxy.inspector.record("down")
        assert record["response_size_bytes"] == GIB and record["response_body_truncated"] is True
        assert record["response_hash"] == expected_hash(step_file)


def test_a_gigabyte_up_in_bounded_memory(sightglass, origin, step_file):
    proxy = sightglass(origin, "--capture-memory", f"{CAPTURE_KIB}KiB")
    client = proxy.connect()
    before = warm_up(proxy)
    client.send(
        build_request(b"POST", b"/big", b"Content-Length: %d" % GIB, b"X-Request-ID: up")
    )
    peer = origin.accept()
    peer.read_request_head()
    join = in_background(send_gigabyte, client.sock, step_file)
    peer.count_to(GIB)
    join()
    peer.respond(body=b"done")
    assert client.read_response().body == b"done"
    assert proxy.peak_memory_kib() - before < GROWTH_KIB
    record = proxy.inspector.record("up")
    assert record["request_size_bytes"] == GIB and record["request_body_truncated"] is True
    assert record["request_hash"] == expected_hash(step_file)


def test_a_chunked_gigabyte_in_bounded_memory(sightglass, origin):
    """256 KiB chunks: the framing is read and written again on the way, and still nothing piles
    up."""
    proxy = sightglass(origin, "--capture-memory", f"{CAPTURE_KIB}KiB")
    client = proxy.connect()
    before = warm_up(proxy)
    client.request(b"GET", b"/big", b"X-Request-ID: chunked")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]))
    block = (b"40000\r\n" + bytes(1 << 18) + b"\r\n") * 16

    def send():
        for _ in range(GIB // (16 << 18)):
            peer.sock.sendall(block)
        peer.sock.sendall(b"0\r\n\r\n")
        peer.half_close()

    join = in_background(send)
    received, tail = 0, b""
    while tail != b"\r\n0\r\n\r\n":
        data = client.sock.recv(1 << 20)
        assert data, "the answer was cut off"
        received += len(data)
        tail = (tail + data)[-7:]
    join()
    assert received > GIB
    assert proxy.peak_memory_kib() - before < GROWTH_KIB
    record = proxy.inspector.record("chunked")
    assert record["response_size_bytes"] == GIB


def test_five_thousand_idle_clients_take_less_than_ten_mib(sightglass, origin):
    wanted = 5_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + 500:
        pytest.skip(f"only {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 500), hard))
    try:
        proxy = sightglass(origin)
        before = warm_up(proxy)
        clients = []
        for _ in range(wanted):
            client = Client(proxy.address())
            assert ask_for_health(client).status == 200
            clients.append(client)
        grown = proxy.memory_kib() - before
        for client in clients:
            client.close()
        assert grown < 10 << 10
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_many_stalled_streams_take_less_than_256_kib_each(sightglass, origin):
    """An exchange holds below 256 KiB beside its capture, here of two hundred downloads that stand
    still."""
    count = 200
    proxy = sightglass(
        origin, "--capture-memory", "1MiB", pool={"max_connections": count, "max_idle": 20}
    )
    before = warm_up(proxy)
    clients = []
    for _ in range(count):
        client = proxy.connect(receive_buffer=1 << 14)
        client.request()
        peer = origin.accept()
        peer.read_request()
        peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % GIB]))
        client.read_head()
        clients.append(client)
    for peer in origin.peers:
        peer.push_until_stalled(1 << 24, quiet_s=0.02)
    assert proxy.memory_kib() - before < count * 256
