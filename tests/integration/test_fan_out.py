"""A dashboard's fan-out: all of its calls at once, before anything is connected. None waits for
another: so they take as long as the slowest one."""

import pytest

from harness.serving import Gate
from harness.wire import until

CALLS = 18


@pytest.fixture(params=["http", "https"])
def upstream(request, serving, authority):
    """Holds all calls until all have come."""
    gate = Gate()
    if request.param == "http":
        return serving(gate)
    make = request.getfixturevalue("secure_serving")
    return make(authority.server(), gate)


@pytest.fixture
def tls(upstream, authority):
    return authority.settings if upstream.url.startswith("https") else None


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_all_calls_through_a_cold_pool_are_under_way_at_once(sightglass, upstream, tls, workers):
    proxy = sightglass(upstream, workers=workers, tls=tls)
    clients = [proxy.connect() for _ in range(CALLS)]
    for number, client in enumerate(clients):
        client.request(b"GET", b"/%d" % number)
    gate = upstream.answer
    until(lambda: gate.inside == CALLS, "all calls are at the upstream")
    assert upstream.opened == CALLS, "each over a connection of its own"
    gate.open.set()
    for number, client in enumerate(clients):
        assert client.read_response().body == b"/%d" % number
    item = proxy.inspector.json("/api/upstreams")["items"][0]
    assert item["queue"]["waited"] == 0 and item["failures"] == {}


def test_they_are_under_way_at_once_again_when_the_pool_is_warm(sightglass, upstream, tls):
    proxy = sightglass(upstream, tls=tls)
    clients = [proxy.connect() for _ in range(CALLS)]
    gate = upstream.answer
    for turn in range(3):
        gate.open.clear()
        for client in clients:
            client.request(b"GET", b"/%d" % turn)
        until(lambda: gate.inside == CALLS, "all calls are at the upstream")
        gate.open.set()
        for client in clients:
            assert client.read_response().status == 200
    assert upstream.opened == CALLS, "and over the connections of the first time"
