"""What happens where two things end at once: answers that cross resets, drains, limits and floods."""

import os
import resource
import signal
import socket
import threading

import pytest

from harness.messages import build, build_request, build_response
from harness.process import run
from harness.wire import FIN


def pushing(client):
    """Sends as fast as the other side takes it, in a thread, until the returned function is called."""
    stop = threading.Event()

    def push():
        while not stop.is_set():
            try:
                client.sock.sendall(b"x" * 65536)
            except OSError:
                return

    thread = threading.Thread(target=push)
    thread.start()

    def end():
        stop.set()
        client.sock.close()
        thread.join()

    return end


def test_an_early_answer_is_not_lost_to_the_reset_behind_it(proxy, origin):
    for _ in range(30):
        client = proxy.connect()
        client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % (1 << 24)))
        peer = origin.next_peer()
        peer.read_request_head()
        end = pushing(client)
        fields = [b"Connection: close", b"Content-Length: 3"]
        peer.send(build(b"HTTP/1.1 413 Big", fields) + b"big")
        peer.sock.close()  # with what was pushed unread: a reset
        origin.peers.remove(peer)
        try:
            assert client.read_response().status == 413
        finally:
            end()


def test_a_flood_of_interim_answers_needs_no_stack(sightglass, origin):
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (512 * 1024, hard))
    try:
        proxy = sightglass(origin)
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
    client = proxy.connect()
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(b"HTTP/1.1 102 \r\n\r\n" * 3700 + build_response(200, body=b"ok"))
    interim = 0
    while client.read_head().status < 200:
        interim += 1
    assert interim == 3700


@pytest.mark.slow
def test_a_flood_of_pipelined_requests_takes_no_more_memory_than_one_read(sightglass, origin):
    proxy = sightglass(origin, "--access-log", "off")
    client = proxy.connect()
    count = 20_000
    proxy.forget_peak_memory()
    before = proxy.peak_memory_kib()
    answered = 0

    def read():
        nonlocal answered
        data = b""
        while answered < count:
            more = client.sock.recv(1 << 20)
            if not more:
                return
            data += more
            answered += data.count(b"\r\n\r\n")
            data = data[data.rfind(b"\r\n\r\n") + 4 :] if b"\r\n\r\n" in data else data

    reader = threading.Thread(target=read)
    reader.start()
    client.send(b"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n" * count)
    reader.join()
    assert answered == count
    assert proxy.peak_memory_kib() - before < 4096


def begun(proxy, origin, *fields, index=0):
    """An exchange that runs, and an idle connection whose end tells that the drain has begun."""
    client = proxy.connect(index)
    client.request(b"GET", b"/", *fields)
    peer = origin.accept()
    peer.read_request()
    return client, peer, proxy.connect(index)


def test_a_drain_without_a_limit_waits_for_the_last_answer(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"drain": 0}})
    client, peer, idle = begun(proxy, origin)
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    peer.respond(body=b"last")
    assert client.read_response().body == b"last"
    assert proxy.wait() == 0


def test_sighup_does_not_end_a_drain(proxy, origin):
    client, peer, idle = begun(proxy, origin)
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    proxy.signal(signal.SIGHUP)
    peer.respond(body=b"last")
    assert client.read_response().body == b"last"
    assert proxy.wait() == 0


def test_an_answer_while_draining_arrives_though_more_was_pipelined(sightglass, origin):
    proxy = sightglass(origin)
    client = proxy.connect()
    client.send(build_request(b"GET", b"/first"))
    peer = origin.accept()
    peer.read_request()
    idle = proxy.connect()
    client.sock.settimeout(0.3)
    try:
        client.sock.sendall(build_request(b"GET", b"/next", b"X-Pad: " + b"p" * 1000) * 3000)
    except TimeoutError:
        pass  # it holds back, as it should
    client.sock.settimeout(30)
    proxy.signal(signal.SIGTERM)
    idle.expect_end()
    peer.respond(body=b"first" * 10000)
    assert proxy.wait() == 0
    assert client.read_response().body == b"first" * 10000
    assert client.read_to_end() == b"" and client.ending == FIN


def test_what_the_drain_cut_off_is_not_told_as_complete(sightglass, origin):
    proxy = sightglass(origin, config={"timeouts": {"drain": "100ms"}})
    client, peer, _ = begun(proxy, origin, b"X-Request-ID: cut")
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    client.read_head()
    proxy.signal(signal.SIGTERM)
    proxy.wait()
    assert proxy.access_log(request_id="cut")["state"] == "timed_out"


def test_an_answer_cut_by_its_broken_request_is_not_told_as_complete(proxy, origin):
    client = proxy.connect()
    fields = [b"Transfer-Encoding: chunked", b"X-Request-ID: bad"]
    client.send(build_request(b"POST", b"/up", *fields))
    peer = origin.accept()
    peer.read_request_head()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    client.read_head()
    client.read_exactly(4)
    client.send(b"xyz\r\n")
    client.read_to_end()
    assert proxy.access_log(request_id="bad")["state"] == "client_aborted"


def test_a_new_process_keeps_its_unix_socket_when_the_old_one_ends(sightglass, origin, tmp_path):
    path = str(tmp_path / "in.sock")
    old = sightglass(origin, listen=[f"unix:{path}"])
    client, peer, idle = begun(old, origin)
    old.signal(signal.SIGTERM)
    idle.expect_end()
    new = sightglass(origin, listen=[f"unix:{path}"])
    peer.respond(body=b"last")
    assert client.read_response().body == b"last"
    assert old.wait() == 0
    assert os.path.exists(path)
    new.connect()


def test_the_same_where_nobody_holds_on_to_the_old_sockets_file(sightglass, origin, tmp_path):
    """Then the file system may give the new file the old one's number."""
    path = str(tmp_path / "in.sock")
    old = sightglass(origin, listen=[f"unix:{path}", "127.0.0.1:0"])
    client, peer, idle = begun(old, origin, index=1)
    old.signal(signal.SIGTERM)
    idle.expect_end()
    assert not os.path.exists(path)
    new = sightglass(origin, listen=[f"unix:{path}"])
    peer.respond(body=b"last")
    assert client.read_response().body == b"last"
    assert old.wait() == 0
    assert os.path.exists(path)
    new.connect()


def test_a_unix_socket_whose_owner_is_busy_is_an_address_in_use(origin, tmp_path):
    path = str(tmp_path / "in.sock")
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(path)
        live.listen(0)
        waiting = []
        for _ in range(3):
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            one.connect_ex(path)
            waiting.append(one)
        refused = run("--upstream", origin.url, "--listen", f"unix:{path}")
        assert refused.returncode == 1 and path in refused.stderr
        for one in waiting:
            one.close()


def test_http_1_0_with_an_absolute_target_takes_its_host_from_there(proxy, origin):
    client = proxy.connect()
    client.send(b"GET http://api.example/x HTTP/1.0\r\n\r\n")
    peer = origin.accept()
    request = peer.read_request()
    peer.respond()
    assert request.one("Host") == b"api.example"


def test_a_flood_of_clients_over_the_limit_takes_few_descriptors(sightglass, origin):
    proxy = sightglass(origin, config={"limits": {"connections": 10}})
    before = proxy.open_files()
    clients = [socket.create_connection(("127.0.0.1", proxy.port)) for _ in range(1000)]
    most = proxy.open_files() - before
    for client in clients:
        client.close()
    assert most < 300
