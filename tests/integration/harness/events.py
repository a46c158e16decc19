"""The inspector's stream of events as a browser reads it."""

import http.client
import json
import time
import urllib.parse

from harness.messages import build_request
from harness.wire import DEADLINE_S


class Event:
    def __init__(self, name, data, last_id):
        self.name, self.data, self.id = name, data, last_id

    def __repr__(self):
        return f"{self.name} {self.id} {json.dumps(self.data)[:200]}"


class EventStream:
    """Reads the way the HTML standard says; `id` is the last event ID, also where no event came."""

    def __init__(self, inspector, last_event_id=None, **query):
        self.connection = http.client.HTTPConnection(
            inspector.host, inspector.port, timeout=DEADLINE_S
        )
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        path = f"{inspector.prefix}/api/events?{urllib.parse.urlencode(query)}"
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.headers = self.response.headers
        self.id = None
        self.retry = None
        self.comments = []
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()
        self.response.close()

    def _line(self):
        line = self.response.readline()
        if not line:
            self.ended = True
            return None
        assert line.endswith(b"\n"), f"cut within a line: {line[-200:]!r}"
        return line[:-1].decode()

    def read(self):
        """The next event; None at the end of the stream."""
        name, data = "message", []
        while True:
            line = self._line()
            if line is None:
                return None
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if line == "":
                if data:
                    return Event(name, json.loads("\n".join(data)), self.id)
                name = "message"
            elif key == "":
                self.comments.append(value)
            elif key == "event":
                name = value
            elif key == "data":
                data.append(value)
            elif key == "id":
                self.id = value
            elif key == "retry":
                self.retry = int(value)

    def next(self, name="request"):
        """The next event of that name; others are passed over."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            event = self.read()
            assert event is not None, f"the stream ended before {name}"
            if event.name == name:
                return event
        raise AssertionError(f"no {name} for {DEADLINE_S:.0f} s")

    def until_request(self, request_id, **wanted):
        """All events up to the one that shows this exchange so, and with it."""
        seen = []
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            event = self.read()
            assert event is not None, f"the stream ended before {request_id}: {seen}"
            seen.append(event)
            shown = event.data if event.name == "request" else {}
            if shown.get("request_id") == request_id and all(
                shown.get(key) == value for key, value in wanted.items()
            ):
                return seen
        raise AssertionError(f"no event of {request_id}: {seen}")


def open_stalled(proxy, query=""):
    """A reader that takes the head of the answer and then nothing."""
    return open_raw(proxy, query, receive_buffer=4096)


def open_raw(proxy, query="", **options):
    """A connection whose answer is the stream, its head read."""
    client = proxy.connect(**options)
    target = b"/_inspector/api/events" + query.encode()
    client.send(build_request(b"GET", target, host=b"localhost"))
    assert client.read_head().status == 200
    return client
