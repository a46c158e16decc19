"""What api/har exports, read back by a strict reader of HAR 1.2, is what was sent and answered."""

import gzip
import os
import time

import pytest

from harness.har_reader import body_of, read_har
from harness.messages import build, build_response
from harness.serving import ServingOrigin
from harness.wire import until

FORM = b"application/x-www-form-urlencoded"
BINARY = bytes(range(256)) * 40


def answers(request):
    path = request.target.partition(b"?")[0]
    if path == b"/moved":
        return build_response(302, b"Location: /to?a=b&token=s3cret", reason=b"Elsewhere")
    if path == b"/picture":
        return build_response(200, b"Content-Type: image/png", body=BINARY)
    if path == b"/coded":
        body = gzip.compress(b"a text that was coded " * 50)
        return build_response(
            200, b"Content-Type: text/plain", b"Content-Encoding: gzip", body=body
        )
    if path == b"/nothing":
        return b"HTTP/1.1 204 Nothing\r\nSet-Cookie: a=s3cret; Path=/\r\nSet-Cookie: b=s3cret\r\n\r\n"
    if path == b"/missing":
        return build_response(404, b"Content-Type: text/html", body=b"<b>not \xc3\xa9</b>")
    if path == b"/gone":
        return None
    return build_response(200, b"Content-Type: application/json", b"X-A: 1", b"X-A: 2", body=b"{}")


@pytest.fixture(scope="module")
def between(shared_sightglass):
    upstream = ServingOrigin(answers)
    config = {
        "routes": [
            {"prefix": "/poll", "capture": "row"},
            {"prefix": "/heads", "capture": "headers"},
            {"prefix": "/"},
        ],
        "inspector": {"capture": {"body": "64KiB"}},
    }
    proxy = shared_sightglass(upstream, config=config)
    yield proxy
    upstream.close()


def har(proxy, query=""):
    answer = proxy.inspector.get("/api/har" + query)
    assert answer.status == 200, answer.body
    return read_har(answer.body)


def entry_of(proxy, *fields, method=b"GET", target=b"/", body=None):
    """Sends a request; returns its entry once it is complete."""
    request_id = f"har-{time.monotonic_ns()}"
    client = proxy.connect()
    client.ask(method, target, *fields, b"X-Request-ID: " + request_id.encode(), body=body)
    client.close()
    proxy.inspector.record(request_id, state=None)

    def found():
        entries = har(proxy, "?limit=1")["entries"]
        return entries and entries[0]["_state"] != "active" and entries[0]

    entry = until(found, "an entry")
    assert entry["_request_id"] == request_id
    return entry


def pairs(fields):
    return [(field["name"], field["value"]) for field in fields]


def test_it_is_a_file_with_a_name(between):
    answer = between.inspector.get("/api/har")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sightglass.har"'
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    log = read_har(answer.body)
    assert log["creator"]["name"] == "Sightglass" and log["creator"]["version"]


def test_an_entry_is_the_exchange_as_its_record_has_it(between):
    entry = entry_of(between, b"Accept: a", b"X-B: 2", b"X-B: 1", b"X-C:", target=b"/x?a=b&&c&d=%20=e")
    record = between.inspector.record(entry["_request_id"])
    request, response = entry["request"], entry["response"]
    assert request["method"] == "GET" and request["httpVersion"] == "HTTP/1.1"
    assert request["url"] == "http://sightglass.test/x?a=b&&c&d=%20=e"
    assert pairs(request["queryString"]) == [("a", "b"), ("c", ""), ("d", "%20=e")]
    assert pairs(request["headers"]) == pairs(record["request_headers"])
    assert [("X-B", "2"), ("X-B", "1"), ("X-C", "")] == pairs(request["headers"])[2:5]
    assert request["bodySize"] == 0 and "postData" not in request
    assert request["headersSize"] > len("GET /x?a=b&&c&d=%20=e HTTP/1.1")
    assert response["status"] == 200 and response["statusText"] == "Fine"
    assert pairs(response["headers"]) == pairs(record["response_headers"])
    assert [value for name, value in pairs(response["headers"]) if name == "X-A"] == ["1", "2"]
    assert response["content"] == {"mimeType": "application/json", "text": "{}", "size": 2}
    assert response["redirectURL"] == ""
    assert entry["startedDateTime"] == record["time"]
    assert entry["_seq"] == record["seq"] and entry["_trace_id"] == record["trace_id"]
    assert entry["_state"] == "complete" and "_error" not in entry
    assert entry["time"] == pytest.approx(record["duration_ms"], abs=0.002)


def test_the_time_of_a_new_and_of_a_pooled_connection(sightglass, serving):
    proxy = sightglass(serving())
    first, second = entry_of(proxy), entry_of(proxy)
    assert first["timings"]["connect"] >= 0 and first["timings"]["ssl"] == -1
    assert second["timings"]["connect"] == -1 and second["timings"]["blocked"] >= 0
    assert first["timings"]["dns"] == second["timings"]["dns"] == -1


@pytest.mark.parametrize("body", [b"a=1&b=c%20d&&e&=f&g==&h=\xc3\xa9", b"&", b"=", b"a", b"a=&",
                                  b"a=" + b"x" * 30000 + b"&b=" + b"y" * 30000], ids=lambda b: b[:9])
def test_a_form_has_its_text_and_its_parameters(between, body):
    kind = b"Content-Type: " + FORM.upper() + b" ; charset=utf-8"
    entry = entry_of(between, kind, method=b"POST", body=body)
    data = entry["request"]["postData"]
    assert data["mimeType"] == kind.decode().partition(": ")[2] and "comment" not in data
    assert data["text"].encode() == body and entry["request"]["bodySize"] == len(body)
    expected = [tuple(pair.partition("=")[::2]) for pair in body.decode().split("&") if pair]
    assert pairs(data["params"]) == expected


def test_a_body_that_is_no_form_has_no_parameters(between):
    text = 'a=1&"b"\n\t\0é😀'
    entry = entry_of(between, b"Content-Type: text/plain", method=b"PUT", body=text.encode())
    assert entry["request"]["postData"] == {"mimeType": "text/plain", "text": text}
    entry = entry_of(between, method=b"POST", body=b"x")
    assert entry["request"]["postData"]["mimeType"] == ""


def test_bytes_are_base64_on_both_sides(between):
    entry = entry_of(between, method=b"POST", target=b"/picture", body=BINARY[::-1])
    data, content = entry["request"]["postData"], entry["response"]["content"]
    assert data["_encoding"] == "base64" and body_of(data) == BINARY[::-1]
    assert content["encoding"] == "base64" and body_of(content) == BINARY
    assert content["mimeType"] == "image/png"


def test_a_coded_body_is_decoded_and_both_sizes_are_told(between):
    text = b"a text that was coded " * 50
    coded = gzip.compress(text)
    entry = entry_of(between, b"Content-Encoding: gzip", method=b"POST", target=b"/coded", body=coded)
    data, content = entry["request"]["postData"], entry["response"]["content"]
    assert data["text"].encode() == text and data["comment"] == "decoded: gzip"
    assert content["text"].encode() == text and content["size"] == len(text)
    assert entry["response"]["bodySize"] == len(text) - content["compression"] < len(text)


def test_a_coding_that_is_not_known_is_not_shown(between):
    entry = entry_of(between, b"Content-Encoding: secret", method=b"POST", body=b"s3cret")
    data = entry["request"]["postData"]
    assert data["text"] == "" and data["comment"].startswith("its coding is none of")


def test_secrets_in_bodies_are_not_in_it(between):
    body = b'{"user": "u", "password": "s3cret"}'
    for kind, coded in ((b"application/json", body), (FORM, b"password=s3cret&user=u")):
        entry = entry_of(between, b"Content-Type: " + kind, method=b"POST", body=coded)
        data = entry["request"]["postData"]
        assert data["comment"] == "redacted" and "[redacted]" in data["text"] and "u" in data["text"]
    assert pairs(data["params"]) == [("password", "[redacted]"), ("user", "u")]
    assert b"s3cret" not in between.inspector.get("/api/har?limit=2").body


def test_what_is_cut_is_told(between):
    entry = entry_of(between, method=b"POST", body=b"x" * 100_000)
    data = entry["request"]["postData"]
    assert data["comment"] == "cut: 65536 of 100000 bytes were kept"
    assert data["text"] == "x" * 65536 and entry["request"]["bodySize"] == 100_000


def test_heads_alone(between):
    entry = entry_of(between, method=b"POST", target=b"/heads", body=b"abc")
    assert entry["request"]["postData"] == {
        "mimeType": "",
        "text": "",
        "comment": "the route keeps no bodies",
    }
    assert entry["request"]["bodySize"] == 3
    assert entry["response"]["content"] == {
        "mimeType": "application/json",
        "size": 2,
        "comment": "the route keeps no bodies",
    }


def test_secrets_are_not_in_it(between):
    entry_of(between, b"Authorization: Bearer s3cret", b"Cookie: s3cret=1; b=s3cret",
             target=b"/nothing?token=s3cret")
    entry = entry_of(between, target=b"/moved?api_key=s3cret&b=c")
    assert entry["response"]["redirectURL"] == "/to?a=b&token=[redacted]"
    assert entry["response"]["statusText"] == "Elsewhere"
    assert entry["request"]["url"].endswith("/moved?api_key=[redacted]&b=c")
    assert pairs(entry["request"]["queryString"]) == [("api_key", "[redacted]"), ("b", "c")]
    raw = between.inspector.get("/api/har?limit=2").body
    assert b"s3cret" not in raw
    older = read_har(raw)["entries"][1]
    assert pairs(older["request"]["cookies"]) == [("[redacted]", "[redacted]")]
    assert pairs(older["response"]["cookies"]) == [("[redacted]", "[redacted]")] * 2
    assert older["response"]["content"] == {"mimeType": "x-unknown", "text": "", "size": 0}


def test_an_upstream_that_gave_no_answer(between):
    entry = entry_of(between, target=b"/gone")
    assert entry["response"]["status"] == 502 and entry["_state"] == "upstream_failed"
    assert entry["_error"]


def test_one_that_still_runs_has_no_answer_yet(proxy, origin):
    client = proxy.connect()
    client.send(build(b"POST /slow HTTP/1.1", [b"Host: x", b"Content-Length: 9"], b"so"))
    peer = origin.accept()
    peer.read_request_head()
    entry = until(lambda: har(proxy)["entries"], "an entry")[0]
    assert entry["_state"] == "active" and entry["response"]["status"] == 0
    assert entry["response"]["bodySize"] == entry["response"]["headersSize"] == -1
    assert entry["response"]["httpVersion"] == "unknown"
    client.close()


def test_a_request_that_was_refused_is_in_it(proxy, origin):
    for raw in (b"GET /a#\x07{ HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: a b\r\n\r\n",
                b"OPTIONS * HTTP/1.1\r\n\r\n", b"garbage\r\n\r\n"):
        client = proxy.connect()
        client.send(raw)
        assert client.read_response().status == 400
        client.close()
    entries = until(lambda: har(proxy, "?status=400")["entries"], "an entry")
    assert all(entry["response"]["status"] == 400 for entry in entries)


def test_a_tunnel(sightglass, websocket_origin):
    proxy = sightglass(websocket_origin)
    client = proxy.connect()
    client.send(build(b"GET /ws HTTP/1.1", [
        b"Host: x", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
    entry = until(lambda: har(proxy, "?state=tunnel")["entries"], "a tunnel")[0]
    assert entry["response"]["status"] == 101
    assert entry["comment"].startswith("a tunnel: ")
    client.close()


def test_the_selection_is_the_lists(sightglass, serving):
    proxy = sightglass(serving(answers), config={"routes": [
        {"prefix": "/poll", "capture": "row"}, {"prefix": "/"}]})
    client = proxy.connect()
    for number in range(120):
        target = [b"/a", b"/missing", b"/poll"][number % 3]
        client.ask(b"GET", target + b"?n=%d" % number, b"X-Request-ID: s%d" % number)
    until(lambda: len(proxy.inspector.list(limit=1000, polls=1, state="complete")) == 120, "all")
    for query in ("", "?limit=7", "?limit=1000", "?limit=1000&polls=1", "?status=404", "?path=/m*",
                  "?q=n=4", "?before=50&limit=3", "?after=100&polls=1", "?method=POST", "?limit=3&polls=1"):
        listed = proxy.inspector.json("/api/requests" + query)
        log = har(proxy, query)
        assert [entry["_seq"] for entry in log["entries"]] == [
            item["seq"] for item in listed["items"]], query
        if listed["next"] is None:
            assert "comment" not in log, query
        else:
            assert f"before={listed['next']}" in log["comment"], query
    assert len(har(proxy)["entries"]) == 80 and len(har(proxy, "?limit=60")["entries"]) == 60
    row = [e for e in har(proxy, "?polls=1")["entries"] if "poll log" in e.get("comment", "")][0]
    assert row["request"]["url"] == "http://unknown.invalid/poll" and row["_request_id"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "body_limit=1", "nonsense=1"])
def test_a_bad_parameter_is_a_400_that_names_it(between, query):
    answer = between.inspector.get("/api/har?" + query)
    assert answer.status == 400 and query.partition("=")[0] in answer.json()["detail"]


def test_a_large_archive_streams_whole(sightglass, serving):
    body = os.urandom(150_000)
    proxy = sightglass(serving(lambda request: build_response(200, body=body)))
    client = proxy.connect()
    for number in range(60):
        client.ask(b"POST", b"/%d" % number, b"Content-Type: " + FORM, body=b"a=b&" * 5_000)
    until(lambda: len(proxy.inspector.list(state="complete")) == 60, "all records")
    entries = har(proxy)["entries"]
    assert len(entries) == 60
    for entry in entries:
        assert body_of(entry["response"]["content"]) == body
        assert len(entry["request"]["postData"]["params"]) == 5_000
