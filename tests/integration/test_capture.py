"""What a record holds, what it says of what it does not hold, and what is never to be read in
it."""

import base64
import json
import re
import subprocess

import pytest

from harness.exchange import exchange
from harness.messages import LAST_CHUNK, build, build_request, build_response, chunk
from harness.wire import until


def names(fields):
    return [field["name"] for field in fields]


def value(fields, name):
    found = [field["value"] for field in fields if field["name"].lower() == name.lower()]
    assert len(found) == 1, (name, fields)
    return found[0]


def xxhsum(data, folder):
    """The hash as the command line prints it: what an operator compares with."""
    path = folder / "body"
    path.write_bytes(data)
    command = ["xxhsum", "-H2", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]


def test_a_record_has_all_of_its_members(proxy, origin):
    answer = build_response(201, b"Content-Type: text/plain", b"X-Out: 1", body=b"made")
    exchange(
        proxy,
        origin,
        b"X-Request-ID: whole",
        b"X-In: 1",
        method=b"POST",
        target=b"/jobs?kind=a",
        body=b"data",
        answer=answer,
        host=b"api.example",
    )
    record = proxy.inspector.record("whole")
    assert record["method"] == "POST" and record["status"] == 201
    assert (record["scheme"], record["host"]) == ("http", "api.example")
    assert (record["path"], record["query"]) == ("/jobs", "kind=a")
    assert record["client_ip"] == "127.0.0.1" and record["upstream"] == "api"
    assert record["state"] == "complete" and record["error"] in (None, "")
    assert (record["attempts"], record["reused"]) == (1, False)
    assert record["request_version"] in ("1.1", "HTTP/1.1")
    assert value(record["request_headers"], "X-In") == "1"
    assert value(record["response_headers"], "X-Out") == "1"
    assert (record["request_body"], record["request_body_encoding"]) == ("data", "utf-8")
    assert (record["response_body"], record["response_body_encoding"]) == ("made", "utf-8")
    for side in ("request", "response"):
        assert record[f"{side}_size_bytes"] == 4
        assert record[f"{side}_body_truncated"] is False
        assert record[f"{side}_body_redacted"] is False
        assert record[f"{side}_trailers"] in ([], None)
    assert isinstance(record["seq"], int)
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$", record["time"])
    assert abs(record["ts"] - proxy.inspector.record("whole")["ts"]) == 0 and record["ts"] > 1.6e9
    assert record["duration_ms"] >= record["ttfb_ms"] >= 0
    for phase in ("queue_ms", "connect_ms", "tls_ms", "send_ms", "wait_ms", "receive_ms"):
        assert record["timing"][phase] is None or record["timing"][phase] >= 0


def test_the_headers_of_a_record_are_those_that_came_in_their_order(proxy, origin):
    lines = [b"X-B: 1", b"x-a: 2", b"X-B: 3"]
    answer = build_response(200, b"Z-1: a", b"A-2: b", b"z-1: c")
    exchange(proxy, origin, b"X-Request-ID: order", *lines, answer=answer)
    record = proxy.inspector.record("order")
    kept = [(f["name"], f["value"]) for f in record["request_headers"]]
    assert [f for f in kept if f[0].lower() in ("x-a", "x-b")] == [
        ("X-B", "1"),
        ("x-a", "2"),
        ("X-B", "3"),
    ]
    kept = [n for n in names(record["response_headers"]) if n.lower() in ("z-1", "a-2")]
    assert kept == ["Z-1", "A-2", "z-1"]


def test_chunked_bodies_and_trailers_are_in_the_record_without_their_framing(proxy, origin):
    client = proxy.connect()
    client.send(
        build_request(b"POST", b"/", b"Transfer-Encoding: chunked", b"X-Request-ID: framed")
        + chunk(b"one")
        + chunk(b"two")
        + b"0\r\nX-Sum: 6\r\n\r\n"
    )
    peer = origin.accept()
    peer.read_request()
    peer.send(
        build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"])
        + chunk(b"an")
        + chunk(b"swer")
        + b"0\r\nX-End: 1\r\n\r\n"
    )
    client.read_response()
    record = proxy.inspector.record("framed")
    assert record["request_body"] == "onetwo" and record["request_size_bytes"] == 6
    assert record["response_body"] == "answer" and record["response_size_bytes"] == 6
    assert value(record["request_trailers"], "X-Sum") == "6"
    assert value(record["response_trailers"], "X-End") == "1"


BINARY = bytes(range(256)) * 4


def test_a_body_that_is_no_text_is_base64(proxy, origin):
    exchange(
        proxy,
        origin,
        b"X-Request-ID: binary",
        method=b"POST",
        body=BINARY,
        answer=build_response(200, body=BINARY),
    )
    record = proxy.inspector.record("binary")
    for side in ("request", "response"):
        assert record[f"{side}_body_encoding"] == "base64"
        assert base64.b64decode(record[f"{side}_body"]) == BINARY
        assert proxy.inspector.body("binary", side).body == BINARY


@pytest.mark.parametrize("size", [0, 1, 5, 17, 129, 241, 1024, 262_144, 262_145, 3_000_000])
def test_a_body_has_its_whole_size_and_the_hash_that_xxhsum_prints(proxy, origin, tmp_path, size):
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    exchange(
        proxy,
        origin,
        b"X-Request-ID: hashed",
        method=b"PUT",
        body=body,
        answer=build_response(200, body=body),
    )
    record = proxy.inspector.record("hashed")
    for side in ("request", "response"):
        assert record[f"{side}_size_bytes"] == size
        if size > 0 or record[f"{side}_hash"] is not None:
            assert record[f"{side}_hash"] == xxhsum(body, tmp_path)
        assert record[f"{side}_body_truncated"] is (size > 262_144)
        kept = proxy.inspector.body("hashed", side).body
        assert kept == body[: len(kept)] and len(kept) == min(size, 262_144)


def test_the_hash_is_the_bodys_however_it_was_framed_and_split(proxy, origin, tmp_path):
    pieces = [b"a" * size for size in range(1, 300)]
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: pieces")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]))
    for piece in pieces:
        peer.send(chunk(piece))
    peer.send(LAST_CHUNK)
    client.read_response()
    assert proxy.inspector.record("pieces")["response_hash"] == xxhsum(b"".join(pieces), tmp_path)


def test_the_kept_part_of_a_body_is_a_setting(sightglass, origin):
    proxy = sightglass(origin, "--capture-body", "10")
    exchange(
        proxy,
        origin,
        b"X-Request-ID: cut",
        method=b"POST",
        body=b"0123456789abc",
        answer=build_response(200, body=b"0123456789"),
    )
    record = proxy.inspector.record("cut")
    assert record["request_body"] == "0123456789" and record["request_body_truncated"] is True
    assert record["request_size_bytes"] == 13
    assert record["response_body"] == "0123456789" and record["response_body_truncated"] is False


def test_text_that_is_cut_within_a_character_stays_readable(sightglass, origin):
    proxy = sightglass(origin, "--capture-body", "4")
    exchange(
        proxy, origin, b"X-Request-ID: utf", method=b"POST", body="aaé✓✓".encode()
    )
    record = proxy.inspector.record("utf")
    if record["request_body_encoding"] == "base64":
        assert base64.b64decode(record["request_body"]) == "aaé".encode()
    else:
        assert record["request_body"].startswith("aa")


@pytest.mark.parametrize("limit", ["0", "1"])
def test_a_body_of_which_nothing_is_kept_still_streams(sightglass, origin, limit):
    proxy = sightglass(origin, "--capture-body", limit)
    body = b"x" * 1_000_000
    _, response = exchange(
        proxy, origin, b"X-Request-ID: none", answer=build_response(200, body=body)
    )
    assert response.body == body
    record = proxy.inspector.record("none")
    assert record["response_size_bytes"] == 1_000_000 and record["response_body_truncated"] is True


def test_a_running_exchange_can_be_read(proxy, origin):
    client = proxy.connect()
    client.request(b"POST", b"/slow", b"X-Request-ID: running", body=b"sent")
    peer = origin.accept()
    peer.read_request()
    record = proxy.inspector.record("running", state="active")
    assert record["status"] == 0 and record["path"] == "/slow"
    assert [i["request_id"] for i in proxy.inspector.list(state="active")] == ["running"]
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 8"]) + b"half")
    client.read_head()
    client.read_exactly(4)
    record = until(
        lambda: (r := proxy.inspector.detail("running"))["status"] == 200 and r, "its head is seen"
    )
    assert record["state"] == "active" and record["response_body"] == "half"
    peer.send(b"rest")
    client.read_exactly(4)
    assert proxy.inspector.record("running")["response_body"] == "halfrest"
    assert proxy.inspector.list(state="active") == []


SECRET_FIELDS = [
    b"Authorization: Bearer s3cr3t-value",
    b"Proxy-Authorization: Basic s3cr3t-value",
    b"Cookie: session=s3cr3t-value",
    b"X-API-Key: s3cr3t-value",
    b"x-auth-token: s3cr3t-value",
    b"X-Amz-Security-Token: s3cr3t-value",
    b"X-Ms-Token-Aad-Access-Token: s3cr3t-value",
]


def test_secret_fields_are_redacted_everywhere_they_can_be_read(proxy, origin):
    answer = build_response(200, b"Set-Cookie: session=s3cr3t-value", b"X-Plain: seen", body=b"ok")
    request, response = exchange(
        proxy, origin, b"X-Request-ID: secret", *SECRET_FIELDS, answer=answer
    )
    assert request.one("Authorization") == b"Bearer s3cr3t-value", "what goes on is not redacted"
    assert response.one("Set-Cookie") == b"session=s3cr3t-value"
    record = proxy.inspector.record("secret")
    assert value(record["request_headers"], "Authorization") == "[redacted]"
    assert value(record["request_headers"], "Cookie") == "[redacted]"
    assert value(record["response_headers"], "Set-Cookie") == "[redacted]"
    assert value(record["response_headers"], "X-Plain") == "seen"
    for path in ("/api/requests/secret", "/api/requests", "", "/api/requests?q=s3cr3t"):
        assert b"s3cr3t" not in proxy.inspector.get(path).body.replace(b"?q=s3cr3t", b""), path
    assert "s3cr3t" not in proxy.stdout.text() + proxy.stderr.text()


QUERY_NAMES = [
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "private_key",
    "sig",
    "signature",
    "PassWord",
    "%74oken",
]


@pytest.mark.parametrize("name", QUERY_NAMES)
def test_secret_query_members_are_redacted_in_record_and_log(proxy, origin, name):
    target = f"/a?first=1&{name}=s3cr3t-value&last=2".encode()
    request, _ = exchange(proxy, origin, b"X-Request-ID: query", target=target)
    assert request.target == target
    record = proxy.inspector.record("query")
    assert "s3cr3t" not in str(record) and "redacted" in record["query"]
    assert record["query"].startswith("first=1&") and record["query"].endswith("&last=2")
    proxy.access_log(request_id="query")
    assert "s3cr3t" not in proxy.stdout.text()


def test_names_that_only_look_like_secrets_are_not_redacted(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: plain", target=b"/a?tokens=1&design=2&x=token")
    assert proxy.inspector.record("plain")["query"] == "tokens=1&design=2&x=token"


def test_a_settings_own_names_are_redacted_beside_the_defaults(sightglass, origin):
    proxy = sightglass(
        origin,
        config={"inspector": {"redact": {"headers": ["X-Mine"], "query": ["mine"]}}},
    )
    exchange(
        proxy,
        origin,
        b"X-Request-ID: own",
        b"x-mine: s3cr3t",
        b"Authorization: s3cr3t",
        target=b"/?mine=s3cr3t&token=s3cr3t",
    )
    assert "s3cr3t" not in str(proxy.inspector.record("own"))


def test_with_mode_tag_equal_secrets_look_equal_and_different_ones_do_not(sightglass, origin):
    proxy = sightglass(origin, config={"inspector": {"redact": {"mode": "tag"}}})
    for name, secret in ((b"a", b"one"), (b"b", b"one"), (b"c", b"two")):
        exchange(proxy, origin, b"X-Request-ID: " + name, b"X-API-Key: " + secret)
    tags = [
        value(proxy.inspector.record(name)["request_headers"], "X-API-Key") for name in "abc"
    ]
    assert all(re.match(r"^\[redacted:[0-9a-f]{6}\]$", tag) for tag in tags)
    assert tags[0] == tags[1] != tags[2]


def jwt(**claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    return part({"alg": "RS256", "typ": "JWT"}) + b"." + part(claims) + b"." + b"c2lnbmF0dXJl" * 4


@pytest.mark.parametrize(
    "claims, caller",
    [
        ({"upn": "ada@example.com", "sub": "1"}, "ada@example.com"),
        ({"preferred_username": "ada", "email": "a@b", "sub": "1"}, "ada"),
        ({"email": "a@example.com", "sub": "1"}, "a@example.com"),
        ({"sub": "subject-7"}, "subject-7"),
        ({"aud": "nobody"}, None),
    ],
)
def test_the_caller_is_named_by_the_bearer_token_that_is_not_shown(proxy, origin, claims, caller):
    token = jwt(**claims)
    exchange(proxy, origin, b"X-Request-ID: called", b"Authorization: Bearer " + token)
    record = proxy.inspector.record("called")
    assert (record["caller"] or None) == caller
    assert token.decode() not in str(record)
    assert value(record["request_headers"], "Authorization") == "[redacted]"


@pytest.mark.parametrize(
    "token", [b"", b"x", b"a.b.c", b"..", b"e30.e30.", b"\xff.\xff.\xff", jwt(sub=5)]
)
def test_a_bearer_token_that_names_nobody_names_nobody(proxy, origin, token):
    exchange(proxy, origin, b"X-Request-ID: nobody", b"Authorization: Bearer " + token)
    assert not proxy.inspector.record("nobody")["caller"]


SHAPES = {
    "a JWT": jwt(sub="x").decode(),
    "an AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a Slack token": "xoxb-" + "123456789012-123456789012-" + "abcdefghijklmnopqrstuvwx",
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_shaped_like_a_secret_is_redacted_wherever_it_stands(proxy, origin, name):
    secret = SHAPES[name].encode()
    exchange(
        proxy,
        origin,
        b"X-Request-ID: shaped",
        b"X-Custom: before " + secret + b" after",
        target=b"/path/" + secret + b"/rest?custom=" + secret + b"&last=1",
        answer=build_response(200, b"X-Echo: " + secret, body=b"x"),
    )
    record = proxy.inspector.record("shaped")
    assert SHAPES[name] not in str(record)
    assert value(record["request_headers"], "X-Custom") == "before [redacted] after"
    assert record["query"].endswith("&last=1")
