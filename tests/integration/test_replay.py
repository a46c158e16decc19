"""A captured request sent again: as it was, with something changed, and never with what was hidden."""

import base64
import gzip
import json
import threading

import pytest

from harness.exchange import exchange
from harness.messages import LAST_CHUNK, build, chunk
from harness.wire import until

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def ask(proxy, request_id, changes=None, **headers):
    """The answer to the wish to send it again, on a thread of its own: the test plays the upstream meanwhile."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    body = None if changes is None else json.dumps(changes)
    answers = []

    def run():
        path = f"/api/requests/{request_id}/replay"
        answers.append(proxy.inspector.ask("POST", path, {**SAME_ORIGIN, **headers}, body))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def replay(proxy, origin, request_id, changes=None, answer_body=b"again", **headers):
    """(what the upstream got, the answer)"""
    thread, answers = ask(proxy, request_id, changes, **headers)
    peer, request = origin.next_request()
    peer.respond(200, body=answer_body)
    thread.join()
    return request, answers[0]


def refused(proxy, request_id, changes=None, **headers):
    thread, answers = ask(proxy, request_id, changes, **headers)
    thread.join()
    return answers[0]


def test_it_goes_out_as_it_was_and_comes_back_as_a_record(proxy, origin):
    fields = (b"X-Request-ID: first", b"X-In: 1", b"Accept: a/b", b"X-In: 2")
    exchange(proxy, origin, *fields, method=b"PUT", target=b"/a%20b?x=1&x=2", body=b"data")
    request, answer = replay(proxy, origin, "first")
    assert (request.method, request.target, request.body) == (b"PUT", b"/a%20b?x=1&x=2", b"data")
    assert request.all("X-In") == [b"1", b"2"] and request.one("Accept") == b"a/b"
    assert answer.status == 200, answer.body
    summary = answer.json()
    assert summary["request_id"] not in ("first", "") and summary["status"] == 200
    assert summary["request_id"].encode() == request.one("X-Request-ID")
    first = proxy.inspector.record("first")
    assert summary["replay"] is True and summary["replay_of"] == first["seq"]
    assert first["replay"] is False
    made = proxy.inspector.record(summary["request_id"])
    assert made["response_body"] == "again" and made["request_body"] == "data"
    assert made["request_hash"] == first["request_hash"]
    assert made["client_ip"] == "127.0.0.1"


def test_the_upstream_cannot_tell_it_from_a_clients_request(proxy, origin):
    first, _ = exchange(proxy, origin, b"X-Request-ID: first", host=b"dash.example")
    request, _ = replay(proxy, origin, "first")
    assert sorted(name.lower() for name, _ in request.fields) == sorted(
        name.lower() for name, _ in first.fields
    )
    assert request.one("Host") == b"dash.example"


def test_a_body_in_chunks_goes_out_with_its_length(proxy, origin):
    client = proxy.connect()
    client.send(
        build(b"POST /c HTTP/1.1", [b"Host: h", b"X-Request-ID: first", b"Transfer-Encoding: chunked"])
        + chunk(b"one ")
        + chunk(b"two")
        + LAST_CHUNK
    )
    peer, _ = origin.next_request()
    peer.respond(200)
    client.read_response()
    request, _ = replay(proxy, origin, "first")
    assert request.body == b"one two" and request.one("Content-Length") == b"7"


def test_a_large_body_goes_out_whole(sightglass, origin):
    proxy = sightglass(origin, "--capture-body", "4MiB")
    body = bytes(i * 31 % 251 for i in range(3_000_000))
    exchange(proxy, origin, b"X-Request-ID: first", method=b"POST", body=body)
    request, answer = replay(proxy, origin, "first")
    assert answer.status == 200 and request.body == body


def test_what_the_caller_changes_is_changed(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: first", b"X-Old: 1", method=b"POST", body=b"old")
    changes = {
        "method": "PATCH",
        "path": "/other?y=2",
        "headers": [{"name": "X-New", "value": "1"}, {"name": "Content-Length", "value": "99"}],
        "body": "né",
    }
    request, answer = replay(proxy, origin, "first", changes)
    assert (request.method, request.target) == (b"PATCH", b"/other?y=2")
    assert request.one("X-New") == b"1" and not request.has("X-Old")
    assert request.body == "né".encode() and request.one("Content-Length") == b"3"
    assert answer.json()["method"] == "PATCH"
    packed = base64.b64encode(b"\0\xff").decode()
    request, _ = replay(proxy, origin, "first", {"body": packed, "body_encoding": "base64"})
    assert request.body == b"\0\xff"


def test_secrets_are_not_sent_again_the_callers_own_are(proxy, origin):
    secrets = (b"Authorization: Bearer theirs", b"Cookie: s=theirs", b"X-API-Key: theirs")
    exchange(proxy, origin, b"X-Request-ID: first", b"X-Plain: 1", *secrets)
    request, answer = replay(proxy, origin, "first", Cookie="s=mine")
    assert request.one("Cookie") == b"s=mine" and request.one("X-Plain") == b"1"
    assert not request.has("Authorization") and not request.has("X-API-Key")
    assert answer.json()["left_out"] == ["Authorization", "X-API-Key"]


def test_the_inspectors_token_stays_here(sightglass, origin):
    proxy = sightglass(origin, "--inspector-token", "the-inspectors-own")
    exchange(proxy, origin, b"X-Request-ID: first", b"Authorization: Bearer theirs")
    request, answer = replay(proxy, origin, "first", Authorization="Bearer the-inspectors-own")
    assert answer.status == 200 and not request.has("Authorization")
    assert b"the-inspectors-own" not in request.raw


def test_the_route_that_is_a_row_keeps_the_whole_replay(sightglass, origin):
    proxy = sightglass(origin, "--exclude-get", "/polls")
    exchange(proxy, origin, b"X-Request-ID: first", method=b"POST", target=b"/polls/1", body=b"x")
    request, answer = replay(proxy, origin, "first", {"method": "GET", "path": "/polls/1", "body": ""})
    assert request.target == b"/polls/1"
    record = proxy.inspector.record(answer.json()["request_id"])
    assert record["response_body"] == "again"


def test_a_failure_is_an_answer(sightglass, origin):
    proxy = sightglass(origin)
    exchange(proxy, origin, b"X-Request-ID: first")
    origin.close()
    answer = refused(proxy, "first")
    assert answer.status == 200
    assert answer.json()["status"] == 502 and "refused" in answer.json()["error"]


def test_a_caller_that_leaves_cancels_it(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: first")
    client = proxy.connect()
    client.send(
        build(
            b"POST /_inspector/api/requests/first/replay HTTP/1.1",
            [b"Host: localhost", b"Sec-Fetch-Site: same-origin", b"Content-Length: 0"],
        )
    )
    peer, _ = origin.next_request()
    client.close()
    peer.expect_end()
    until(lambda: proxy.inspector.list(state="client_aborted"), "a record of the cancelled replay")


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"metod": "GET"}, "metod"),
        ({"method": 1}, "method"),
        ({"method": "G ET"}, "method"),
        ({"path": "/a b"}, "path"),
        ({"path": "/a\r\nX: y"}, "path"),
        ({"path": "x"}, "path"),
        ({"headers": {"a": "b"}}, "headers"),
        ({"headers": [{"name": "a"}]}, "headers"),
        ({"headers": [{"name": "a b", "value": "c"}]}, "headers"),
        ({"headers": [{"name": "a", "value": "c\r\nX: y"}]}, "headers"),
        ({"body": 1}, "body"),
        ({"body": "!", "body_encoding": "base64"}, "body"),
        ({"body": "x", "body_encoding": "hex"}, "body_encoding"),
    ],
)
def test_a_bad_change_is_a_400_that_names_it_and_sends_nothing(proxy, origin, changes, word):
    client = proxy.connect()
    exchange(proxy, origin, b"X-Request-ID: first")
    answer = refused(proxy, "first", changes)
    assert answer.status == 400 and word in answer.json()["detail"], answer.body
    assert origin.bytes_before_a_sentinel(client) == b""


def test_a_cut_body_is_a_409_until_one_is_given(sightglass, origin):
    proxy = sightglass(origin, "--capture-body", "1KiB")
    exchange(proxy, origin, b"X-Request-ID: first", method=b"POST", body=b"x" * 2000)
    answer = refused(proxy, "first")
    assert answer.status == 409 and "1024 of 2000" in answer.json()["detail"]
    request, answer = replay(proxy, origin, "first", {"body": "y"})
    assert answer.status == 200 and request.body == b"y"


def test_a_secret_in_the_url_is_a_409_until_a_path_is_given(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: first", target=b"/x?token=theirs")
    answer = refused(proxy, "first")
    assert answer.status == 409 and "redacted" in answer.json()["detail"]
    request, _ = replay(proxy, origin, "first", {"path": "/x?token=mine"})
    assert request.target == b"/x?token=mine"


def test_a_record_that_is_gone_is_a_404(proxy, origin):
    assert refused(proxy, "nothing").status == 404
    assert refused(proxy, "seq:99").status == 404


def test_while_capture_is_paused_it_is_a_409(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: first")
    proxy.inspector.ask("POST", "/api/capture", SAME_ORIGIN, '{"paused": true}')
    answer = refused(proxy, "first")
    assert answer.status == 409 and "paused" in answer.json()["detail"]


def test_a_page_of_another_origin_cannot_ask_for_it(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: first")
    path = "/api/requests/first/replay"
    assert proxy.inspector.ask("POST", path).status == 403
    assert proxy.inspector.ask("POST", path, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert proxy.inspector.ask("GET", path).status == 405


def test_the_inspector_is_not_asked_by_itself(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: first")
    answer = refused(proxy, "first", {"path": "/_inspector/api/requests"})
    assert answer.status == 200 and answer.json()["status"] == 404


def test_a_secret_in_the_body_is_a_409_until_one_is_given(proxy, origin):
    fields = (b"X-Request-ID: first", b"Content-Type: application/json")
    exchange(proxy, origin, *fields, method=b"POST", body=b'{"password": "theirs"}')
    answer = refused(proxy, "first")
    assert answer.status == 409 and "redacted" in answer.json()["detail"]
    request, answer = replay(proxy, origin, "first", {"body": '{"password": "mine"}'})
    assert answer.status == 200 and request.body == b'{"password": "mine"}'


def test_a_coded_body_goes_out_as_it_came(proxy, origin):
    packed = gzip.compress(b'{"name": "nothing to hide"}')
    exchange(
        proxy, origin, b"X-Request-ID: first", b"Content-Encoding: gzip", method=b"POST", body=packed
    )
    request, answer = replay(proxy, origin, "first")
    assert answer.status == 200 and request.body == packed
    assert request.one("Content-Encoding") == b"gzip"
