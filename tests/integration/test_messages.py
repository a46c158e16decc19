"""WebSockets and streams of events in their records: their last messages, and bytes that count while
they run."""

import asyncio
import json
import time

import pytest

from harness.events import EventStream
from harness.messages import build, chunk
from harness.tunnel import open_tunnel
from harness.websocket_origin import connect
from harness.wire import until

SECRET = "AKIAIOSFODNN7EXAMPLE"
MASK = b"\x37\xfa\x21\x3d"


def frame(first, payload, masked=False):
    """A frame below 64 KiB; a client masks it."""
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    else:
        head = bytes([first, bit | 126]) + len(payload).to_bytes(2, "big")
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


def messages_of(proxy, request_id="ws"):
    return proxy.inspector.detail(request_id)["messages"]


def texts(proxy, request_id="ws"):
    return [message["text"] for message in messages_of(proxy, request_id)]


def tunnel(proxy, origin):
    return open_tunnel(proxy, origin, b"X-Request-ID: ws")


def test_messages_of_both_sides_are_there_while_the_tunnel_runs(proxy, origin):
    client, peer = tunnel(proxy, origin)
    began = time.time()
    sent = frame(0x81, b"from the client", masked=True)
    client.send(sent)
    peer.read_exactly(len(sent))
    answer = frame(0x81, "from the server: é".encode()) + frame(0x82, b"\x00\xff")
    peer.send(answer)
    client.read_exactly(len(answer))
    until(lambda: len(messages_of(proxy)) == 3, "three messages")
    record = proxy.inspector.detail("ws")
    assert record["state"] == "tunnel"
    assert record["request_size_bytes"] == len(sent)
    assert record["response_size_bytes"] == len(answer)
    first, second, third = record["messages"]
    assert set(first) == {
        "ts", "direction", "type", "size", "text", "truncated", "redacted", "compressed"
    }
    assert began - 1 < first["ts"] <= second["ts"] < time.time() + 1
    assert (first["direction"], first["type"], first["size"], first["text"]) == (
        "in", "text", 15, "from the client",
    )
    assert (second["direction"], second["text"]) == ("out", "from the server: é")
    assert (third["direction"], third["type"], third["size"], third["text"]) == (
        "out", "binary", 2, None,
    )
    client.close()
    peer.read_to_end()


def test_bytes_count_while_a_tunnel_runs_also_where_only_heads_are_kept(sightglass, origin):
    proxy = sightglass(origin, config={"routes": [{"prefix": "/", "capture": "headers"}]})
    client, peer = tunnel(proxy, origin)
    client.send(b"12345")
    peer.read_exactly(5)
    until(
        lambda: proxy.inspector.list()[0]["request_size_bytes"] == 5, "five bytes are counted"
    )
    assert "messages" not in proxy.inspector.detail("ws")


def test_however_it_is_cut_a_message_is_whole(proxy, origin):
    client, peer = tunnel(proxy, origin)
    data = (
        frame(0x01, b"one ", masked=True)
        + frame(0x89, b"a ping", masked=True)
        + frame(0x80, b"two", masked=True)
        + frame(0x81, b"x" * 300, masked=True)
    )
    client.send_byte_by_byte(data)
    peer.read_exactly(len(data))
    until(lambda: texts(proxy) == ["one two", "x" * 300], "both messages")


def test_the_last_messages_stay_within_a_bound(proxy, origin):
    client, peer = tunnel(proxy, origin)
    for number in range(1000):
        peer.send(frame(0x81, b"%0200d" % number))
    client.count_to(1000 * len(frame(0x81, b"0" * 200)))
    until(lambda: texts(proxy)[-1:] == ["%0200d" % 999], "the last one")
    kept = [int(text) for text in texts(proxy)]
    assert kept == list(range(1000 - len(kept), 1000))
    assert 20 < len(kept) < 100
    assert proxy.inspector.detail("ws")["messages_total"] == 1000


def test_a_long_message_is_cut_and_says_so(proxy, origin):
    client, peer = tunnel(proxy, origin)
    data = frame(0x81, b"y" * 50000)
    peer.send(data)
    client.count_to(len(data))
    message = until(lambda: messages_of(proxy), "the message")[0]
    assert message["size"] == 50000 and message["truncated"] is True
    assert message["text"] == "y" * 2048


def test_what_is_no_websocket_stops_the_reading_and_nothing_else(proxy, origin):
    client, peer = tunnel(proxy, origin)
    client.send(frame(0x81, b"before", masked=True) + b"\xff\xff\xff\xff")
    for number in range(10):
        client.send(b"\x00\xff\r\n\r\nGET %d" % number)
    peer.read_exactly(len(frame(0x81, b"before", masked=True)) + 4 + 110)
    peer.send(frame(0x81, b"the other way"))
    client.read_exactly(15)
    until(lambda: texts(proxy) == ["before", "the other way"], "what was read until then")
    client.close()
    peer.read_to_end()
    assert proxy.inspector.record("ws", state="tunnel")["request_size_bytes"] > 100


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_real_client_and_a_real_server(sightglass, websocket_origin, compression):
    proxy = sightglass(websocket_origin)

    async def talk():
        url = f"ws://127.0.0.1:{proxy.port}/chat"
        headers = {"X-Request-ID": "ws"}
        async with connect(url, extra_headers=headers, compression=compression) as socket:
            await socket.send("hello " * 50)
            assert await socket.recv() == "hello " * 50
            await socket.send(b"\x00\x01")
            await socket.recv()

    asyncio.run(talk())
    until(lambda: len(messages_of(proxy)) == 4, "four messages")
    seen = messages_of(proxy)
    assert [message["direction"] for message in seen] == ["in", "out", "in", "out"]
    assert [message["type"] for message in seen] == ["text", "text", "binary", "binary"]
    if compression is None:
        assert seen[0]["text"] == seen[1]["text"] == "hello " * 50
        assert not any(message["compressed"] for message in seen)
    else:
        assert seen[0]["compressed"] and seen[0]["text"] is None and seen[0]["size"] < 300


def begin_stream(proxy, origin, *fields):
    client = proxy.connect()
    client.request(b"GET", b"/stream", b"X-Request-ID: sse")
    peer, _ = origin.next_request()
    peer.send(
        build(
            b"HTTP/1.1 200 Fine",
            [b"Content-Type: text/event-stream; charset=utf-8", b"Transfer-Encoding: chunked",
             *fields],
        )
    )
    assert client.read_head().status == 200
    return client, peer


def test_events_of_a_stream_are_messages_while_it_runs(proxy, origin):
    client, peer = begin_stream(proxy, origin)
    peer.send(chunk(b"event: tick\r\ndata: {\"n\""))
    peer.send(chunk(b": 1}\r\n\r\n: nothing\n\ndata: a\ndata: b\n\n"))
    until(lambda: len(messages_of(proxy, "sse")) == 2, "two events")
    record = proxy.inspector.detail("sse")
    assert record["state"] == "active"
    assert record["response_size_bytes"] == 23 + 36
    first, second = record["messages"]
    assert (first["direction"], first["type"], first["name"]) == ("out", "event", "tick")
    assert json.loads(first["text"]) == {"n": 1}
    assert (second["name"], second["text"], second["size"]) == (None, "a\nb", 3)
    peer.send(b"0\r\n\r\n")
    assert len(proxy.inspector.record("sse")["messages"]) == 2


def test_an_encoded_stream_has_no_messages_and_passes_all_the_same(proxy, origin):
    client, peer = begin_stream(proxy, origin, b"Content-Encoding: gzip")
    peer.send(chunk(b"data: not really\n\n") + b"0\r\n\r\n")
    assert "messages" not in proxy.inspector.record("sse")


def test_other_records_have_no_messages(proxy, origin):
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: plain")
    origin.accept().serve(body=b"data: x\n\n")
    client.read_response()
    assert "messages" not in proxy.inspector.record("plain")


def test_secrets_in_messages_are_redacted_wherever_they_are_shown(proxy, origin):
    client, peer = tunnel(proxy, origin)
    client.send(frame(0x81, f'{{"key": "{SECRET}"}}'.encode(), masked=True))
    until(lambda: messages_of(proxy), "the message")
    message = messages_of(proxy)[0]
    assert message["redacted"] is True and "[redacted]" in message["text"]
    for path in ("/api/requests/ws", "/", "/api/requests"):
        assert SECRET.encode() not in proxy.inspector.get(path).body


def test_a_running_tunnel_is_told_as_an_event_and_so_is_its_end(proxy, origin):
    with EventStream(proxy.inspector, stats=0) as stream:
        client, peer = tunnel(proxy, origin)
        running = stream.until_request("ws", state="tunnel")[-1].data
        assert running["status"] == 101 and running["timing"]["receive_ms"] is None
        peer.send(b"x" * 100)
        client.read_exactly(100)
        client.close()
        peer.close()
        ended = stream.next().data
        assert ended["state"] == "tunnel" and ended["timing"]["receive_ms"] is not None
        assert ended["response_size_bytes"] == 100
