"""--demo: a sample dashboard and its API behind the proxy, with no other process."""

import asyncio
import json
import re
import signal

import pytest

from harness.messages import read_chunk
from harness.process import Sightglass
from harness.websocket_origin import connect
from harness.wire import until

POLLS = [b"/api/monitor/aks", b"/api/blast/jobs", b"/api/forecast", b"/api/me"]


@pytest.fixture
def demo():
    process = Sightglass(["--demo", "--listen", "127.0.0.1:0", "--workers", "1"])
    yield process
    process.stop()


def test_the_page_links_to_the_panel_and_all_its_files_are_there(demo):
    client = demo.connect()
    page = client.get(b"/", b"Accept: text/html")
    assert page.status == 200 and page.one("Content-Type").startswith(b"text/html")
    assert b'href="/_inspector/"' in page.body
    files = set(re.findall(rb'(?:src|href)="([^"/][^":]*)"', page.body))
    assert b"demo.js" in files
    for name in files:
        assert client.get(b"/" + name).status == 200, name


def test_its_polls_are_excluded_and_its_submit_is_captured(demo):
    client = demo.connect()
    for target in POLLS:
        answer = client.get(target)
        assert answer.status == 200
        json.loads(answer.body)
    body = b'{"name":"demo"}'
    kind = b"Content-Type: application/json"
    submit = client.ask(b"POST", b"/api/blast/jobs", b"X-Request-ID: submit", kind, body=body)
    assert submit.status in (200, 201, 202)
    assert demo.inspector.record("submit")["request_body"] == body.decode()
    until(lambda: len(demo.inspector.list(polls=1)) >= 5, "four polls and a submit")
    assert [item["request_id"] for item in demo.inspector.list()] == ["submit"]


def test_its_failures_fail_each_in_its_own_way(demo):
    client = demo.connect()
    assert client.get(b"/api/billing/summary").status == 500
    assert client.get(b"/api/legacy/export").status == 502
    head = demo.connect()
    head.request(b"GET", b"/api/legacy/archive", b"X-Request-ID: archive")
    announced = int(head.read_head().one("Content-Length"))
    assert len(head.read_to_end()) < announced
    demo.inspector.record("archive", state="upstream_failed")
    assert client.get(b"/api/nothing/at/all").status == 404


def test_its_event_log_streams(demo):
    client = demo.connect()
    client.request(b"GET", b"/api/events", b"Accept: text/event-stream")
    assert client.read_head().one("Content-Type").startswith(b"text/event-stream")
    text = b""
    while text.count(b"\n\n") < 2:
        text += read_chunk(client)
    assert b"data: " in text


def test_its_console_echoes(demo):
    async def talk():
        async with connect(f"ws://127.0.0.1:{demo.port}/api/console") as socket:
            await socket.send("hello, console")
            async for message in socket:
                if "hello, console" in message:
                    return True

    assert asyncio.run(asyncio.wait_for(talk(), 30))


def test_its_download_and_upload_are_whole(demo):
    client = demo.connect()
    download = client.get(b"/api/download/20MiB")
    assert len(download.body) == 20 << 20
    upload = client.ask(b"POST", b"/api/upload", body=download.body)
    assert upload.status in (200, 201)
    assert str(20 << 20).encode() in upload.body


def test_its_slow_list_does_not_hold_up_the_polls(demo):
    slow, quick = demo.connect(), demo.connect()
    slow.request(b"GET", b"/api/reports")
    for _ in range(20):
        assert quick.get(POLLS[0]).status == 200
    assert slow.read_response().status == 200


def test_the_panel_is_there(demo):
    answer = demo.inspector.get("/", Accept="text/html")
    assert answer.status == 200 and b"<html" in answer.body.lower()


def test_it_ends_with_a_signal_while_its_streams_run(demo):
    client = demo.connect()
    client.request(b"GET", b"/api/events")
    client.read_head()
    demo.connect().get(b"/")
    demo.signal(signal.SIGTERM)
    client.close()
    assert demo.wait() == 0
