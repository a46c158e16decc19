"""`api/upstreams`: what each upstream's pool does, read while it does it."""

import socket
import time

from harness.messages import build_response
from harness.serving import Gate
from harness.wire import until

UNUSED = {
    "active": 0,
    "idle": 0,
    "waiting": 0,
    "opened": 0,
    "opened_last_minute": 0,
    "reused": 0,
    "reuse_rate": None,
    "retried": 0,
    "expired": 0,
    "failures": {},
    "last_failures": [],
    "breaker": {"state": "closed", "retry_at": None},
    "reachable": True,
    "tls": None,
    "credential": {"kind": "none", "expires_at": None, "error": None},
}


def upstreams(proxy):
    return proxy.inspector.json("/api/upstreams")["items"]


def upstream(proxy):
    return upstreams(proxy)[0]


def test_without_traffic_there_is_an_item_for_each(sightglass, origin):
    second = {"name": "second", "url": "unix:/run/none.sock", "pool": {"max_connections": 7}}
    proxy = sightglass(origin, config={"upstreams": [second]})
    first, other = upstreams(proxy)
    queue = {"limit": 1000, "timeout_ms": 5000, "waited": 0, "waited_ms": 0}
    assert first == {
        "name": "api",
        "url": origin.url,
        "max_connections": 50,
        "queue": queue,
        **UNUSED,
    }
    assert (other["name"], other["url"], other["max_connections"]) == (
        "second",
        "unix:/run/none.sock",
        7,
    )


def test_many_upstreams_come_in_the_order_of_the_settings(sightglass, origin):
    more = [{"name": f"u{i}", "url": f"http://127.0.0.1:{i + 1}"} for i in range(300)]
    proxy = sightglass(origin, config={"upstreams": more})
    assert [item["name"] for item in upstreams(proxy)] == ["api", *(u["name"] for u in more)]


def test_connections_are_counted_as_they_are_used(sightglass, serving):
    proxy = sightglass(serving(), workers=2, pool={"max_connections": 9})
    client = proxy.connect()
    for _ in range(4):
        client.get(b"/x")
    item = upstream(proxy)
    assert (item["active"], item["idle"], item["waiting"], item["max_connections"]) == (0, 1, 0, 9)
    assert (item["opened"], item["opened_last_minute"], item["reused"]) == (1, 1, 3)
    assert item["reuse_rate"] == 0.75


def test_what_is_lent_and_what_waits_is_seen(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate), pool={"max_connections": 2})
    clients = [proxy.connect() for _ in range(5)]
    for client in clients:
        client.request(b"GET", b"/held")
    until(lambda: gate.inside == 2, "two requests upstream")
    until(lambda: upstream(proxy)["waiting"] == 3, "three that wait")
    item = upstream(proxy)
    assert (item["active"], item["idle"]) == (2, 0)
    gate.open.set()
    for client in clients:
        assert client.read_response().status == 200
    until(lambda: upstream(proxy)["active"] == 0, "the end of all")
    queue = upstream(proxy)["queue"]
    assert queue["waited"] == 3 and queue["waited_ms"] > 0


def test_failures_come_with_their_reasons_and_times(sightglass):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    proxy = sightglass(url, breaker={"failures": 2, "open": "1h"})
    before = time.time()
    client = proxy.connect()
    assert [client.get(b"/x").status for _ in range(3)] == [502, 502, 503]
    item = upstream(proxy)
    assert item["failures"] == {"refused": 2, "breaker_open": 1}
    assert [failure["reason"] for failure in item["last_failures"]] == ["refused", "refused"]
    newest, oldest = (failure["ts"] for failure in item["last_failures"])
    assert before - 1 <= oldest <= newest <= time.time() + 1
    assert item["breaker"]["state"] == "open" and item["reachable"] is False
    assert abs(item["breaker"]["retry_at"] - before - 3600) < 60


def test_a_retry_and_an_expired_connection_are_counted(sightglass, origin):
    proxy = sightglass(origin)
    client = proxy.connect()
    client.request(b"GET", b"/first")
    peer, _ = origin.next_request()
    peer.respond(body=b"x")
    client.read_response()
    client.request(b"GET", b"/second")
    peer.read_request()
    peer.close()
    peer, _ = origin.next_request()
    peer.respond(body=b"x")
    assert client.read_response().status == 200
    peer.close()
    until(lambda: upstream(proxy)["expired"] == 1, "the connection that the upstream closed")
    item = upstream(proxy)
    assert (item["opened"], item["reused"], item["retried"], item["idle"]) == (2, 1, 1, 0)


def test_it_needs_what_the_api_needs(sightglass, origin):
    proxy = sightglass(origin, "--inspector-token", "a-long-token")
    assert proxy.inspector.get("/api/upstreams", Via="1.1 x").status == 401
    assert proxy.inspector.get("/api/upstreams?x=1").status == 400
    bearer = {"Authorization": "Bearer a-long-token"}
    assert proxy.inspector.ask("DELETE", "/api/upstreams", bearer).status == 405


def test_it_answers_while_the_process_drains(sightglass, serving):
    gate = Gate()
    proxy = sightglass(serving(gate))
    held = proxy.connect()
    held.request(b"GET", b"/held")
    watcher = proxy.connect()
    watcher.send(b"GET /_inspector/api/upstreams HTTP/1.1\r\n")
    until(lambda: gate.inside == 1, "the request upstream")
    proxy.signal(15)
    proxy.stderr.wait_for(lambda line: "draining" in line, "the beginning of the end")
    watcher.send(b"Host: localhost\r\n\r\n")
    answer = watcher.read_response()
    assert answer.status == 200 and b'"active":1' in answer.body
    gate.open.set()
    assert held.read_response().status == 200
    assert proxy.wait() == 0


def test_handshakes_and_those_that_resumed_are_counted(sightglass, secure_serving, authority):
    def answer_and_leave(request):
        request.peer.send(build_response(200, b"Connection: close", body=b"secure"))
        request.peer.say_farewell()

    secure = secure_serving(authority.server(), answer_and_leave)
    proxy = sightglass(secure, tls=authority.settings)
    assert upstream(proxy)["tls"] == {"handshakes": 0, "resumed": 0, "version": None}
    client = proxy.connect()
    for _ in range(3):
        assert client.get(b"/x").body == b"secure"
    tls = upstream(proxy)["tls"]
    assert (tls["handshakes"], tls["resumed"], tls["version"]) == (3, 2, "TLSv1.3")
    assert (secure.handshakes, secure.resumed) == (3, 2)
