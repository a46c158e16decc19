"""Invented traffic for the stand-in inspector. One job: records of every kind that the panel can show."""

import gzip
import json
import random
import struct
import time
import zlib

from fake_inspector import fields, upstream
from fake_rows import compared, comparison, period, route

CLUSTER = "/api/clusters/prod-weu-1"
PEOPLE = ["ines@acme.dev", "jonas@acme.dev", "ci-deployer", "noor@acme.dev"]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def png(width=48, height=32):
    """A small picture: a red and blue gradient."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in (x * 5 % 256, 40, y * 7 % 256)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def phases(total, connect=0.0, queue=0.0, receive=None):
    """The timing of an exchange that took `total` milliseconds."""
    receive = min(total * 0.25, 30) if receive is None else receive
    wait = max(0.3, total - connect - queue - receive - 0.2)
    return {"queue_ms": queue, "connect_ms": connect, "tls_ms": 0.0, "send_ms": 0.2, "wait_ms": wait,
            "receive_ms": receive}


def sent(**more):
    return fields(host="dash.acme.dev", accept="application/json", authorization="Bearer [redacted]",
                  cookie="[redacted]", origin="https://dash.acme.dev",
                  user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/136.0",
                  traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                  x_forwarded_for="10.4.2.17", via="1.1 sightglass", **more)


def answered(content_type="application/json", **more):
    return fields(content_type=content_type, date="Thu, 12 Mar 2026 10:42:26 GMT", via="1.1 sightglass", **more)


def problem(status, title, detail):
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail,
                       "request_id": "0195ae3e-7c1f-7b06-9d2e-00000000042a"})


def sample_upstreams():
    """One of each kind: healthy, over TLS with a credential, left alone by its breaker, not used yet."""
    now = time.time()
    return [
        upstream("api", failures={"reset": 1, "first_byte_timeout": 1},
                 last_failures=[{"ts": now - 4000, "reason": "reset"}, {"ts": now - 9000, "reason": "first_byte_timeout"}]),
        upstream("cluster", url="https://prod-weu-1-dns-4f2c81aa.hcp.westeurope.azmk8s.io:443", active=2, idle=6, opened=11,
                 reused=1210, reuse_rate=0.991, retried=0, expired=3,
                 queue={"limit": 1000, "timeout_ms": 5000, "waited": 12, "waited_ms": 1030.0},
                 tls={"handshakes": 11, "resumed": 9, "version": "TLSv1.3"},
                 credential={"kind": "exec", "expires_at": now + 2460, "error": None}),
        upstream("metrics", url="https://prom.acme.dev", active=0, idle=1, waiting=4, max_connections=20, opened=48,
                 reused=75, reuse_rate=0.61, retried=3, expired=12, reachable=False,
                 failures={"first_byte_timeout": 6, "refused": 3, "breaker_open": 21},
                 last_failures=[{"ts": now - 3 - i, "reason": "first_byte_timeout" if i < 6 else "refused"}
                                for i in range(9)],
                 breaker={"state": "open", "retry_at": now + 7},
                 tls={"handshakes": 48, "resumed": 40, "version": "TLSv1.2"}),
        upstream("reports", url="unix:/run/reports/api.sock", active=0, idle=0, max_connections=4, opened=0,
                 opened_last_minute=0, reused=0, reuse_rate=None, retried=0, expired=0),
    ]


def plain(fake, ago, method, path, status, ms, **more):
    """An exchange that went as it should, with a JSON answer."""
    items = [{"name": f"aks-sys-vmss00000{i}", "ready": True, "cpu": {"capacity": 8, "used": 2.4 + i / 10},
              "memory": {"capacity": "32Gi", "used": "18.2Gi"}, "taints": []} for i in range(3)]
    path, _, query = path.partition("?")
    body = "" if status in (204, 304) else json.dumps({"items": items, "count": 3, "next": None})
    defaults = {
        "duration_ms": float(ms), "ttfb_ms": ms * 0.8, "timing": phases(ms), "query": query,
        "caller": PEOPLE[round(ago) % 2], "request_headers": sent(),
        "response_headers": answered(etag='"9c1f-5e2"', set_cookie="session=[redacted]; HttpOnly"),
        "response_body": body, "response_size_bytes": len(body) * (1 + len(path) % 7) if body else 0,
    }
    if method in ("POST", "PUT", "PATCH"):
        defaults["request_body"] = json.dumps({"name": "nightly-reindex", "env": [{"name": "DB_PASSWORD", "value": "[redacted]"}]})
        defaults["request_body_redacted"] = True
    return fake.add(method, path, status, ago=ago, **{**defaults, **more})


def failed_post(fake, ago=4.1):
    body = json.dumps({
        "replicas": 6, "reason": "checkout latency above SLO",
        "strategy": {"type": "RollingUpdate", "maxSurge": "25%", "maxUnavailable": 0},
        "notify": {"channel": "#payments-ops", "token": "[redacted]"},
        "labels": {"app.kubernetes.io/name": "checkout", "tier": "backend"}, "dryRun": False})
    answer = problem(502, "Bad Gateway", "upstream api closed the connection before the first byte of its answer")
    return fake.add(
        "POST", CLUSTER + "/deployments/checkout/scale", 502, ago=ago, state="upstream_failed",
        error="upstream api closed the connection before the first byte of its answer",
        duration_ms=3021.0, reused=False, caller="ines@acme.dev",
        timing={"connect_ms": 1.6, "send_ms": 0.9, "wait_ms": 3018.0, "receive_ms": 0.3},
        request_headers=sent(content_type="application/json"), request_body=body, request_body_redacted=True,
        response_headers=answered("application/problem+json"), response_body=answer)


def timed_out(fake, ago=24.9):
    return fake.add(
        "GET", "/api/metrics/range", 504, ago=ago, state="timed_out", upstream="metrics",
        error="upstream metrics sent no first byte within 10 s", query="query=rate(http_requests_total[5m])",
        duration_ms=10004.0, reused=False, caller="jonas@acme.dev",
        timing={"connect_ms": 2.0, "tls_ms": 6.0, "send_ms": 0.3, "wait_ms": 9995.7, "receive_ms": 0.0},
        request_headers=sent(), response_headers=answered("application/problem+json"),
        response_body=problem(504, "Gateway Timeout", "upstream metrics sent no first byte within 10 s"))


def cut_logs(fake, ago=11.5):
    line = "2026-03-12T10:41:58.{:03d}Z INFO  reindex shard={} docs={} took={}ms\n"
    text = "".join(line.format(i % 1000, i % 12, 18000 + i, 200 + i % 40) for i in range(4600))[:262144]
    return fake.add(
        "GET", "/api/jobs/8f14e45f-ceea-467f/logs", 200, ago=ago, query="follow=false", caller="jonas@acme.dev",
        duration_ms=918.0, timing={"send_ms": 0.2, "wait_ms": 61.0, "receive_ms": 857.0},
        request_headers=sent(), response_headers=answered("text/plain"), response_body=text,
        response_body_truncated=True, response_size_bytes=4404019, response_hash="9f2ac04d77c1e0b2a5d3f6887e4961be")


def client_left(fake, ago=88.8):
    return fake.add(
        "GET", "/api/reports/usage", 0, ago=ago, query="range=30d&format=csv", state="client_aborted",
        duration_ms=2140.0, caller="ines@acme.dev", timing=phases(2140), request_headers=sent())


def broken_off(fake, ago=130):
    return fake.add(
        "GET", "/api/exports/nodes.csv", 200, ago=ago, state="upstream_failed",
        error="upstream api closed the connection in the middle of its answer", duration_ms=812.0,
        timing=phases(812), request_headers=sent(), response_headers=answered("text/csv"),
        response_body="name,ready\naks-sys-vmss000000,true\n", response_size_bytes=70112)


def said(ago, direction, text, kind="text", **more):
    """A message of a WebSocket or an event stream, as records hold it."""
    message = {"ts": time.time() - ago, "direction": direction, "type": kind, "size": len(text), "text": text,
               "truncated": False, "redacted": False, "compressed": False}
    return {**message, **more}


def event_stream(fake, ago=262):
    messages = [said(14.1, "out", '{"name":"aks-sys-vmss000001","ready":true}', "event", name="node"),
                said(9.2, "out", "still here", "event"),
                said(4.2, "out", '{"id":"8f14e45f","state":"cancelled"}', "event", name="job"),
                said(0.4, "out", '{"name":"aks-sys-vmss000002","ready":true}', "event", name="node")]
    return fake.add(
        "GET", "/api/events/stream", 200, ago=ago, query="topics=nodes,jobs", state="active", duration_ms=ago * 1000,
        caller="ines@acme.dev", timing={"send_ms": 0.2, "wait_ms": 12.0}, request_headers=sent(),
        response_headers=answered("text/event-stream"), response_size_bytes=18740, messages=messages, messages_total=318,
        response_content_type="text/event-stream")


def tunnel(fake, ago=55.9):
    messages = [said(9.6, "in", '{"Width":142,"Height":38}'), said(9.4, "out", "/app $ "), said(2.9, "in", "ls -l"),
                said(2.8, "out", "total 48  config.yaml  server  static"), said(2.6, "out", "/app $ ")]
    return fake.add(
        "GET", "/api/exec/checkout-7d9f8b6c4-x2x9k", 101, ago=ago, query="container=app&tty=1", state="tunnel",
        duration_ms=ago * 1000, caller="ines@acme.dev", timing={"connect_ms": 1.4, "send_ms": 0.3, "wait_ms": 38.0},
        request_headers=sent(upgrade="websocket", connection="Upgrade"),
        response_headers=fields(upgrade="websocket", connection="Upgrade"),
        request_size_bytes=2166, response_size_bytes=48920, messages=messages, messages_total=412)


def picture(fake, ago=44.6):
    return fake.add(
        "GET", "/api/images/avatar/ines.png", 200, ago=ago, upstream="static", duration_ms=12.0, timing=phases(12),
        caller="ines@acme.dev", request_headers=sent(), response_headers=answered("image/png"), response_body=png())


def zipped(fake, ago=62.5):
    body = gzip.compress(json.dumps({"services": [f"svc-{i}" for i in range(400)]}).encode())
    return fake.add(
        "GET", CLUSTER + "/services", 200, ago=ago, duration_ms=44.0, timing=phases(44), caller="jonas@acme.dev",
        request_headers=sent(), response_headers=answered(content_encoding="gzip"), response_body=body)


def hostile(fake, ago=0.0):
    """Everything that a client or an upstream can choose holds markup."""
    return fake.add(
        "POST", "/api/" + HOSTILE, 200, ago=ago, query="q=" + HOSTILE, caller=HOSTILE, upstream=HOSTILE,
        error=HOSTILE, host=HOSTILE, request_id=HOSTILE, state="upstream_failed",
        request_headers=[{"name": HOSTILE, "value": HOSTILE}], request_body=json.dumps({HOSTILE: [HOSTILE, {"a": HOSTILE}]}),
        response_headers=[{"name": "Content-Type", "value": "text/html"}, {"name": "X", "value": HOSTILE}],
        response_body=f"<html><body onload=\"document.title='owned'\">{HOSTILE}</body></html>")


def sample_traffic(fake):
    """Five minutes: sixty exchanges of every kind, and six kinds of polls between them."""
    rng = random.Random(7)
    events = []

    def later(ago, make):
        events.append((ago, make))

    for ago, method, path, status, ms in [
            (2.6, "GET", CLUSTER + "/nodes", 200, 86), (6.8, "GET", "/api/v1/dashboard/overview", 200, 143),
            (8.2, "GET", CLUSTER + "/deployments/checkout", 200, 34), (13, "PATCH", "/api/settings/alerts", 200, 58),
            (15.3, "GET", "/api/me", 304, 4), (18.8, "GET", CLUSTER + "/events?since=1773311990", 200, 41),
            (21.7, "POST", "/api/jobs", 201, 212), (27.3, "GET", CLUSTER + "/nodes/aks-sys-vmss000002", 200, 39),
            (31.2, "DELETE", CLUSTER + "/pods/checkout-7d9f8b6c4-x2x9k", 200, 167),
            (33.4, "GET", CLUSTER + "/pods?namespace=payments&limit=500", 200, 228),
            (36, "GET", "/api/endpoints/3/docker/containers/json?all=1", 200, 64),
            (39.8, "PUT", CLUSTER + "/configmaps/checkout-flags", 409, 47),
            (41.1, "GET", CLUSTER + "/configmaps/checkout-flags", 200, 29),
            (47.5, "GET", CLUSTER + "/deployments", 200, 97), (66.1, "GET", "/api/audit?limit=50", 403, 7),
            (78.2, "POST", "/api/jobs/8f14e45f-ceea-467f/cancel", 202, 76),
            (84, "GET", "/api/jobs/8f14e45f-ceea-467f", 200, 22), (93.7, "GET", CLUSTER + "/nodes", 200, 92)]:
        later(ago, lambda a=ago, m=method, p=path, s=status, d=ms: plain(fake, a, m, p, s, d))
    later(0.4, lambda: fake.begin("GET", CLUSTER + "/pods", query="namespace=payments&limit=500", ago=0.4,
                                  caller="jonas@acme.dev", request_headers=sent()))
    later(262, lambda: event_stream(fake))
    later(52.2, lambda: plain(fake, 52.2, "GET", "/api/me", 200, 18, attempts=2, reused=False, timing=phases(18, connect=1.4)))
    for ago, make in ((4.1, failed_post), (24.9, timed_out), (11.5, cut_logs), (88.8, client_left), (55.9, tunnel),
                      (44.6, picture), (62.5, zipped), (130, broken_off)):
        later(ago, lambda a=ago, f=make: f(fake, a))
    ago = 97.0
    for i in range(29):
        path, ms = rng.choice([("/nodes", 80), ("/deployments", 95), ("/pods?namespace=payments", 230), ("/services", 40)])
        method, status = ("POST", 201) if i % 9 == 4 else ("GET", 404 if i == 11 else 200)
        target = "/api/jobs" if method == "POST" else CLUSTER + path
        later(ago, lambda a=ago, m=method, p=target, s=status, d=ms * (0.7 + rng.random()): plain(fake, a, m, p, s, d))
        ago += 3 + rng.random() * 6.9
    for path, starts, ms, size in sample_polls(rng):
        for at in starts:
            took = ms * (0.55 + rng.random() * 0.9)
            later(at, lambda a=at, p=path, d=took, z=size: fake.add_poll(path=p, ago=a, duration_ms=d, size=z(a)))
    for _, make in sorted(events, key=lambda event: -event[0]):
        make()
    fake.evicted = 212
    fake.routes = sample_routes()
    fake.marks = [{"name": name, "ts": time.time() - ago}
                  for name, ago in (("start", 960), ("before-cache", 660), ("with-cache", 360))]
    fake.comparison = sample_comparison()


def sample_polls(rng):
    """[path, seconds ago of each call, usual milliseconds, size of the answer]: what dashboards ask again and again."""
    def steady(every, together=1, within=0.0, jitter=0.02):
        at = rng.random() * every
        starts = []
        while at < 299:
            starts += [at + i * within + rng.random() * jitter for i in range(together)]
            at += every
        return starts

    return [
        ("/api/monitor/aks", steady(5, 3, 0.05), 88, lambda ago: 47800),
        ("/api/clusters/prod-weu-1/health", steady(2, 2, 0.7), 24, lambda ago: 1100 + (int(ago / 20) % 3)),
        ("/api/blast/jobs", steady(1.5, 1), 1900, lambda ago: 15300),
        ("/api/endpoints/3/docker/containers/json", steady(10), 66, lambda ago: 31300),
        ("/api/me/notifications", steady(10), 13, lambda ago: 1400),
        ("/api/metrics/live", steady(5), 120, lambda ago: 35000 + int(ago * 7) % 900),
    ]


def sample_routes():
    """One of each kind: polled, failing, slow, switched to a tunnel, what found no place."""
    row = {"capture": "row"}
    return [
        route("/api/clusters/{id}/health", count=300, p50_ms=9.0, p95_ms=22.0, p99_ms=41.0, unchanged=213, **row),
        route("/api/monitor/aks", count=180, p50_ms=62.0, p95_ms=120.0, p99_ms=188.0, unchanged=176, **row),
        route("/api/blast/jobs", count=200, p50_ms=1900.0, p95_ms=2400.0, p99_ms=2700.0, unchanged=175, **row),
        route("/api/metrics/live", count=60, p50_ms=104.0, p95_ms=380.0, p99_ms=610.0, status={"2xx": 57, "5xx": 3}, **row),
        route("/api/endpoints/{id}/docker/containers/json", count=30, unchanged=27, p50_ms=60.0, p95_ms=80.0, p99_ms=90.0, **row),
        route("/api/me/notifications", count=30, unchanged=29, p50_ms=13.0, p95_ms=18.0, p99_ms=20.0, **row),
        route("/api/clusters/{id}/pods", count=41, p50_ms=226.0, p95_ms=344.0, p99_ms=402.0, unchanged=5),
        route("/api/clusters/{id}/deployments/{id}/scale", "POST", 41, p50_ms=212.0, p95_ms=460.0, p99_ms=3021.0,
              status={"2xx": 39, "5xx": 2}),
        route("/api/clusters/{id}/nodes", count=38, p50_ms=84.0, p95_ms=132.0, p99_ms=171.0, unchanged=22),
        route("/api/metrics/range", count=9, p50_ms=1210.0, p95_ms=8800.0, p99_ms=10004.0, status={"2xx": 5, "5xx": 4}),
        route("/api/jobs", "POST", 6, p50_ms=198.0, p95_ms=260.0, p99_ms=260.0),
        route("/api/clusters/{id}/configmaps/{id}", "PUT", 5, p50_ms=51.0, p95_ms=64.0, p99_ms=64.0,
              status={"2xx": 4, "4xx": 1}),
        route("/api/audit", count=2, p50_ms=7.0, p95_ms=8.0, p99_ms=8.0, status={"2xx": 1, "4xx": 1}),
        route("/api/exec/{id}", count=1, p50_ms=55900.0, p95_ms=55900.0, p99_ms=55900.0, status={"1xx": 1}, capture="headers"),
        route("other", "", 12, route="other", p50_ms=18.0, p95_ms=40.0, p99_ms=61.0, upstream_calls=11),
    ]


def sample_comparison():
    """Five minutes before a cache and five with it."""
    return comparison("before-cache", "with-cache", [
        compared("/api/monitor/aks", period(180, 62.0), period(180, 4.0, 31)),
        compared("/api/clusters/{id}/health", period(300, 9.0), period(300, 5.0, 150)),
        compared("/api/blast/jobs", period(80, 48.0), period(80, 31.0, 42)),
        compared("/api/clusters/{id}/pods", period(41, 226.0), period(41, 229.0)),
        compared("/api/clusters/{id}/nodes", period(38, 84.0), period(38, 83.0)),
        compared("/api/v1/dashboard/overview", period(), period(10, 143.0)),
        compared("/api/endpoints/{id}/docker/containers/json", period(30, 66.0), period(30, 64.0)),
        compared("/api/jobs", period(6, 198.0), period(6, 201.0), "POST"),
    ])


def keep_going(fake):
    """Traffic that goes on until the process ends."""
    rng = random.Random(11)
    while True:
        time.sleep(rng.random() * 1.5)
        kind = rng.randrange(10)
        if kind < 5:
            fake.add_poll(duration_ms=20 + rng.random() * 90)
        elif kind == 5:
            failed_post(fake, 0)
        elif kind == 6:
            running = fake.begin("GET", CLUSTER + "/pods", request_headers=sent())
            time.sleep(1.5)
            fake.finish(running, 200, 1500.0, response_body="{}", response_size_bytes=2)
        else:
            plain(fake, 0, "GET", CLUSTER + "/nodes", 200, 40 + rng.random() * 400)
