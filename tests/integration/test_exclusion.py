"""What is excluded streams through untouched, leaves a row and no record, and never takes more than
its prefix."""

import pytest

from harness.exchange import exchange
from harness.messages import build_response
from harness.wire import until

EXCLUDE = ("--exclude-get", "/api/me", "--exclude-get", "/api/monitor")


def asked(proxy, path, query="polls=1"):
    """The rows and records of this path, newest first."""
    items = proxy.inspector.json(f"/api/requests?{query}&limit=1000")["items"]
    return [item for item in items if item["path"] == path]


def captured(proxy, path):
    return asked(proxy, path, query="")


COVERED = [
    b"/api/me",
    b"/api/me/",
    b"/api/me/x",
    b"/api/me?x=1",
    b"/api/%6De",
    b"//api//me",
    b"/x/../api/me",
]
NOT_COVERED = [
    b"/api/metrics",
    b"/api/mean",
    b"/api/m",
    b"/api",
    b"/API/me",
    b"/v1/api/me",
    b"/api%2Fme",
]


@pytest.mark.parametrize("target", COVERED)
def test_a_prefix_covers_whole_segments(sightglass, origin, target):
    proxy = sightglass(origin, *EXCLUDE)
    exchange(proxy, origin, b"X-Request-ID: poll", target=target)
    assert proxy.access_log(request_id="poll")["capture"] == "row"
    path = target.partition(b"?")[0].decode()
    until(lambda: asked(proxy, path), "a row in the poll log")
    assert captured(proxy, path) == []


@pytest.mark.parametrize("target", NOT_COVERED)
def test_a_prefix_covers_nothing_else(sightglass, origin, target):
    proxy = sightglass(origin, *EXCLUDE)
    exchange(proxy, origin, b"X-Request-ID: other", target=target)
    assert proxy.access_log(request_id="other")["capture"] == "full"
    assert proxy.inspector.record("other")["response_body"] == "fine"


@pytest.mark.parametrize(
    "prefix, target, covered",
    [
        ("/api/me*", b"/api/metrics", True),
        ("/api/me*", b"/api/me", True),
        ("/api/me*", b"/api/m", False),
        ("/", b"/anything", True),
        ("/a/", b"/a", True),
        ("/a/", b"/a/b", True),
        ("/a/", b"/ab", False),
        ("/%61", b"/a/b", True),
    ],
)
def test_prefixes_of_every_form(sightglass, origin, prefix, target, covered):
    proxy = sightglass(origin, "--exclude-get", prefix)
    exchange(proxy, origin, b"X-Request-ID: form", target=target)
    assert proxy.access_log(request_id="form")["capture"] == ("row" if covered else "full")


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH", b"DELETE", b"PURGE", b"OPTIONS"])
def test_other_methods_below_an_excluded_prefix_are_captured_in_full(sightglass, origin, method):
    proxy = sightglass(origin, *EXCLUDE)
    exchange(proxy, origin, b"X-Request-ID: write", method=method, target=b"/api/me", body=b"data")
    record = proxy.inspector.record("write")
    assert record["request_body"] == "data" and record["response_body"] == "fine"


def test_head_below_an_excluded_prefix_is_excluded_too(sightglass, origin):
    proxy = sightglass(origin, *EXCLUDE)
    exchange(proxy, origin, b"X-Request-ID: head", method=b"HEAD", target=b"/api/me")
    assert proxy.access_log(request_id="head")["capture"] == "row"


def test_the_list_can_come_from_the_environment(sightglass, origin):
    proxy = sightglass(origin, env={"SIGHTGLASS_EXCLUDE_GET": "/api/a,/api/b"})
    for name in ("a", "b"):
        exchange(proxy, origin, f"X-Request-ID: {name}".encode(), target=f"/api/{name}".encode())
        assert proxy.access_log(request_id=name)["capture"] == "row"


def test_an_excluded_exchange_is_forwarded_like_any_other(sightglass, origin):
    proxy = sightglass(origin, *EXCLUDE)
    answer = build_response(200, b"X-A: 1", body=b"poll")
    request, response = exchange(
        proxy, origin, b"X-Request-ID: p1", b"X-B: 2", target=b"/api/me?a=b", answer=answer
    )
    assert request.target == b"/api/me?a=b" and request.one("X-B") == b"2"
    assert request.one("X-Request-ID") == b"p1" == response.one("X-Request-ID")
    assert response.body == b"poll" and response.one("X-A") == b"1"


def test_a_row_has_its_facts_and_nothing_else(sightglass, origin):
    proxy = sightglass(origin, *EXCLUDE)
    answer = build_response(200, b"X-Private: header", body=b"private body")
    exchange(
        proxy,
        origin,
        b"X-Request-ID: row",
        b"X-Private: request",
        target=b"/api/me?token=private",
        answer=answer,
    )
    row = until(lambda: asked(proxy, "/api/me"), "a row")[0]
    assert (row["request_id"], row["method"], row["path"]) == ("row", "GET", "/api/me")
    assert row["status"] == 200 and row["duration_ms"] >= 0 and row["ts"] > 0
    assert row["response_size_bytes"] == 12
    assert "private" not in str(row)


def routes(**levels):
    return {
        "routes": [{"prefix": f"/{name}", "capture": level} for name, level in levels.items()]
    }


def test_the_four_levels(sightglass, origin):
    proxy = sightglass(origin, config=routes(f="full", h="headers", r="row", n="none"))
    for name in ("f", "h", "r", "n"):
        exchange(
            proxy,
            origin,
            f"X-Request-ID: {name}".encode(),
            b"X-Field: value",
            method=b"POST",
            target=f"/{name}".encode(),
            body=b"body",
        )
        proxy.access_log(request_id=name)
    full = proxy.inspector.record("f")
    assert full["request_body"] == "body" and full["response_body"] == "fine"
    headers = proxy.inspector.record("h")
    assert any(field["name"] == "X-Field" for field in headers["request_headers"])
    assert headers["response_headers"]
    assert not headers["request_body"] and not headers["response_body"]
    assert headers["request_size_bytes"] == 4 and headers["response_size_bytes"] == 4
    assert captured(proxy, "/r") == [] and len(asked(proxy, "/r")) == 1
    assert asked(proxy, "/n") == []
    for name, level in (("f", "full"), ("h", "headers"), ("r", "row"), ("n", "none")):
        assert proxy.access_log(request_id=name)["capture"] == level


def test_a_route_that_names_the_method_wins_within_one_prefix(sightglass, origin):
    proxy = sightglass(
        origin,
        config={
            "routes": [
                {"prefix": "/x", "capture": "full"},
                {"prefix": "/x", "methods": ["GET"], "capture": "row"},
                {"prefix": "/x/y", "capture": "headers"},
            ]
        },
    )
    for number, (method, target, level) in enumerate(
        [(b"GET", b"/x", "row"), (b"POST", b"/x", "full"), (b"GET", b"/x/y/z", "headers")]
    ):
        exchange(
            proxy, origin, b"X-Request-ID: %d" % number, method=method, target=target, body=b""
        )
        assert proxy.access_log(request_id=str(number))["capture"] == level


def test_a_thousand_polls_leave_no_record_and_the_post_before_them_is_still_there(
    sightglass, serving
):
    proxy = sightglass(serving(), *EXCLUDE, "--capture-entries", "50", "--capture-rows", "500")
    client = proxy.connect()
    client.ask(b"POST", b"/api/jobs", b"X-Request-ID: the-submit", body=b'{"job":1}')
    for number in range(1000):
        assert client.get(b"/api/monitor/aks?tick=%d" % number).status == 200
    until(lambda: len(proxy.access_lines()) >= 1001, "a log line for each")
    assert captured(proxy, "/api/monitor/aks") == []
    assert proxy.inspector.record("the-submit")["request_body"] == '{"job":1}'
    rows = asked(proxy, "/api/monitor/aks")
    assert 0 < len(rows) <= 500


def test_an_excluded_exchange_that_fails_is_still_a_row_with_its_error(sightglass, origin):
    proxy = sightglass(origin, *EXCLUDE)
    origin.stop_listening()
    response = proxy.connect().get(b"/api/me", b"X-Request-ID: down")
    assert response.status == 502
    row = until(lambda: asked(proxy, "/api/me"), "a row")[0]
    assert row["status"] == 502
    assert captured(proxy, "/api/me") == []
