"""From start to end: signals, draining, and a log that nobody reads."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from harness.messages import build, build_request, read_chunk
from harness.process import BINARY, environment, run
from harness.wire import DEADLINE_S, until


def sockets_of(pid, thread):
    folder = f"/proc/{pid}/task/{thread}/fd"
    return [
        name for name in os.listdir(folder) if os.readlink(f"{folder}/{name}").startswith("socket:")
    ]


def can_leave_descriptors():
    close_range = getattr(ctypes.CDLL(None), "close_range", None)
    last = ctypes.c_uint(2**32 - 1)
    return close_range is not None and close_range(last, last, 0) == 0


@pytest.mark.skipif(not can_leave_descriptors(), reason="close_range() is not to be had here")
@pytest.mark.skipif(
    os.environ.get("SIGHTGLASS_SANITIZED") == "1", reason="a sanitizer has threads of its own"
)
def test_one_worker_has_the_sockets_for_itself(sightglass, origin):
    """What shares them makes each of its system calls dearer."""
    proxy = sightglass(origin, workers=1)
    idle = proxy.connect()
    threads = os.listdir(f"/proc/{proxy.pid}/task")
    until(
        lambda: [thread for thread in threads if sockets_of(proxy.pid, thread)] == [str(proxy.pid)],
        "the other threads have let go of them",
    )
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    assert proxy.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_process_with_exit_0(proxy, number):
    idle = proxy.connect()
    proxy.signal(number)
    assert idle.expect_end() == "fin"
    assert proxy.wait() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_lets_running_exchanges_finish(sightglass, origin, workers):
    proxy = sightglass(origin, workers=workers)
    clients = []
    for _ in range(8):
        client = proxy.connect()
        client.request()
        peer = origin.accept()
        peer.read_request()
        peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 8"]) + b"half")
        client.read_head()
        assert client.read_exactly(4) == b"half"
        clients.append((client, peer))
    idle = proxy.connect()
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    until(proxy.refuses_connections, "no new connection is accepted")
    assert proxy.alive()
    for client, peer in clients:
        peer.send(b"rest")
        assert client.read_exactly(4) == b"rest"
        assert client.expect_end() == "fin"
    assert proxy.wait() == 0


def test_an_answer_given_while_draining_says_close(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    idle = proxy.connect()
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    peer.respond(body=b"last")
    response = client.read_response()
    assert response.body == b"last" and b"close" in response.members("Connection")
    assert proxy.wait() == 0


def test_readyz_is_503_while_draining(proxy, origin):
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    asker = proxy.connect()
    asker.send(b"GET /_inspector/readyz HTTP/1.1\r\nHost: localhost\r\n")  # begun before the signal
    idle = proxy.connect()
    until(lambda: proxy.inspector.get("/healthz").status == 200, "what was sent before has arrived")
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    asker.send(b"\r\n")
    assert asker.read_response().status == 503
    peer.respond()
    client.read_response()
    assert proxy.wait() == 0


def test_draining_has_an_end(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"drain": "300ms"}})
    client = proxy.connect()
    client.request()
    origin.accept().read_request()
    proxy.signal(signal.SIGTERM)
    client.read_to_end()
    assert proxy.wait() == 0


def test_a_second_signal_ends_at_once(proxy, origin):
    client = proxy.connect()
    client.request()
    origin.accept().read_request()
    idle = proxy.connect()
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    assert proxy.alive(), "the drain time is 30 s"
    started = time.monotonic()
    proxy.signal(signal.SIGTERM)
    proxy.expected_exit = proxy.wait(20)
    assert time.monotonic() - started < 20
    assert proxy.expected_exit in (0, 1, -signal.SIGTERM)


def test_a_tunnel_does_not_hold_up_the_end(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"drain": "300ms"}})
    client = proxy.connect()
    client.send(
        build_request(
            b"GET",
            b"/ws",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            b"Sec-WebSocket-Version: 13",
        )
    )
    peer = origin.accept()
    peer.read_request_head()
    peer.send(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    assert client.read_head().status == 101
    proxy.signal(signal.SIGTERM)
    client.read_to_end()
    assert proxy.wait() == 0


def test_an_event_stream_does_not_hold_up_the_end(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"drain": "300ms"}})
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Type: text/event-stream"]) + b"data: 1\n\n")
    client.read_head()
    assert read_chunk(client) == b"data: 1\n\n"
    proxy.signal(signal.SIGTERM)
    client.read_to_end()
    assert proxy.wait() == 0


def test_sigpipe_does_not_end_it(proxy, origin):
    proxy.signal(signal.SIGPIPE)
    client = proxy.connect()
    client.request()
    origin.accept().serve(body=b"alive")
    assert client.read_response().body == b"alive"


def test_a_reader_of_the_log_that_stalls_costs_log_lines_never_traffic(sightglass, serving):
    """Nobody reads stdout: the pipe fills up, and every exchange is answered all the same."""
    proxy = sightglass(serving(), read_stdout=False)
    client = proxy.connect()
    pad = b"/" + b"p" * 1000
    for number in range(1000):  # about a megabyte of log; a pipe holds 64 KiB
        assert client.get(pad + b"%d" % number).status == 200
    listed = proxy.inspector.json("/api/requests?limit=1")
    assert listed["items"]
    proxy.stop()


def test_lost_log_lines_are_counted(sightglass, serving):
    proxy = sightglass(serving(), read_stdout=False)
    client = proxy.connect()
    pad = b"/" + b"p" * 1000
    for number in range(3000):
        assert client.get(pad + b"%d" % number).status == 200
    proxy.signal(signal.SIGTERM)
    text = proxy.process.stdout.read()  # the reader comes back at the end
    assert proxy.wait() == 0
    whole = [json.loads(line) for line in text.splitlines()]
    assert all("msg" in line for line in whole), "each line is whole or absent"
    lines = len([line for line in whole if line["msg"] == "access"])
    assert lines < 3000
    said = proxy.stderr.text() + text
    assert "dropped" in said or "lost" in said, "how many went missing is said somewhere"


def test_a_closed_log_does_not_end_it(sightglass, serving):
    proxy = sightglass(serving(), read_stdout=False)
    proxy.process.stdout.close()
    client = proxy.connect()
    for _ in range(20):
        assert client.get().status == 200


def test_each_exchange_is_a_line_with_all_its_members(proxy, origin):
    client = proxy.connect()
    client.request(b"POST", b"/p?q=1", b"X-Request-ID: logged", body=b"12345", host=b"h.example")
    origin.accept().serve(body=b"1234567")
    client.read_response()
    line = proxy.access_log(request_id="logged")
    assert set(line) >= {
        "time", "level", "msg", "request_id", "trace_id", "client_ip", "method", "host", "path",
        "status", "route", "upstream", "request_bytes", "response_bytes", "duration_ms", "ttfb_ms",
        "queue_ms", "connect_ms", "reused", "attempts", "capture", "state", "flags", "error",
    }  # fmt: skip
    assert (line["level"], line["method"], line["host"]) == ("info", "POST", "h.example")
    assert line["path"].startswith("/p") and line["status"] == 200
    assert (line["request_bytes"], line["response_bytes"]) == (5, 7)
    assert (line["capture"], line["state"], line["flags"]) == ("full", "complete", "-")
    assert not line["error"]


def test_the_text_format_is_for_people(sightglass, origin):
    proxy = sightglass(origin, "--log-format", "text")
    client = proxy.connect()
    client.request(b"GET", b"/seen", b"X-Request-ID: human")
    origin.accept().serve(body=b"x")
    client.read_response()
    line = proxy.stdout.wait_for(lambda line: "/seen" in line and line, "a line of text")
    assert not line.startswith("{") and "human" in line and "200" in line and "GET" in line
    assert not any(line.startswith("{") for line in proxy.stderr.lines)


def test_the_error_log_is_json_where_nobody_looks_on(proxy):
    for line in proxy.stderr.lines:
        entry = json.loads(line)
        assert entry["level"] in ("error", "warn", "info") and entry["msg"] and entry["time"]


def test_the_error_log_says_only_what_its_level_asks_for(sightglass, origin):
    proxy = sightglass(origin, "--log-level", "debug")
    proxy.stop()
    assert any(json.loads(line)["level"] == "info" for line in proxy.stderr.lines)
    quiet = run("--upstream", origin.url, "--listen", "nowhere.invalid:1", "--log-level", "error")
    assert quiet.returncode in (1, 2) and quiet.stderr


def test_a_sighup_does_not_end_it(proxy, origin):
    proxy.signal(signal.SIGHUP)
    client = proxy.connect()
    client.request()
    origin.accept().serve(body=b"alive")
    assert client.read_response().body == b"alive"


def test_the_access_log_can_be_off(sightglass, origin):
    proxy = sightglass(origin, "--access-log", "off")
    client = proxy.connect()
    client.request()
    origin.accept().serve()
    client.read_response()
    proxy.stop()
    assert proxy.stdout.text() == ""


def test_bytes_of_a_peer_cannot_forge_a_log_line(proxy, origin):
    client = proxy.connect()
    client.send(b'GET /a"b\\c HTTP/1.1\r\nHost: a\r\nX-Request-ID: forged\r\n\r\n')
    origin.accept().serve()
    client.read_response()
    assert proxy.access_log(request_id="forged")["path"].startswith('/a"b\\c')


def test_an_address_in_use_is_exit_1_and_says_which(proxy, origin):
    result = run("--upstream", origin.url, "--listen", f"127.0.0.1:{proxy.port}")
    assert result.returncode == 1
    assert f"127.0.0.1:{proxy.port}" in result.stderr


def time_to_first_answer(origin):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = time.monotonic()
    child = subprocess.Popen(
        [BINARY, "--upstream", origin.url, "--listen", f"127.0.0.1:{port}"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def connected():
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), 5)

    try:
        with until(connected, "it listens") as sock:
            sock.sendall(b"GET /_inspector/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")
        return time.monotonic() - started
    finally:
        child.terminate()
        child.wait(DEADLINE_S)


@pytest.mark.slow
def test_the_first_answer_comes_quickly_after_the_start(origin):
    """50 ms on a machine with nothing else to do; here four times that, for the best of five."""
    assert min(time_to_first_answer(origin) for _ in range(5)) < 0.2


def test_it_leaves_no_descriptor_behind_after_all_is_closed(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/", b"Connection: close")
    origin.accept().serve(b"Connection: close")
    client.read_response()
    client.expect_end()
    files = proxy.open_files()
    for _ in range(100):
        client = proxy.connect()
        client.request(b"GET", b"/", b"Connection: close")
        peer, _ = origin.next_request()
        peer.respond(200, b"Connection: close")
        client.read_response()
        client.close()
    until(lambda: proxy.open_files() <= files, f"at most {files} descriptors again")
