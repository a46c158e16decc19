"""Of two upstreams one swallows every attempt to connect: whoever wants the other notices nothing,
and whoever wants that one is told what is wrong, in time."""

import concurrent.futures
import functools
import json
import re

import pytest

from harness.wire import until

GOOD_CLIENTS, GOOD_CALLS = 8, 25


class Beside:
    """A process between a good upstream, called "api", and one that swallows everything."""

    def __init__(self, swallower, good, start):
        """`swallower`: HOST:PORT. `start(...)` starts the process, given what sightglass()
        takes."""
        self.swallower, self.good, self.start = swallower, good, start

    def __call__(self, pool, timeouts, breaker):
        hole = {
            "name": "hole",
            "url": f"http://{self.swallower}",
            "pool": pool,
            "timeouts": timeouts,
            "breaker": breaker,
        }
        self.proxy = self.start(
            self.good,
            workers=2,
            config={"upstreams": [hole], "routes": [{"prefix": "/hole", "upstream": "hole"}]},
        )
        return self.proxy

    def seen(self):
        """What api/upstreams says of both: (the good one, the other)."""
        answer = self.proxy.connect().get(b"/_inspector/api/upstreams", host=b"localhost")
        return json.loads(answer.body)["items"]

    def expect_the_good_one_is_untouched(self):
        """All answered, on both workers, and nobody waited for a place."""

        def ask(client):
            return [client.get(b"/good/%d" % number).status for number in range(GOOD_CALLS)]

        clients = [self.proxy.connect() for _ in range(GOOD_CLIENTS)]
        with concurrent.futures.ThreadPoolExecutor(GOOD_CLIENTS) as pool:
            for statuses in pool.map(ask, clients):
                assert statuses == [200] * GOOD_CALLS
        good, _ = self.seen()
        assert good["failures"] == {} and good["queue"]["waited"] == 0
        assert good["breaker"]["state"] == "closed" and good["reachable"] is True


@pytest.fixture(params=["a full queue", "vanished"])
def beside(request, sightglass, serving):
    """Nobody accepts what the system has no room for any more; or no packet arrives at all."""
    if request.param == "a full queue":
        url = request.getfixturevalue("blackhole")
        return Beside(url.removeprefix("http://"), serving(), sightglass)
    hole, namespace = request.getfixturevalue("hole"), request.getfixturevalue("namespace")
    hole.vanish()

    start = functools.partial(sightglass, namespace=namespace)
    return Beside(f"{hole.address}:80", serving(network=namespace), start)


def detail(response):
    assert response.one("Content-Type") == b"application/problem+json", response.raw
    return json.loads(response.body)["detail"]


def test_who_wants_the_other_upstream_does_not_wait_for_those_in_the_hole(beside):
    proxy = beside(
        pool={"max_connections": 3, "queue": 5, "queue_timeout": "60s"},
        timeouts={"connect": "60s"},
        breaker={"failures": 5},
    )
    stuck = [proxy.connect() for _ in range(8)]
    for client in stuck:
        client.request(b"GET", b"/hole/stuck")
    until(lambda: beside.seen()[1]["waiting"] == 5, "three connect, and five wait for a place")
    refused = proxy.connect().get(b"/hole/refused")
    assert refused.status == 503 and refused.has("Retry-After")
    assert detail(refused) == "upstream hole: 5 exchanges wait for a connection already"
    beside.expect_the_good_one_is_untouched()
    assert not any(client.is_readable() for client in stuck), "they were stuck all the time"
    hole = beside.seen()[1]
    assert hole["waiting"] == 5 and hole["failures"] == {"queue_full": 1}
    for client in stuck:
        client.close()
    until(lambda: beside.seen()[1]["waiting"] == 0, "who has left waits no more")
    beside.expect_the_good_one_is_untouched()


def test_who_wants_what_is_in_the_hole_is_told_why_not_and_when_to_come_back(beside):
    proxy = beside(
        pool={"max_connections": 2, "queue": 10, "queue_timeout": "300ms"},
        timeouts={"connect": "900ms"},
        breaker={"failures": 2, "open": "1h"},
    )
    clients = [proxy.connect() for _ in range(6)]
    for client in clients:
        client.request(b"GET", b"/hole/x")
    beside.expect_the_good_one_is_untouched()
    answers = [client.read_response() for client in clients]
    connect = f"connect to {beside.swallower}: no answer within 900 ms"
    waited = "upstream hole: no connection came free within 300 ms"
    told = [(answer.status, answer.has("Retry-After"), detail(answer)) for answer in answers]
    assert (
        sorted(told) == [(503, True, waited)] * 4 + [(504, False, f"upstream hole: {connect}")] * 2
    )
    refused = proxy.connect().get(b"/hole/x")
    assert refused.status == 503
    assert re.fullmatch(
        r"upstream hole: is left alone for \d+ ms after 2 failures in a row, the last: "
        + re.escape(connect),
        detail(refused),
    ), detail(refused)
    assert 3500 < int(refused.one("Retry-After")) <= 3600
    hole = beside.seen()[1]
    assert hole["failures"] == {"connect_timeout": 2, "queue_timeout": 4, "breaker_open": 1}
    assert sorted(failure["reason"] for failure in hole["last_failures"]) == [
        *["connect_timeout"] * 2,
        *["queue_timeout"] * 4,
    ]
    assert hole["breaker"]["state"] == "open" and hole["reachable"] is False
    assert (hole["active"], hole["idle"], hole["waiting"]) == (0, 0, 0)
    beside.expect_the_good_one_is_untouched()


def test_each_that_waits_is_answered_in_its_own_time(beside):
    """Of many that wait, each has an answer within its own time, however many are before it."""
    proxy = beside(
        pool={"max_connections": 1, "queue": 100, "queue_timeout": "1s"},
        timeouts={"connect": "300ms"},
        breaker={"failures": 0},
    )
    clients = [proxy.connect() for _ in range(40)]
    for client in clients:
        client.request(b"GET", b"/hole/x")
    answers = [client.read_response() for client in clients]
    hole = beside.seen()[1]
    timeouts, waited = (hole["failures"][why] for why in ("connect_timeout", "queue_timeout"))
    assert timeouts + waited == len(clients) and timeouts >= 2
    assert [answer.status for answer in answers].count(504) == timeouts
    assert all(answer.status in (503, 504) for answer in answers)
    beside.expect_the_good_one_is_untouched()
