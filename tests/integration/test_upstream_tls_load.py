"""TLS to upstreams under many requests: how few handshakes they take, and what becomes of them while
CA, certificate and key are replaced."""

import collections
import concurrent.futures
import threading

import pytest

from harness.certificates import Authority, Secret
from harness.messages import build_response
from harness.tls_wire import VERSIONS
from harness.wire import DEADLINE_S

CLIENTS = 8


def upstream(proxy):
    return proxy.inspector.json("/api/upstreams")["items"][0]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_thousand_requests_take_no_more_handshakes_than_may_be_idle(
    sightglass, secure_serving, authority, version, workers
):
    origin = secure_serving(authority.server(version=version))
    proxy = sightglass(
        origin, workers=workers, tls=authority.settings, pool={"max_idle": CLIENTS}
    )
    clients = [proxy.connect() for _ in range(CLIENTS)]
    for number in range(200):  # one after the other
        assert clients[number % CLIENTS].get(b"/x").body == b"/x"

    def ask(client):  # and side by side
        for _ in range(100):
            assert client.get(b"/x").body == b"/x"

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, clients))
    assert len(origin.requests) == 1000
    assert origin.opened == origin.handshakes <= CLIENTS
    seen = upstream(proxy)
    assert seen["opened"] == seen["tls"]["handshakes"] == origin.handshakes
    assert seen["reuse_rate"] > 0.99


class Served:
    """How many requests were answered of each kind."""

    def __init__(self):
        self.changed = threading.Condition()
        self.counts = collections.Counter()

    def note(self, kind):
        with self.changed:
            self.counts[kind] += 1
            self.changed.notify_all()

    def wait_for(self, more, kind):
        """Until so many more of that kind have been answered."""
        with self.changed:
            wanted = self.counts[kind] + more
            assert self.changed.wait_for(lambda: self.counts[kind] >= wanted, DEADLINE_S), (
                f"{self.counts}, and no {wanted} of {kind}"
            )


@pytest.mark.parametrize("workers", [1, 2])
def test_no_request_fails_while_ca_certificate_and_key_are_replaced(
    sightglass, secure_serving, authority, tmp_path, workers
):
    """In the order of a rotation: whoever checks trusts both CAs before anybody shows a certificate
    of the new one, and the new one alone when nobody shows one of the old."""
    other = Authority(tmp_path / "other")
    ours, ours_next = authority.issue(), other.issue()
    before, after = authority.server(wants=authority), other.server(wants=other)
    ca, ca_next = (one.ca.certificate.read_bytes() for one in (authority, other))
    served, done, leaving = Served(), threading.Event(), threading.Event()

    def answer(request):
        peer = request.peer
        served.note((peer.peer_serial, "old" if peer.context is before else "new"))
        manners = [b"Connection: close"] if leaving.is_set() else []
        peer.send(build_response(200, *manners, body=request.target))
        return None if manners else b""

    origin = secure_serving(before, answer)
    secret = Secret(tmp_path / "secret", ours, ca_crt=ca)
    tls = {**secret.settings, "ca": str(tmp_path / "secret" / "ca.crt")}
    proxy = sightglass(origin, workers=workers, tls=tls)

    def ask_on_and_on(client):
        asked = 0
        while not done.is_set() and asked < 20_000:
            assert client.get(b"/%d" % asked).body == b"/%d" % asked
            asked += 1

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask_on_and_on, proxy.connect()) for _ in range(CLIENTS)]
        try:
            served.wait_for(200, (ours.serial, "old"))
            before.load_verify_locations(other.ca.certificate)  # from here on, either will do
            secret.show(ours_next, ca_crt=ca + ca_next)
            served.wait_for(200, (ours_next.serial, "old"))
            left = served.counts[ours.serial, "old"]
            served.wait_for(200, (ours_next.serial, "old"))
            assert served.counts[ours.serial, "old"] == left, "nobody is the old one any more"
            leaving.set()  # so that there are new connections
            origin.context = after
            served.wait_for(100, (ours_next.serial, "new"))
            secret.show(ours_next, ca_crt=ca_next)
            proxy.stderr.wait_for(
                lambda line: "its TLS files are read anew" in line, "the last renewal"
            )
            served.wait_for(100, (ours_next.serial, "new"))
        finally:
            done.set()
            for one in asking:
                one.result()
    assert origin.refused == []
    assert upstream(proxy)["failures"] == {}
    assert len(served.counts) == 3
