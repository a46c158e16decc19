"""Everything at once, on several workers: clients, an inspector that is read all the time, and one
that clears it."""

import concurrent.futures
import threading

import pytest

from harness.messages import LAST_CHUNK, build, build_response, chunk


def answers(request):
    if b"fail" in request.target:
        return build_response(500, body=b"failed")
    if b"cut" in request.target:
        return None
    if b"chunked" in request.target:
        return (
            build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"])
            + chunk(request.body or b"none")
            + LAST_CHUNK
        )
    return build_response(200, body=request.body or request.target * 200)


def use_it(proxy, number, rounds):
    """One client's life: every kind of request, some of them given up half way."""
    client = proxy.connect()
    for turn in range(rounds):
        tag = b"X-Request-ID: c%d-%d" % (number, turn)
        body = b"%d" % turn * 500
        assert client.get(b"/get/%d" % turn, tag).body == b"/get/%d" % turn * 200
        assert client.ask(b"POST", b"/echo", tag, body=body).body == body
        assert client.ask(b"POST", b"/chunked", tag, body=body).body == body
        assert client.get(b"/fail", tag).status == 500
        assert client.get(b"/poll/%d" % turn, tag).status == 200
        if turn % 5 == number % 5:
            assert client.ask(b"POST", b"/cut", tag, body=b"x").status == 502
            leaver = proxy.connect()
            leaver.request(b"GET", b"/get/leaver")
            leaver.reset()
    return True


def read_it(proxy, stop):
    """A panel that never rests: lists, filters, records, bodies."""
    rounds = 0
    while not stop.is_set() or rounds == 0:
        listed = proxy.inspector.json("/api/requests?polls=1&limit=1000")
        assert listed["count"] <= listed["capacity"] + 2000
        for item in listed["items"][:10]:
            for path in ("", "/request-body", "/response-body"):
                answer = proxy.inspector.get(f"/api/requests/seq:{item['seq']}{path}")
                assert answer.status in (200, 404)
        proxy.inspector.json("/api/requests?q=needle&status=5xx")
        proxy.inspector.json("/")
        rounds += 1
    return rounds


def clear_it(proxy, stop):
    origin_field = {"Origin": f"http://127.0.0.1:{proxy.port}"}
    while not stop.wait(0.1):
        assert proxy.inspector.ask("DELETE", "/api/requests", origin_field).status in (200, 204)
    return True


@pytest.mark.parametrize("clearing", [False, True], ids=["kept", "cleared"])
def test_traffic_and_inspector_do_not_disturb_each_other(sightglass, serving, clearing):
    proxy = sightglass(
        serving(answers),
        "--exclude-get", "/poll", "--capture-entries", "100", "--capture-memory", "1MiB",
        "--capture-body", "64KiB", "--capture-rows", "50",
        workers=4,
        pool={"max_connections": 6, "max_idle": 3, "queue_timeout": "30s"},
    )  # fmt: skip
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        watchers = [pool.submit(read_it, proxy, stop) for _ in range(2)]
        if clearing:
            watchers.append(pool.submit(clear_it, proxy, stop))
        clients = [pool.submit(use_it, proxy, number, 20) for number in range(12)]
        try:
            assert all(client.result(120) for client in clients)
        finally:
            stop.set()
        assert all(watcher.result(60) for watcher in watchers)
    assert not proxy.inspector.list(state="active", limit=1000)


def test_ending_in_the_middle_of_it_all_is_clean(sightglass, serving):
    proxy = sightglass(
        serving(answers), workers=4, config={"timeouts": {"drain": "1s"}}
    )
    started = threading.Barrier(9)

    def hammer(number):
        client = proxy.connect()
        client.get(b"/get/first")
        started.wait(30)
        try:
            while True:
                client.get(b"/get/%d" % number)
        except (AssertionError, OSError):
            return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        hammers = [pool.submit(hammer, number) for number in range(8)]
        started.wait(30)
        proxy.signal(15)
        assert proxy.wait() == 0
        assert all(each.result(60) for each in hammers)
