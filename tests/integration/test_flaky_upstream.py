"""haproxy as an upstream that drops, rejects, keeps waiting, closes and restarts: whoever asks gets
the right answer or one that says why not, in time; and nothing that may not be sent twice is."""

import collections
import concurrent.futures
import contextlib
import itertools
import json
import signal
import threading
import time

import pytest

from harness.haproxy import ESTABLISHED, Haproxy
from harness.messages import build_response
from harness.serving import Gate
from harness.wire import ConnectionEnded, until

CLIENTS = 8
CALLS = 15  # of each client
NO_BREAKER = {"failures": 0}  # so that each call finds out for itself
PROBLEM = b"application/problem+json"


def answer_to(method, target, body):
    return b"%s %s says %s" % (method, target, body)


@pytest.fixture
def behind(serving):
    """The origin behind haproxy: each call has an answer of its own."""
    return serving(
        lambda request: build_response(
            200, body=answer_to(request.method, request.target, request.body)
        )
    )


@pytest.fixture
def haproxy(sightglass, tmp_path, behind):
    """A function that starts one before the origin; see Haproxy for what it takes."""
    made = []

    def make(*frontend, origin_port=None, defaults=()):
        folder = tmp_path / f"haproxy-{len(made)}"
        folder.mkdir()
        made.append(Haproxy(folder, origin_port or behind.port, frontend, defaults))
        return made[-1]

    yield make
    for each in made:
        each.close()


class Call:
    numbers = itertools.count()

    def __init__(self, method, prefix=b"/call"):
        self.method, self.target = method, b"%s/%d" % (prefix, next(self.numbers))
        self.body = b"body of " + self.target if method == b"POST" else b""
        self.answer = None  # stays so where the connection ended before one was whole

    def ask(self, client):
        body = self.body if self.method == b"POST" else None
        self.answer = client.ask(self.method, self.target, body=body)

    @property
    def status(self):
        return self.answer.status if self.answer is not None else 0

    @property
    def detail(self):
        assert self.answer.one("Content-Type") == PROBLEM, self.answer.raw
        return json.loads(self.answer.body)["detail"]


def ask_on(proxy, calls, pause_s):
    """One client's life: a call after the other, over as few connections as it is left."""
    client = proxy.connect()
    for call in calls:
        if client.ending is not None:
            client = proxy.connect()
        with contextlib.suppress(ConnectionEnded, BrokenPipeError):
            call.ask(client)
        if call.answer is None or b"close" in call.answer.members("Connection"):
            client = proxy.connect()
        if pause_s:
            time.sleep(pause_s)


def storm(proxy, methods=(b"GET", b"POST"), pause_s=0, clients=CLIENTS, calls=CALLS):
    """All clients ask at the same time, with these methods in turn. Returns the calls, each of
    which has ended: a wait has its deadline."""
    lives = [[Call(methods[(n + m) % len(methods)]) for m in range(calls)] for n in range(clients)]
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda life: ask_on(proxy, life, pause_s), lives))
    return [call for life in lives for call in life]


def judge(calls, behind, own_errors=(502, 504), theirs=()):
    """The right answer, or one of our own that says why, or (`theirs`) haproxy's as it is; and no
    POST reached the origin twice. Returns how many had which status."""
    for call in calls:
        if call.status == 200:
            assert call.answer.body == answer_to(call.method, call.target, call.body)
        elif call.answer.one("Content-Type") == PROBLEM:
            assert call.status in own_errors, call.answer.raw
            assert call.detail.startswith(("upstream api ", "upstream api: ")), call.detail
        else:
            assert call.status in theirs, call.answer.raw
    posts = collections.Counter(r.target for r in behind.requests if r.method == b"POST")
    assert set(posts.values()) <= {1}, "a POST was sent twice"
    for call in calls:
        assert call.status != 200 or call.method != b"POST" or posts[call.target] == 1
    return collections.Counter(call.status for call in calls)


def details(calls):
    return {call.detail for call in calls if call.status in (502, 503, 504)}


def failures(proxy):
    return proxy.inspector.json("/api/upstreams")["items"][0]["failures"]


def test_calls_that_are_dropped_without_a_word_end_by_our_timeout(sightglass, haproxy, behind):
    upstream = haproxy("http-request silent-drop if { rand(4) eq 0 }")
    proxy = sightglass(
        upstream, workers=2, breaker=NO_BREAKER, upstream_timeouts={"first_byte": "300ms"}
    )
    calls = storm(proxy)
    seen = judge(calls, behind, own_errors=(504,))
    assert set(seen) == {200, 504}
    assert details(calls) == {"upstream api sent no answer within 300 ms (timeouts.first_byte)"}
    assert failures(proxy) == {"first_byte_timeout": seen[504]}


def test_calls_that_are_rejected_are_502_where_they_may_not_be_sent_again(
    sightglass, haproxy, behind
):
    upstream = haproxy("http-request reject if { rand(3) eq 0 }")
    proxy = sightglass(upstream, workers=2, breaker=NO_BREAKER)
    calls = storm(proxy)
    seen = judge(calls, behind, own_errors=(502,))
    assert set(seen) == {200, 502}
    assert details(calls) <= {
        "upstream api closed the connection before it answered",
        "upstream api broke the connection before it answered: connection reset by peer",
    }
    assert failures(proxy) == {"reset": seen[502]}


def test_connections_that_are_rejected_are_a_502(sightglass, haproxy, behind):
    upstream = haproxy("tcp-request connection reject if { rand(3) eq 0 }")
    proxy = sightglass(upstream, pool={"max_idle": 0}, breaker=NO_BREAKER)
    calls = storm(proxy)
    seen = judge(calls, behind, own_errors=(502,))
    assert set(seen) == {200, 502}
    # A connection may be gone before it is used, while it is, or when the request arrives.
    assert set(failures(proxy)) <= {"reset", "connect"}


def test_a_tarpit_ends_by_our_timeout_or_with_its_own_answer(sightglass, haproxy, behind):
    upstream = haproxy(
        "http-request tarpit deny_status 503 if { rand(4) eq 0 }", defaults=["timeout tarpit 1s"]
    )
    proxy = sightglass(
        upstream,
        breaker=NO_BREAKER,
        upstream_timeouts={"first_byte": "30s"},
        config={"routes": [{"prefix": "/impatient", "timeouts": {"first_byte": "200ms"}}]},
    )
    calls = storm(proxy, clients=16, calls=6)
    seen = judge(calls, behind, own_errors=(), theirs=(503,))
    assert set(seen) == {200, 503}
    impatient = [Call(b"GET", b"/impatient") for _ in range(30)]
    ask_on(proxy, impatient, 0)
    assert set(judge(impatient, behind, own_errors=(504,))) == {200, 504}


def test_a_server_that_is_down_behind_it_is_its_own_503(sightglass, haproxy, behind):
    upstream = haproxy(defaults=["retries 0"])
    proxy = sightglass(upstream)
    assert judge(storm(proxy, calls=2), behind) == {200: 2 * CLIENTS}
    upstream.control("disable server origin/origin")
    down = storm(proxy, calls=2)
    assert judge(down, behind, own_errors=(), theirs=(503,)) == {503: 2 * CLIENTS}
    assert failures(proxy) == {}, "it is an answer, and does not open the breaker"
    upstream.control("enable server origin/origin")
    assert judge(storm(proxy, calls=2), behind) == {200: 2 * CLIENTS}


def test_idle_closes_that_cross_requests_are_not_seen_by_who_may_ask_again(
    sightglass, haproxy, behind
):
    """Each client pauses for about as long as haproxy keeps its connections."""
    upstream = haproxy(defaults=["timeout http-keep-alive 20ms"])
    proxy = sightglass(upstream, workers=2, breaker=NO_BREAKER)
    calls = storm(proxy, pause_s=0.02, calls=40)
    judge(calls, behind, own_errors=(502,))
    assert {call.status for call in calls if call.method == b"GET"} == {200}
    item = proxy.inspector.json("/api/upstreams")["items"][0]
    assert item["opened"] > CLIENTS, "connections were closed in between"


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_an_idle_close_that_a_request_crossed_is_asked_again_where_it_may_be(
    sightglass, haproxy, behind, method
):
    """The process stands still while a request comes and then the close: so it takes the request
    first."""
    upstream = haproxy(defaults=["timeout http-keep-alive 200ms"])
    proxy = sightglass(upstream, breaker=NO_BREAKER)
    client = proxy.connect()
    crossed = 0
    while crossed < 3:
        first, second = Call(b"GET"), Call(method)
        first.ask(client)
        proxy.stand_still()
        client.request(method, second.target, body=second.body if method == b"POST" else None)
        open_still = upstream.sockets(ESTABLISHED) == 1  # else this machine is busy: once more
        until(lambda: upstream.sockets(ESTABLISHED) == 0, "haproxy closes the connection")
        proxy.signal(signal.SIGCONT)
        second.answer = client.read_response(method)
        judge([first, second], behind)
        if open_still:
            crossed += 1
            assert second.status == (200 if method == b"GET" else 502)
    item = proxy.inspector.json("/api/upstreams")["items"][0]
    if method == b"GET":
        assert item["retried"] == crossed and item["failures"] == {}
    else:
        assert item["retried"] == 0 and item["failures"] == {"reset": crossed}


def test_what_the_origin_has_already_seen_is_sent_again_only_where_it_may_be(
    sightglass, haproxy, behind
):
    """haproxy is replaced by another one while the origin works on what it has passed on."""
    usual, gate = behind.answer, Gate()
    upstream = haproxy()
    proxy = sightglass(upstream, breaker=NO_BREAKER, pool={"max_idle": 2 * CLIENTS})
    clients = [proxy.connect() for _ in range(2 * CLIENTS)]

    def ask_all(calls):
        """At the same time, each over a connection of its own, until all are at the origin."""
        gate.open.clear()
        behind.answer = gate
        for client, call in zip(clients, calls):
            client.request(
                call.method, call.target, body=call.body if call.method == b"POST" else None
            )
        until(lambda: gate.inside == len(clients), "all are at the origin")
        behind.answer = usual

    def read_all(calls):
        for client, call in zip(clients, calls):
            call.answer = client.read_response(call.method)

    warm = [Call(b"GET") for _ in clients]
    ask_all(warm)
    gate.open.set()
    read_all(warm)
    calls = [Call((b"GET", b"POST")[n % 2]) for n in range(len(clients))]
    for call in calls[1::4]:
        call.body = b""  # it would be no trouble to send it again
    ask_all(calls)
    upstream.start()
    upstream.stop(listening=False)
    read_all(calls)
    gate.open.set()
    judge(calls, behind)
    assert {(call.method, call.status) for call in calls} == {(b"GET", 200), (b"POST", 502)}
    sent = collections.Counter(request.target for request in behind.requests)
    assert {sent[call.target] for call in calls if call.method == b"GET"} == {2}


@pytest.mark.parametrize("closing", ["option http-server-close", "option httpclose"])
def test_an_upstream_that_closes_its_connections_is_always_answered(
    sightglass, haproxy, behind, closing
):
    proxy = sightglass(haproxy(defaults=[closing]), workers=2)
    assert judge(storm(proxy), behind) == {200: CLIENTS * CALLS}
    assert failures(proxy) == {}


def test_calls_over_a_rate_have_its_own_answer(sightglass, haproxy, behind):
    upstream = haproxy(
        "stick-table type ip size 1k expire 30s store http_req_rate(30s)",
        "http-request track-sc0 src",
        "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 50 }",
    )
    proxy = sightglass(upstream)
    seen = judge(storm(proxy), behind, own_errors=(), theirs=(429,))
    assert seen == {200: 50, 429: CLIENTS * CALLS - 50}


def test_answers_that_stop_half_way_never_look_whole(sightglass, haproxy, behind):
    """haproxy cuts what its server does not end."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    behind.answer = lambda request: half
    upstream = haproxy(defaults=["timeout server 150ms"])
    proxy = sightglass(upstream, breaker=NO_BREAKER)
    calls = storm(proxy, calls=3)
    assert {call.status for call in calls} == {0}, "no answer was whole"
    # Those that may not be sent twice were not; nor were the others, which had begun.
    sent = collections.Counter(request.target for request in behind.requests)
    assert sent == {call.target: 1 for call in calls}
    until(lambda: failures(proxy) == {"reset_within": len(calls)}, "each of them is counted")


def test_a_restart_is_a_502_in_between_and_then_over(sightglass, haproxy, behind):
    upstream = haproxy()
    proxy = sightglass(upstream, workers=2, breaker={"failures": 5, "open": "50ms"})
    done = threading.Event()
    calls = []

    def ask_until_done():
        while not done.is_set():
            own = [Call(b"GET"), Call(b"POST")]
            ask_on(proxy, own, 0)
            calls.extend(own)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        askers = [pool.submit(ask_until_done) for _ in range(CLIENTS)]
        try:
            for _ in range(3):
                before = len(behind.requests)
                until(lambda: len(behind.requests) > before + 50, "calls pass")
                upstream.stop()
                known = len(calls)
                until(lambda: any(c.status == 503 for c in calls[known:]), "the breaker opens")
                upstream.start()
            before = len(behind.requests)
            until(lambda: len(behind.requests) > before + 50, "calls pass again")
        finally:
            done.set()
        for asker in askers:
            asker.result()
    seen = judge(calls, behind, own_errors=(502, 503))
    assert seen[200] > 150 and seen[502] > 0 and seen[503] > 0
