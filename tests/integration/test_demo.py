"""--demo: a sample dashboard and its API behind the proxy, with no other process."""

import json
import signal

import pytest

from harness.process import Sightglass
from harness.wire import until


@pytest.fixture
def demo():
    process = Sightglass(["--demo", "--listen", "127.0.0.1:0", "--workers", "1"])
    yield process
    process.stop()


def test_the_page_and_its_pollers_answer(demo):
    client = demo.connect()
    page = client.get(b"/", b"Accept: text/html")
    assert page.status == 200 and b"_inspector" in page.body
    for target in (b"/api/monitor/aks", b"/api/blast/jobs", b"/api/me"):
        answer = client.get(target)
        assert answer.status == 200
        json.loads(answer.body)


def test_its_polls_are_excluded_and_its_submit_is_captured(demo):
    client = demo.connect()
    for target in (b"/api/monitor/aks", b"/api/blast/jobs", b"/api/me"):
        client.get(target)
    submit = client.ask(
        b"POST",
        b"/api/blast/jobs",
        b"X-Request-ID: submit",
        b"Content-Type: application/json",
        body=b'{"name":"demo"}',
    )
    assert submit.status in (200, 201, 202)
    assert demo.inspector.record("submit")["request_body"] == '{"name":"demo"}'
    until(lambda: len(demo.inspector.list(polls=1)) >= 4, "three polls and a submit")
    assert [item["request_id"] for item in demo.inspector.list()] == ["submit"]


def test_the_panel_is_there(demo):
    answer = demo.inspector.get("/", Accept="text/html")
    assert answer.status == 200 and b"<html" in answer.body.lower()


def test_it_ends_with_a_signal(demo):
    demo.connect().get(b"/")
    demo.signal(signal.SIGTERM)
    assert demo.wait() == 0
