"""The last bytes of a connection reach the other side, or it sees that they are missing."""

import threading
import time

import pytest

from harness.messages import build, build_request, build_response, read_chunk
from harness.tunnel import open_tunnel


class Talking:
    """Sends a few bytes now and then, in a thread: a client that goes on though nobody wants it."""

    def __init__(self, client):
        self.client = client
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._talk)

    def _talk(self):
        while not self.over.wait(0.001):
            try:
                self.client.sock.sendall(b"x" * 100)
            except OSError:
                return

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def count_slowly(client):
    """How many bytes come until the end, taken so slowly that the other side has ended before."""
    count = len(client.buffer)
    while True:
        try:
            data = client.sock.recv(20_000)
        except ConnectionResetError:
            return count
        if not data:
            return count
        count += len(data)
        time.sleep(0.002)


@pytest.mark.parametrize("uploading", [False, True], ids=["of a GET", "within an upload"])
def test_an_answer_up_to_the_close_is_never_whole_after_a_reset(proxy, origin, uploading):
    """However close behind its last bytes the reset comes."""
    fields = [b"Content-Length: %d" % (1 << 26)] if uploading else []
    for _ in range(30):
        client = proxy.connect()
        client.send(build_request(b"POST" if uploading else b"GET", b"/", *fields))
        peer = origin.accept()
        peer.read_request_head()
        peer.send(build(b"HTTP/1.1 200 OK", []) + b"part")
        client.read_head()
        assert read_chunk(client) == b"part"
        if uploading:
            client.push_until_stalled(1 << 20, quiet_s=0)
        peer.send(b"more")
        peer.reset()
        assert b"0\r\n\r\n" not in client.read_to_end()
        client.close()


def test_the_last_words_of_a_tunnel_arrive_though_the_client_talks_on(proxy, origin):
    client = proxy.connect(receive_buffer=1 << 14)
    client, peer = open_tunnel(proxy, origin, client=client)
    with Talking(client):
        peer.send(b"b" * 400_000)
        peer.half_close()
        assert count_slowly(client) == 400_000


def test_the_last_answer_arrives_though_the_client_talks_on(proxy, origin):
    client = proxy.connect(receive_buffer=1 << 14)
    client.request(b"GET", b"/", b"Connection: close")
    peer = origin.accept()
    peer.read_request()
    with Talking(client):
        client.sock.sendall(b"and on")
        answer = build_response(200, b"Connection: close", body=b"b" * 400_000)
        peer.send(answer)
        client.read_head()
        assert count_slowly(client) == 400_000
