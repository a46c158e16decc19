"""The stream of events: live, resumed, filtered; and readers that do not read."""

import gzip
import os
import select
import signal
import threading
import time

import pytest

from harness.events import EventStream, open_raw, open_stalled
from harness.messages import build, build_response
from harness.wire import FIN, until

READERS_MAX = 64
STALLED = 20
RATE = 200  # requests a second
# Ten minutes: SIGHTGLASS_STALL_SECONDS=600 pytest tests/integration/test_events.py -k memory
STALL_S = float(os.environ.get("SIGHTGLASS_STALL_SECONDS", "4"))
STALLED_KIB = 256  # what one stalled reader may take


def ask(proxy, request_id, target=b"/api/things", method=b"GET"):
    return proxy.connect().ask(method, target, b"X-Request-ID: " + request_id.encode())


def requests_of(events):
    return [event.data["request_id"] for event in events if event.name == "request"]


@pytest.fixture
def served(sightglass, serving):
    """In front of an upstream that answers by itself; polls below /poll."""
    return sightglass(serving(), "--exclude-get", "/poll")


def test_it_is_a_stream_that_begins_with_how_things_stand(served):
    with EventStream(served.inspector) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["Cache-Control"] == "no-store"
        assert stream.headers["X-Accel-Buffering"] == "no"
        stats = stream.next("stats").data
        assert stream.retry == 1000 and stream.id is not None
        listed = served.inspector.json("/api/requests")
        for key in ("count", "capacity", "evicted", "bytes_capacity", "poll_rows", "poll_capacity",
                    "paused"):
            assert stats[key] == listed[key]
        assert abs(stats["ts"] - time.time()) < 60
        assert stats["active"] == 0 and stats["requests_per_second"] is None


def test_stats_come_each_second_and_tell_the_rate(served):
    with EventStream(served.inspector) as stream:
        first = stream.next("stats")
        for number in range(10):
            ask(served, f"r{number}")
        second = stream.next("stats")
        assert 0.9 < second.data["ts"] - first.data["ts"] < 3
        assert second.data["count"] == 10
        assert 3 < second.data["requests_per_second"] <= 11
        assert stream.next("stats").data["ts"] - second.data["ts"] > 0.9


def test_an_exchange_is_told_when_it_begins_when_its_answer_comes_and_when_it_ends(
    sightglass, origin
):
    proxy = sightglass(origin)
    with EventStream(proxy.inspector, stats=0) as stream:
        client = proxy.connect()
        client.request(b"GET", b"/slow?token=secret", b"X-Request-ID: slow")
        peer, _ = origin.next_request()
        begun = stream.next().data
        assert (begun["state"], begun["status"]) == ("active", 0)
        assert begun["query"] == "token=[redacted]"
        peer.send(build(b"HTTP/1.1 200 Fine", [b"Content-Length: 4"]))
        answered = stream.next().data
        assert (answered["state"], answered["status"]) == ("active", 200)
        peer.send(b"done")
        ended = stream.next().data
        assert (ended["state"], ended["status"]) == ("complete", 200)
        assert begun["seq"] == answered["seq"] == ended["seq"]
        listed = proxy.inspector.list()[0]
        assert ended == listed


def test_a_record_is_told_within_200_ms_of_its_end(served):
    took = []
    with EventStream(served.inspector, stats=0) as stream:
        for number in range(10):
            ask(served, f"r{number}")
            ended = time.monotonic()
            stream.until_request(f"r{number}", state="complete")
            took.append(time.monotonic() - ended)
    assert sorted(took)[5] < 0.2, took


@pytest.mark.parametrize("by_header", [True, False], ids=["header", "parameter"])
def test_a_reconnect_loses_nothing_and_repeats_nothing(served, by_header):
    seen, last = [], None
    for turn in range(5):
        if by_header:
            stream = EventStream(served.inspector, last_event_id=last, stats=0)
        else:
            query = {} if last is None else {"last_event_id": last}
            stream = EventStream(served.inspector, stats=0, **query)
        with stream:
            ask(served, f"live{turn}")
            events = stream.until_request(f"live{turn}", state="complete")
            assert all(event.name == "request" for event in events)
            # one that takes longer than a look is told of before, too
            seen += requests_of(e for e in events if e.data["state"] == "complete")
            last = stream.id
        for number in range(3):
            ask(served, f"between{turn}-{number}")
    expected = []
    for turn in range(5):
        if turn > 0:
            expected += [f"between{turn - 1}-{number}" for number in range(3)]
        expected.append(f"live{turn}")
    assert seen == expected


def test_after_a_restart_an_old_id_is_a_gap(sightglass, serving):
    upstream = serving()
    old = sightglass(upstream)
    with EventStream(old.inspector) as stream:
        last = stream.next("stats").id
    new = sightglass(upstream)
    ask(new, "first")
    with EventStream(new.inspector, last_event_id=last) as stream:
        gap = stream.next("gap")
        assert gap.data == {"reason": "restarted", "missed": None, "before": 2}
        ask(new, "second")
        told = stream.until_request("second", state="complete")
        assert set(requests_of(told)) == {"second"}


def test_a_clear_is_a_gap(served):
    ask(served, "gone")
    with EventStream(served.inspector, stats=0) as stream:
        cleared = served.inspector.ask(
            "DELETE", "/api/requests", {"Sec-Fetch-Site": "same-origin"}
        )
        assert cleared.status == 204
        assert stream.next("gap").data == {"reason": "cleared", "missed": 0, "before": 2}


def test_what_is_evicted_is_told(sightglass, serving):
    proxy = sightglass(serving(), "--capture-entries", "5")
    for number in range(5):
        ask(proxy, f"old{number}")
    oldest = proxy.inspector.record("old0")["seq"]
    with EventStream(proxy.inspector, stats=0) as stream:
        ask(proxy, "new")
        assert stream.next("evicted").data == {"seqs": [oldest]}


@pytest.mark.parametrize(
    "query, expected",
    [
        ({}, ["r0", "r1", "r2", "r3"]),
        ({"method": "POST"}, ["r1"]),
        ({"status": "4xx"}, ["r2"]),
        ({"status": ">=400"}, ["r2", "r3"]),
        ({"path": "/api/*"}, ["r0", "r1"]),
        ({"q": "NEEDLE"}, ["r3"]),
        ({"state": "complete"}, ["r0", "r1", "r2", "r3"]),
        ({"min_duration_ms": "60000"}, []),
        ({"polls": "1"}, ["r0", "r1", "r2", "r3", "poll"]),
        ({"polls": "1", "path": "poll"}, ["poll"]),
        ({"route": "/nowhere"}, []),
    ],
    ids=str,
)
def test_filters_of_the_list_choose_what_is_told(sightglass, serving, query, expected):
    def answers(request):
        status = {b"/missing": 404, b"/broken": 503}.get(request.target, 200)
        return build_response(status, body=b"a needle" if status == 503 else b"hay")

    proxy = sightglass(serving(answers), "--exclude-get", "/poll")
    with EventStream(proxy.inspector, **query) as stream:
        stream.next("stats")
        ask(proxy, "r0", b"/api/things")
        ask(proxy, "r1", b"/api/things", b"POST")
        ask(proxy, "r2", b"/missing")
        ask(proxy, "r3", b"/broken")
        ask(proxy, "poll", b"/poll")
        seen = []
        for _ in range(2):  # all that was to come came before the second
            while (event := stream.read()).name != "stats":
                if event.data.get("state") != "active":
                    seen.append(event.data["request_id"])
    assert seen == expected


def test_where_no_stats_are_wanted_a_comment_keeps_the_connection(served):
    with EventStream(served.inspector, stats=0) as stream:
        ask(served, "one")
        stream.until_request("one")
        assert [comment for comment in stream.comments if "still here" in comment]


@pytest.mark.parametrize(
    "query, named",
    [
        ("status=teapot", "status"),
        ("method=GE%20T", "method"),
        ("min_duration_ms=soon", "min_duration_ms"),
        ("polls=2", "polls"),
        ("stats=2", "stats"),
        ("last_event_id=", "last_event_id"),
        ("limit=10", "limit"),
        ("after=10", "after"),
        ("pth=/api", "path"),
    ],
)
def test_a_bad_parameter_is_a_400_that_names_it(served, query, named):
    answer = served.inspector.get("/api/events?" + query)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert f'"{named}"' in answer.json()["detail"]


def test_only_get_and_head_mean_something(served):
    answer = served.inspector.ask("POST", "/api/events", {"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"
    assert served.inspector.ask("HEAD", "/api/events").status == 200


def test_there_are_only_so_many_readers_and_a_place_that_is_left_is_free(served):
    streams = [EventStream(served.inspector) for _ in range(READERS_MAX)]
    assert all(stream.status == 200 for stream in streams)
    refused = served.inspector.get("/api/events")
    assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Content-Type"] == "application/problem+json"
    streams.pop().close()

    def is_let_in():
        with EventStream(served.inspector) as stream:
            return stream.status == 200

    until(is_let_in, "a place is free")
    for stream in streams:
        stream.close()


def test_readers_of_all_workers_see_all_exchanges(sightglass, serving):
    proxy = sightglass(serving(), workers=2)
    streams = [EventStream(proxy.inspector, stats=0) for _ in range(6)]
    for number in range(20):
        ask(proxy, f"r{number}")
    for stream in streams:
        with stream:
            seen = set()
            while len(seen) < 20:
                seen.add(stream.next().data["request_id"])


def test_the_stream_ends_cleanly_when_the_process_ends(served):
    client = open_raw(served)
    client.read_until(b"event: stats")
    began = time.monotonic()
    served.signal(signal.SIGTERM)
    assert client.read_to_end().endswith(b"\r\n0\r\n\r\n")
    assert client.ending == FIN
    assert served.wait() == 0
    assert time.monotonic() - began < 5


def flood(proxy, rate, seconds, stop):
    client = proxy.connect()
    began = time.monotonic()
    sent = 0
    while not stop.is_set() and time.monotonic() - began < seconds:
        client.get(b"/api/things/%d" % sent)
        sent += 1
        ahead = began + sent / rate - time.monotonic()
        if ahead > 0:
            stop.wait(ahead)
    return sent


def was_cut(client):
    poller = select.poll()
    poller.register(client.sock, select.POLLRDHUP)
    return bool(poller.poll(0))


def fill(proxy, count):
    client = proxy.connect()
    for number in range(count):
        client.get(b"/fill/%d" % number)


def test_a_reader_that_stalls_is_told_of_its_gap_and_goes_on(sightglass, serving):
    proxy = sightglass(serving())
    client = open_stalled(proxy)
    # 32,768 events are kept; three of an exchange.
    fill(proxy, 11500)
    text = b""
    while b"event: gap" not in text:
        text += client.read_some()
    assert b'"reason":"slow"' in text
    proxy.connect().get(b"/afterwards")
    while b"/afterwards" not in text:
        text += client.read_some()


@pytest.mark.slow
def test_stalled_readers_cost_memory_within_a_bound_however_long_they_stall(sightglass, serving):
    """Nothing is lost to a reader that reads, and no record is held by those that do not."""
    proxy = sightglass(
        serving(), "--capture-memory", "4MiB", "--access-log", "off", config={"workers": 2}
    )
    fill(proxy, 4000)  # the ring is full, and its memory touched
    before = proxy.memory_kib()
    proxy.forget_peak_memory()
    stalled = [open_stalled(proxy) for _ in range(STALLED)]
    stop = threading.Event()
    errors = []

    def load():
        try:
            flood(proxy, RATE, STALL_S, stop)
        except AssertionError as failure:
            errors.append(failure)

    thread = threading.Thread(target=load)
    with EventStream(proxy.inspector) as stream:
        thread.start()
        shown = 0
        while thread.is_alive():
            event = stream.read()
            assert event.name != "gap", event
            shown += event.name == "request" and event.data["state"] == "complete"
            # One that took nothing for timeouts.send was cut off: another takes its place.
            for number, client in enumerate(stalled):
                if was_cut(client):
                    client.close()
                    stalled[number] = open_stalled(proxy)
    stop.set()
    thread.join()
    assert errors == []
    assert shown >= RATE * STALL_S * 0.8
    grown = proxy.peak_memory_kib() - before
    print(f"{shown} shown, {grown} KiB more at the peak, {before} KiB before")
    assert grown < STALLED * STALLED_KIB, f"{grown} KiB more than before"
    listed = proxy.inspector.json("/api/requests")
    assert listed["bytes"] <= listed["bytes_capacity"]


@pytest.mark.parametrize("size, redacted", [(1000, False), (4_000_000, None)])
def test_a_small_body_that_becomes_a_huge_one_is_left_to_the_list(
    sightglass, serving, size, redacted
):
    """A reader may not hold its worker up for what a few bytes decode to."""
    packed = gzip.compress(b"a text " * (size // 7))
    fields = (b"Content-Type: text/plain", b"Content-Encoding: gzip")
    proxy = sightglass(serving(lambda request: build_response(200, *fields, body=packed)))
    with EventStream(proxy.inspector, stats=0) as stream:
        ask(proxy, "packed")
        told = stream.until_request("packed", state="complete")[-1].data
    assert told["response_body_redacted"] is redacted
    assert proxy.inspector.list()[0]["response_body_redacted"] is False
