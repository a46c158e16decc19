"""Names of upstreams: how they are looked up, for how long the answers hold, and what an upstream
costs the others whose name server is silent.

In a network of the test's own (harness/namespace.py), with a name server that the test plays.
"""

import json
import select
import socket
import time

import pytest

from harness.messages import build_response
from harness.name_server import AAAA, SERVFAIL, SILENCE, NameServer, a, aaaa, alias
from harness.namespace import Namespace, Unavailable
from harness.serving import ServingOrigin
from harness.wire import DEADLINE_S, until

PORT = 8000  # of all upstreams: each has an address of its own
UNLIMITED = {"failures": 0}  # no circuit breaker: each request finds out by itself


class Network:
    def __init__(self, folder):
        self.resolv_conf = folder / "resolv.conf"
        self.hosts = folder / "hosts"
        self.resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.hosts.write_text("127.0.0.7 both.test\n")
        self.namespace = Namespace(
            {"/etc/resolv.conf": self.resolv_conf, "/etc/hosts": self.hosts}
        )
        self.open = []

    def name_server(self, host="127.0.0.1"):
        server = NameServer(self.namespace, host)
        self.open.append(server)
        return server

    def upstream(self, host):
        """Says where it is, and closes: so each request needs a connection of its own."""
        said = build_response(200, b"Connection: close", body=host.encode())
        server = ServingOrigin(lambda request: said, host, PORT, network=self.namespace)
        self.open.append(server)
        return server

    def black_hole(self, host):
        """An address that answers no SYN: a listener whose queue is full."""
        listener = self.namespace.socket()
        listener.bind((host, PORT))
        listener.listen(0)
        self.open.append(listener)
        for _ in range(4):
            filler = self.namespace.socket()
            filler.setblocking(False)
            filler.connect_ex((host, PORT))
            self.open.append(filler)


@pytest.fixture
def network(tmp_path, sightglass):
    whole = Network(tmp_path)
    try:
        with whole.namespace:
            yield whole
            for each in whole.open:
                each.close()
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def names(network):
    return network.name_server()


@pytest.fixture
def start(network, sightglass):
    """A function that starts the proxy inside, before the upstream of this host."""

    def start_before(host="api.test", **options):
        url = f"http://{host}:{PORT}"
        return sightglass(url, namespace=network.namespace, **options)

    return start_before


def body(proxy, target=b"/"):
    response = proxy.connect().get(target)
    assert response.status == 200, response.raw
    return response.body.decode()


def detail(response):
    return json.loads(response.body)["detail"]


# How long an answer holds


def test_a_name_is_looked_up_once_within_its_time_to_live(network, names, start):
    network.upstream("127.0.0.2")
    names.records["api.test"] = [a("127.0.0.2", ttl=60)]
    proxy = start()
    assert names.questions == [], "nothing is looked up before somebody asks"
    for _ in range(5):
        assert body(proxy) == "127.0.0.2"
    assert names.count("api.test") == 1 and names.count("api.test", AAAA) == 1


@pytest.mark.parametrize(
    "records",
    [
        {"api.test": [a("127.0.0.2", ttl=1)]},
        {"api.test": [alias("real.test", ttl=1)], "real.test": [a("127.0.0.2", ttl=300)]},
        {"api.test": [a("127.0.0.2", ttl=0)]},
        {"api.test": [a("127.0.0.2", ttl=300), a("127.0.0.3", ttl=1)]},
    ],
    ids=["short", "a short alias", "none, which is taken as a second", "the shortest of several"],
)
def test_whoever_uses_it_after_that_has_it_looked_up_again(network, names, start, records):
    network.upstream("127.0.0.2")
    names.records.update(records)
    proxy = start()
    assert body(proxy) == "127.0.0.2"
    begun = time.monotonic()

    def asked_again():
        assert body(proxy) == "127.0.0.2"
        return names.count("api.test") == 2

    until(asked_again, "asked for again")
    assert time.monotonic() - begun > 0.9


def test_an_answer_that_moved_is_followed(network, names, start):
    network.upstream("127.0.0.2")
    network.upstream("127.0.0.3")
    names.records["api.test"] = [a("127.0.0.2", ttl=1)]
    proxy = start()
    assert body(proxy) == "127.0.0.2"
    names.records["api.test"] = [a("127.0.0.3", ttl=1)]
    until(lambda: body(proxy) == "127.0.0.3", "the new address is used")


def test_an_old_answer_is_used_while_the_name_server_is_silent(network, names, start):
    network.upstream("127.0.0.2")
    names.records["api.test"] = [a("127.0.0.2", ttl=1)]
    proxy = start()
    assert body(proxy) == "127.0.0.2"
    names.records["api.test"] = SILENCE
    while names.count("api.test") == 1:
        body(proxy)
    begun = time.monotonic()
    for _ in range(10):
        assert body(proxy) == "127.0.0.2"
    assert time.monotonic() - begun < 0.9, "nobody waited for the name server"


def test_an_upstream_that_moved_costs_no_error(network, names, start):
    first = network.upstream("127.0.0.2")
    names.records["api.test"] = [a("127.0.0.2", ttl=300)]
    proxy = start()
    assert body(proxy) == "127.0.0.2"
    first.close()
    network.upstream("127.0.0.3")
    names.records["api.test"] = [a("127.0.0.3", ttl=300)]
    assert body(proxy) == "127.0.0.3"


def test_a_lookup_leaves_nothing_open(network, names, start):
    network.upstream("127.0.0.2")
    names.records["api.test"] = [a("127.0.0.2")]
    proxy = start()
    before = proxy.open_files()
    client = proxy.connect()
    assert client.get().status == 200
    client.close()
    until(lambda: proxy.open_files() == before, "all that was opened is closed")


# Several addresses


def test_an_address_that_refuses_is_followed_by_the_next(network, names, start):
    network.upstream("127.0.0.3")
    names.records["api.test"] = [a("127.0.0.2"), a("127.0.0.3")]
    assert body(start()) == "127.0.0.3"


def test_an_address_that_is_silent_costs_a_quarter_of_a_second(network, names, start):
    network.black_hole("127.0.0.2")
    network.upstream("127.0.0.3")
    names.records["api.test"] = [a("127.0.0.2"), a("127.0.0.3")]
    proxy = start()
    begun = time.monotonic()
    assert body(proxy) == "127.0.0.3"
    assert 0.2 < time.monotonic() - begun < 2
    begun = time.monotonic()
    assert body(proxy) == "127.0.0.3", "and only the first time"
    assert time.monotonic() - begun < 0.2


def test_the_families_take_turns(network, names, start):
    """All refuse, and the last one is named: by RFC 6724 alone it would be the IPv4 address."""
    try:
        network.namespace.run("ip", "addr", "add", "2001:db8::2/128", "dev", "lo")
    except (OSError, ValueError) as reason:
        pytest.skip(f"no IPv6, or no ip: {reason}")
    names.records["api.test"] = [a("127.0.0.2"), aaaa("::1"), aaaa("2001:db8::2")]
    response = start().connect().get()
    assert response.status == 502
    assert f"([2001:db8::2]:{PORT}, the last of 3 addresses)" in detail(response)


def test_an_answer_too_long_for_a_packet_is_asked_for_over_tcp(network, names, start):
    network.upstream("127.0.0.2")
    names.records["api.test"] = [a("127.0.0.2")] + [a(f"127.0.1.{i}") for i in range(60)]
    assert body(start()) == "127.0.0.2"
    assert names.count("api.test") == 2, "once more over TCP"


# Names that cannot be looked up


def test_a_name_that_does_not_exist_is_a_502(network, names, start):
    proxy = start("no.test")
    response = proxy.connect().get(b"/", b"X-Request-ID: unknown")
    assert response.status == 502
    assert detail(response) == "upstream api: look up no.test: there is no such name"
    assert proxy.access_log(request_id="unknown")["error"] == detail(response)


def test_a_name_server_that_fails_is_a_502(network, names, start):
    names.records["api.test"] = SERVFAIL
    response = start().connect().get()
    assert response.status == 502
    assert "look up api.test: no name server could be reached, or was willing" in detail(response)


def test_no_name_server_at_all_is_said(network, start):
    """Refused or silent: c-ares 1.18 takes the system's word for one of two questions alone."""
    response = start().connect().get()
    assert response.status in (502, 504)
    assert "upstream api: look up api.test: no name server " in detail(response)


def test_silent_name_servers_are_a_504(network, names, start):
    names.records["api.test"] = SILENCE
    response = start().connect().get()
    assert response.status == 504
    assert detail(response) == "upstream api: look up api.test: no name server answered"


def test_the_time_to_connect_covers_the_lookup(network, names, start):
    names.records["api.test"] = SILENCE
    response = start(upstream_timeouts={"connect": "100ms"}).connect().get()
    assert response.status == 504
    assert detail(response) == "upstream api: look up api.test: no answer within 100 ms"


def test_many_requests_to_an_unknown_name_are_few_questions(network, names, start):
    proxy = start("no.test", breaker=UNLIMITED)
    client = proxy.connect()
    begun = time.monotonic()
    for _ in range(100):
        assert client.get().status == 502
    assert names.count("no.test") <= 1 + (time.monotonic() - begun)


def test_many_requests_to_an_upstream_that_refuses_are_few_questions(network, names, start):
    names.records["api.test"] = [a("127.0.0.2", ttl=300)]
    proxy = start(breaker=UNLIMITED)
    client = proxy.connect()
    begun = time.monotonic()
    for _ in range(100):
        assert client.get().status == 502
    assert names.count("api.test") <= 2 + (time.monotonic() - begun)


def test_a_name_that_is_there_at_last_is_found(network, names, start):
    network.upstream("127.0.0.2")
    proxy = start(breaker=UNLIMITED)
    assert proxy.connect().get().status == 502
    names.records["api.test"] = [a("127.0.0.2")]
    until(lambda: proxy.connect().get().status == 200, "the upstream is found")


# One upstream's name server and the other upstreams


def test_a_silent_name_server_delays_no_other_upstream(network, names, start):
    silent = [f"silent-{number}.test" for number in range(8)]
    for name in silent:
        names.records[name] = SILENCE
    names.records["api.test"] = [a("127.0.0.2", ttl=1)]
    network.upstream("127.0.0.2")
    upstreams = [{"name": f"u{i}", "url": f"http://{name}"} for i, name in enumerate(silent)]
    routes = [{"prefix": f"/{i}", "upstream": f"u{i}"} for i in range(len(silent))]
    proxy = start(config={"upstreams": upstreams, "routes": routes})
    waiting = []
    for number, name in enumerate(silent):
        waiting.append(proxy.connect())
        waiting[-1].request(b"GET", b"/%d" % number)
        names.wait_for(name)
    begun = time.monotonic()
    assert body(proxy) == "127.0.0.2", "looked up, connected to, and answered meanwhile"
    took = time.monotonic() - begun
    assert not select.select([client.sock for client in waiting], [], [], 0)[0]
    assert took < 0.5
    for number, client in enumerate(waiting):
        assert detail(client.read_response()).endswith("no name server answered")
        assert names.count(silent[number]) == 1


# What the system says


def test_search_domains_come_first_where_there_are_few_dots(network, names, start):
    network.upstream("127.0.0.2")
    network.resolv_conf.write_text(
        "search default.svc.test svc.test\nnameserver 127.0.0.1\noptions ndots:5\n"
    )
    names.records["api.default.svc.test"] = [a("127.0.0.2")]
    assert body(start("api")) == "127.0.0.2"
    assert {name for name, _ in names.questions} == {"api.default.svc.test"}


def test_search_domains_are_tried_one_by_one_and_the_name_last(network, names, start):
    network.upstream("127.0.0.2")
    network.resolv_conf.write_text(
        "search default.svc.test svc.test\nnameserver 127.0.0.1\noptions ndots:5\n"
    )
    names.records["api.example.test"] = [a("127.0.0.2")]
    assert body(start("api.example.test")) == "127.0.0.2"
    order = list(dict.fromkeys(name for name, _ in names.questions))
    assert order == [
        "api.example.test.default.svc.test",
        "api.example.test.svc.test",
        "api.example.test",
    ]


def test_the_hosts_file_comes_before_the_name_server(network, names, start):
    network.upstream("127.0.0.7")
    names.records["both.test"] = [a("127.0.0.2")]
    assert body(start("both.test")) == "127.0.0.7"
    assert names.questions == []


@pytest.mark.parametrize("host", ["localhost", "api.localhost"])
def test_localhost_is_this_machine_though_no_file_says_so(network, names, start, host):
    network.upstream("127.0.0.1")
    names.records[host] = [a("127.0.0.2")]
    assert body(start(host)) == "127.0.0.1"
    assert names.questions == []


def test_the_hosts_file_says_where_localhost_is(network, names, start):
    network.upstream("127.0.0.7")
    network.hosts.write_text("127.0.0.7 localhost api.localhost\n")
    assert body(start("localhost")) == "127.0.0.7"
    assert names.questions == []


def test_the_second_name_server_answers_where_the_first_is_silent(network, start):
    silent, second = network.name_server("127.0.0.1"), network.name_server("127.0.0.9")
    silent.records["api.test"] = SILENCE
    second.records["api.test"] = [a("127.0.0.2")]
    network.upstream("127.0.0.2")
    network.resolv_conf.write_text(
        "nameserver 127.0.0.1\nnameserver 127.0.0.9\noptions timeout:1\n"
    )
    assert body(start()) == "127.0.0.2"


def test_other_name_servers_are_used_from_the_next_lookup_on(network, start):
    network.name_server("127.0.0.9").records["api.test"] = [a("127.0.0.2")]
    network.upstream("127.0.0.2")
    proxy = start(breaker=UNLIMITED)
    assert proxy.connect().get().status != 200, "there is no name server"
    network.resolv_conf.write_text("nameserver 127.0.0.9\n")
    until(lambda: proxy.connect().get().status == 200, "the new name server is asked")


def test_a_lookup_that_waits_goes_on_with_the_name_servers_there_are_now(network, names, start):
    names.records["api.test"] = SILENCE
    network.name_server("127.0.0.9").records["api.test"] = [a("127.0.0.2")]
    network.upstream("127.0.0.2")
    client = start().connect()
    client.request()
    names.wait_for("api.test")
    network.resolv_conf.write_text("nameserver 127.0.0.9\n")
    assert client.read_response().body == b"127.0.0.2"


def test_a_drain_does_not_wait_for_name_servers(network, names, start):
    network.resolv_conf.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
    names.records["api.test"] = SILENCE
    proxy = start(upstream_timeouts={"connect": "100ms"})
    client = proxy.connect()
    client.request()
    names.wait_for("api.test")
    assert client.read_response().status == 504
    client.close()
    begun = time.monotonic()
    proxy.stop()
    assert time.monotonic() - begun < DEADLINE_S / 2, "though the lookup would go on for minutes"
