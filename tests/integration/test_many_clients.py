"""A thousand clients on four workers: the pool's bounds hold to the last connection, the queue has
its order and its times, nothing is sent once too often, and one alone tries an upstream that was
down."""

import collections
import json
import random
import resource
import signal
import threading
import time

import pytest

from harness.messages import build_response
from harness.origin import Origin
from harness.serving import Gate
from harness.wire import until

MANY, WORKERS, CAP = 1000, 4, 20


@pytest.fixture(autouse=True)
def descriptors_enough():
    """Both ends of some of the connections are ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect_many(proxy, count=MANY):
    return [proxy.connect() for _ in range(count)]


def ask_all(clients, method=b"GET", prefix=b"/call", body=None):
    """Each asks; then whoever reads them finds what is theirs at this target."""
    targets = [b"%s/%d" % (prefix, number) for number in range(len(clients))]
    for client, target in zip(clients, targets):
        client.request(method, target, body=body)
    return targets


def read_all(clients):
    return [client.read_response() for client in clients]


def upstream_of(proxy):
    return proxy.inspector.json("/api/upstreams")["items"][0]


def detail(response):
    return json.loads(response.body)["detail"]


def test_never_more_connections_than_may_be_and_all_are_served(sightglass, serving):
    """Some of them end after their answer, some clients leave while they wait, and idle ones move
    between workers: at no moment the origin sees one too many."""
    upstream = serving()
    dice = random.Random(7)
    upstream.answer = lambda request: build_response(
        200, *([b"Connection: close"] if dice.random() < 0.2 else []), body=request.target
    )
    proxy = sightglass(
        upstream,
        "--access-log",
        "off",
        workers=WORKERS,
        pool={"max_connections": CAP, "max_idle": 8, "queue": 2 * MANY, "queue_timeout": "0"},
    )
    clients = connect_many(proxy)
    for turn in range(3):
        leavers = [proxy.connect() for _ in range(50)]
        targets = ask_all(clients, prefix=b"/turn/%d" % turn)
        for leaver in leavers:
            leaver.request(b"GET", b"/leaver")
            leaver.reset()
        for target, response in zip(targets, read_all(clients)):
            assert (response.status, response.body) == (200, target)
    assert CAP // 2 <= upstream.open_peak <= CAP
    item = upstream_of(proxy)
    assert item["failures"] == {} and item["queue"]["waited"] > 2 * MANY
    until(lambda: upstream_of(proxy)["active"] == 0, "all places are back")
    assert upstream_of(proxy)["waiting"] == 0


def test_all_places_are_used_at_once(sightglass, serving):
    gate = Gate()
    upstream = serving(gate)
    proxy = sightglass(
        upstream,
        "--access-log",
        "off",
        workers=WORKERS,
        pool={"max_connections": CAP, "queue": MANY, "queue_timeout": "0"},
    )
    clients = connect_many(proxy)
    targets = ask_all(clients)
    until(lambda: gate.inside == CAP, "as many as may be are under way")
    until(lambda: upstream_of(proxy)["waiting"] == MANY - CAP, "and all others wait")
    gate.open.set()
    assert [response.body for response in read_all(clients)] == targets
    assert gate.peak == CAP and upstream.open_peak <= CAP


def test_the_queue_is_one_for_all_workers_and_in_order(sightglass, origin):
    """Each comes noticeably later than the one before, on whichever worker."""
    proxy = sightglass(
        origin, workers=WORKERS, pool={"max_connections": 1, "queue": 100, "queue_timeout": "0"}
    )
    clients = connect_many(proxy, 40)
    for number, client in enumerate(clients):
        client.request(b"GET", b"/%d" % number)
        until(
            lambda: sum(upstream_of(proxy)[of] for of in ("active", "waiting")) > number, "it waits"
        )
        time.sleep(0.012)  # beyond what the queue takes for the same moment
    for number, client in enumerate(clients):
        peer, request = origin.next_request()
        assert request.target == b"/%d" % number
        peer.respond(body=request.target)
        assert client.read_response().body == request.target


def test_who_finds_the_queue_full_is_told_at_once_and_who_waits_too_long_in_time(
    sightglass, serving
):
    gate = Gate()
    proxy = sightglass(
        serving(gate),
        "--access-log",
        "off",
        workers=WORKERS,
        pool={"max_connections": 4, "queue": 500, "queue_timeout": "2s"},
    )
    clients = connect_many(proxy)
    ask_all(clients)
    until(lambda: upstream_of(proxy)["failures"].get("queue_full") == 496, "all others are refused")
    until(
        lambda: upstream_of(proxy)["failures"].get("queue_timeout") == 500, "all that wait are too"
    )
    assert gate.inside == 4
    gate.open.set()
    answers = collections.Counter()
    for response in read_all(clients):
        if response.status == 503:
            assert response.has("Retry-After")
        answers[detail(response) if response.status == 503 else response.status] += 1
    assert answers == {
        200: 4,
        "upstream api: 500 exchanges wait for a connection already": 496,
        "upstream api: no connection came free within 2000 ms": 500,
    }
    assert [response.status for response in map(lambda c: c.get(), clients[:100])] == [200] * 100
    item = upstream_of(proxy)
    assert (item["active"], item["waiting"]) == (0, 0)


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_connection_that_dies_under_its_request_costs_one_more_try_at_most(
    sightglass, serving, method
):
    """The upstream keeps no promise: each connection answers once, if at all, is kept, and breaks
    under the next request, which it has read."""
    here = threading.local()
    seen = collections.Counter()
    lock = threading.Lock()
    dice = random.Random(7)

    def answer(request):
        with lock:
            seen[request.target] += 1
            breaks = dice.random() < 0.2
        here.count = getattr(here, "count", 0) + 1
        return build_response(200, body=request.target) if here.count == 1 and not breaks else None

    proxy = sightglass(
        serving(answer),
        workers=WORKERS,
        pool={"max_connections": 100, "max_idle": 100, "queue_timeout": "0"},
        breaker={"failures": 0},
    )
    clients = connect_many(proxy, 200)
    body = b"once" if method == b"POST" else None
    statuses = collections.Counter()
    for turn in range(5):
        targets = ask_all(clients, method, b"/turn/%d" % turn, body)
        for target, response in zip(targets, read_all(clients)):
            statuses[response.status] += 1
            assert response.status == 502 or response.body == target
    again = sum(count == 2 for count in seen.values())
    item = upstream_of(proxy)
    assert item["retried"] == again
    assert statuses[200] + statuses[502] == 1000
    assert statuses[502] == item["failures"]["reset"] > 50
    if method == b"GET":
        assert set(seen.values()) == {1, 2} and again > 100
    else:
        assert set(seen.values()) == {1}, "a POST was sent twice"


def test_of_a_thousand_that_come_at_once_one_alone_tries_an_upstream_that_was_down(
    sightglass, origin
):
    proxy = sightglass(
        origin, "--access-log", "off", workers=WORKERS, breaker={"failures": 3, "open": "500ms"}
    )
    origin.stop_listening()
    clients = connect_many(proxy)
    until(lambda: clients[0].get().status == 503, "the breaker opens")
    back = Origin(port=origin.port)
    for turn in range(3):
        until(lambda: upstream_of(proxy)["breaker"]["state"] == "half_open", "it may be tried")
        proxy.stand_still()  # so that all workers find all of them when they wake
        ask_all(clients)
        proxy.signal(signal.SIGCONT)
        peer, request = back.next_request()
        probe = int(request.target.rpartition(b"/")[2])
        others = [client for client in clients if client is not clients[probe]]
        answers = collections.Counter(response.status for response in read_all(others))
        assert answers == {503: MANY - 1}
        assert not back.read_what_comes(0), "one request alone"
        if turn < 2:
            peer.reset()
            back.peers.remove(peer)
            assert clients[probe].read_response().status == 502
            assert clients[probe].get().status == 503
        else:
            peer.respond(body=b"back")
            assert clients[probe].read_response().body == b"back"
    until(lambda: upstream_of(proxy)["breaker"]["state"] == "closed", "it is back")
    back.close()
