"""`api/marks` and `api/compare`: what passed before and after a change, as the test sent it."""

import json

import pytest

from harness.messages import build_response
from harness.wire import until

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def post(proxy, body, path="/api/marks", headers=SAME_ORIGIN):
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return proxy.inspector.ask("POST", path, headers, data)


def counted(proxy):
    return sum(item["count"] for item in proxy.inspector.json("/api/routes")["items"])


def mark(proxy, name, count):
    """Once as many requests have ended."""
    until(lambda: counted(proxy) == count, f"{count} requests")
    answer = post(proxy, {"name": name})
    assert answer.status == 200, answer.body
    found = answer.json()
    assert (found["name"], found["count"]) == (name, count)
    return found


@pytest.fixture
def marked(sightglass, serving):
    """Ten jobs and four of /api/me, a mark "before"; then three jobs and one new call."""
    proxy = sightglass(serving(lambda r: build_response(200, body=b"x")), workers=2)
    for i in range(10):
        proxy.connect().get(b"/api/jobs/%d" % i)
    for _ in range(4):
        proxy.connect().get(b"/api/me")
    mark(proxy, "before", 14)
    for i in range(3):
        proxy.connect().get(b"/api/jobs/%d" % i)
    proxy.connect().ask(b"PUT", b"/api/me", body=b"y")
    until(lambda: counted(proxy) == 18, "18 requests")
    return proxy


def table(compared):
    return {
        (i["method"], i["path"]): (i["before"]["count"], i["after"]["count"])
        for i in compared["items"]
    }


def test_one_mark_is_compared_with_now(marked):
    compared = marked.inspector.json("/api/compare?from=before")
    assert list(compared) == ["from", "to", "items"]
    assert (compared["from"]["name"], compared["to"]["name"]) == ("before", "now")
    assert compared["from"]["end_ts"] == compared["to"]["begin_ts"]
    assert table(compared) == {
        ("GET", "/api/jobs/{id}"): (10, 3),
        ("GET", "/api/me"): (4, 0),
        ("PUT", "/api/me"): (0, 1),
    }
    jobs = compared["items"][0]
    assert (jobs["route"], jobs["before"]["upstream_calls"]) == ("/", 10)
    assert jobs["after"]["upstream_calls_per_request"] == 1
    assert jobs["after"]["mean_ms"] > 0
    assert compared["items"][1]["after"]["mean_ms"] is None
    total = compared["from"]["total"]
    assert (total["count"], total["upstream_calls"]) == (14, 14)
    rate = 14 * 60 / compared["from"]["seconds"]
    assert abs(total["per_minute"] - rate) <= 0.01 * rate
    assert compared["to"]["total"]["count"] == 4


def test_two_marks_bound_the_second_period(marked):
    mark(marked, "after", 18)
    marked.connect().get(b"/api/me")
    until(lambda: counted(marked) == 19, "19 requests")
    compared = marked.inspector.json("/api/compare?from=before&to=after")
    assert compared["to"]["name"] == "after"
    assert compared["to"]["total"]["count"] == 4
    later = marked.inspector.json("/api/compare?from=after&to=now")
    assert table(later)["GET", "/api/me"] == (0, 1)


def test_the_markdown_table_has_a_row_a_call_and_the_sum(marked):
    answer = marked.inspector.get("/api/compare?from=before", Accept="text/markdown")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    lines = answer.body.decode().splitlines()
    assert lines[0].startswith("Before: until `before` (")
    assert lines[1].startswith("After: until `now` (")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[3:]]
    assert {len(row) for row in rows} == {6}
    assert [row[:2] for row in rows[2:]] == [
        ["`GET /api/jobs/{id}`", "10 → 3"],
        ["`GET /api/me`", "4 → 0"],
        ["`PUT /api/me`", "0 → 1"],
        ["**All**", "14 → 4"],
    ]
    assert rows[2][4] == "1.00 → 1.00"
    data = marked.inspector.get("/api/compare?from=before", Accept="*/*")
    assert data.headers["Content-Type"] == "application/json"


def test_marks_are_listed_moved_bounded_and_cleared(marked):
    proxy = marked
    assert [m["name"] for m in proxy.inspector.json("/api/marks")["items"]] == ["before"]
    for i in range(15):
        assert post(proxy, {"name": f"mark {i}"}).status == 200
    refused = post(proxy, {"name": "one more"})
    assert (refused.status, "16" in refused.json()["detail"]) == (409, True)
    assert post(proxy, {"name": "before"}).status == 200
    marks = proxy.inspector.json("/api/marks")
    assert (len(marks["items"]), marks["capacity"]) == (16, 16)
    assert marks["items"][-1]["name"] == "before"
    assert proxy.inspector.ask("DELETE", "/api/marks", SAME_ORIGIN).status == 204
    assert proxy.inspector.json("/api/marks")["items"] == []
    assert proxy.inspector.get("/api/compare?from=before").status == 404


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ("", 400, "JSON"),
        ("[]", 400, "JSON object"),
        ("{", 400, "JSON"),
        ({}, 400, "name"),
        ({"name": 7}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "x" * 65}, 400, "name"),
        ({"name": "a\nb"}, 400, "name"),
        ({"name": "now"}, 400, "name"),
        ({"name": "a", "nam": "b"}, 400, "nam"),
        ({"name": "x" * 5000}, 413, "4096"),
    ],
)
def test_a_bad_mark_is_refused_with_what_is_wrong(shared_sightglass, body, status, word):
    if not shared_sightglass.started:
        shared_sightglass("http://127.0.0.1:9")
    proxy = shared_sightglass.started[0]
    answer = post(proxy, body)
    assert answer.status == status
    assert word in answer.json()["detail"]
    assert proxy.inspector.json("/api/marks")["items"] == []


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ("", 400, "from"),
        ("?to=a", 400, "from"),
        ("?from=none", 404, "none"),
        ("?from=now&to=none", 404, "none"),
        ("?form=a", 400, "from"),
    ],
)
def test_a_bad_comparison_is_named(shared_sightglass, query, status, word):
    if not shared_sightglass.started:
        shared_sightglass("http://127.0.0.1:9")
    answer = shared_sightglass.started[0].inspector.get("/api/compare" + query)
    assert answer.status == status
    assert word in answer.json()["detail"]


def test_a_mark_is_set_from_the_same_origin_or_by_the_token_alone(sightglass, origin):
    proxy = sightglass(origin, "--inspector-token", "a-long-token")
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert post(proxy, {"name": "a"}, headers=headers).status == 403
    assert proxy.inspector.json("/api/marks")["items"] == []
    assert post(proxy, {"name": "a"}, headers={"Authorization": "Bearer a-long-token"}).status == 200
    here = {"Origin": f"http://127.0.0.1:{proxy.port}"}
    assert post(proxy, {"name": "a"}, headers=here).status == 200
    refused = proxy.inspector.ask("PUT", "/api/marks", here)
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, POST, DELETE")
