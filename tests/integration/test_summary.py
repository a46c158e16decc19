"""`api/summary`: the last minutes, recounted from what the test itself sent."""

import pytest

from harness.messages import build_response
from harness.wire import until

SHAPE = [
    "ts", "window_seconds", "covered_seconds", "total", "errors", "error_rate", "p50_ms", "p95_ms",
    "p99_ms", "rpm", "paths", "by_path",
]  # fmt: skip


def summary(proxy, query=""):
    found = proxy.inspector.json("/api/summary" + query)
    assert list(found) == SHAPE
    return found


def summary_of(proxy, total, query=""):
    """The summary, once as many have ended."""

    def found():
        answer = summary(proxy, query)
        return answer if answer["total"] == total else None

    return until(found, f"{total} requests in the summary")


def test_without_traffic_all_is_nothing(sightglass, origin):
    found = summary(sightglass(origin))
    assert (found["total"], found["errors"], found["error_rate"]) == (0, 0, 0)
    assert (found["p50_ms"], found["p95_ms"], found["p99_ms"]) == (None, None, None)
    assert (found["window_seconds"], found["rpm"]) == (300, [0] * 30)
    assert (found["paths"], found["by_path"]) == (0, [])


@pytest.fixture
def busy(sightglass, serving):
    """40 requests of four kinds, over two workers."""
    statuses = {b"/api/jobs/1": 500, b"/api/jobs/2": 404}
    upstream = serving(lambda r: build_response(statuses.get(r.target, 200), body=b"x"))
    proxy = sightglass(upstream, "--exclude-get", "/polls", workers=2)
    for i in range(10):
        client = proxy.connect()
        client.get(b"/polls/state")
        client.get(b"/polls/state?again=1")
        client.get(b"/api/jobs/%d" % i)
        client.ask(b"POST" if i % 2 else b"GET", b"/api/me", body=b"y" if i % 2 else None)
    summary_of(proxy, 40)
    return proxy


def test_polls_and_captured_calls_are_counted_by_path(busy):
    found = summary(busy)
    assert (found["errors"], found["error_rate"], found["paths"]) == (1, 0.025, 3)
    assert [(p["path"], p["count"], p["errors"]) for p in found["by_path"]] == [
        ("/polls/state", 20, 0),
        ("/api/jobs/{id}", 10, 1),
        ("/api/me", 10, 0),
    ]
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"]
    assert all(0 < p["p50_ms"] <= p["p95_ms"] <= p["p99_ms"] for p in found["by_path"])
    assert 1 <= found["covered_seconds"] <= 300


def test_the_quantiles_are_those_of_the_records(busy):
    found = summary(busy, "?path_prefix=/api")
    durations = sorted(r["duration_ms"] for r in busy.inspector.list(path="/api*", limit=100))
    assert found["total"] == len(durations) == 20
    assert abs(found["p50_ms"] - durations[9]) <= 0.02 * durations[9]
    assert abs(found["p95_ms"] - durations[18]) <= 0.02 * durations[18]
    assert abs(found["p99_ms"] - durations[19]) <= 0.02 * durations[19]


@pytest.mark.parametrize(
    ("prefix", "total"),
    [
        ("/", 40),
        ("/api", 20),
        ("/api/jobs", 10),
        ("/api/jobs/7", 10),  # identifiers are folded here, too
        ("/api/jo", 0),
        ("/api/jo*", 10),
        ("/none", 0),
    ],
)
def test_a_prefix_covers_whole_segments(busy, prefix, total):
    assert summary(busy, f"?path_prefix={prefix}")["total"] == total


def test_requests_per_minute_add_up_to_the_total(busy):
    for buckets in (1, 7, 30, 60):
        rates = summary(busy, f"?rpm_buckets={buckets}")["rpm"]
        assert len(rates) == buckets
        steps = [0] * buckets  # how many of the 60 steps each is long
        for step in range(60):
            steps[step * buckets // 60] += 1
        counts = [rate * n * 5 / 60 for rate, n in zip(rates, steps, strict=True)]
        assert abs(sum(counts) - 40) < 0.01
    assert summary(busy, "?window_seconds=7")["window_seconds"] == 10


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("window_seconds=4", "window_seconds"),
        ("window_seconds=901", "window_seconds"),
        ("window_seconds=x", "window_seconds"),
        ("window_seconds=", "window_seconds"),
        ("rpm_buckets=0", "rpm_buckets"),
        ("rpm_buckets=61", "rpm_buckets"),
        ("window_seconds=60&rpm_buckets=13", "rpm_buckets"),
        ("path_prefix=api", "path_prefix"),
        ("path_prefix=", "path_prefix"),
        ("path_prefix=/a?b", "path_prefix"),
        ("path_prefix=%zz", "%zz"),
        ("window_second=60", "window_seconds"),
        ("window_seconds=60&window_seconds=60", "window_seconds"),
    ],
)
def test_a_bad_parameter_is_named(shared_sightglass, query, name):
    if not shared_sightglass.started:
        shared_sightglass("http://127.0.0.1:9")
    answer = shared_sightglass.started[0].inspector.get("/api/summary?" + query)
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert name in answer.json()["detail"]


def test_what_the_inspector_is_asked_is_not_counted(sightglass, origin):
    proxy = sightglass(origin)
    for _ in range(3):
        proxy.inspector.json("/api/routes")
        assert summary(proxy)["total"] == 0
