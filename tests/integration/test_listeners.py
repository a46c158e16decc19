"""Where it listens and where it asks: IPv4, IPv6 and unix sockets, on both sides."""

import os
import socket

import pytest

from harness.messages import build_request
from harness.origin import Origin
from harness.process import run


def ask_through(proxy, origin, index=0):
    client = proxy.connect(index)
    client.request(b"GET", b"/x", host=b"localhost")
    peer, request = origin.next_request()
    peer.respond(body=b"through")
    assert client.read_response().body == b"through"
    return request


@pytest.fixture
def closing(sightglass):
    made = []
    yield made
    for one in made:
        one.close()


def test_it_listens_on_a_unix_socket(sightglass, origin, tmp_path):
    path = str(tmp_path / "in.sock")
    proxy = sightglass(origin, listen=[f"unix:{path}"])
    assert ask_through(proxy, origin).target == b"/x"


def test_a_stale_unix_socket_is_replaced_and_a_file_is_not(sightglass, origin, tmp_path):
    path = str(tmp_path / "in.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    proxy = sightglass(origin, listen=[f"unix:{path}"])
    ask_through(proxy, origin)
    file = tmp_path / "precious"
    file.write_text("data")
    refused = run("--upstream", origin.url, "--listen", f"unix:{file}")
    assert refused.returncode == 1 and str(file) in refused.stderr
    assert file.read_text() == "data"


def test_its_unix_socket_is_gone_after_it_ended(sightglass, origin, tmp_path):
    path = str(tmp_path / "in.sock")
    proxy = sightglass(origin, listen=[f"unix:{path}"])
    ask_through(proxy, origin)
    proxy.stop()
    assert not os.path.exists(path)


def test_it_asks_an_upstream_on_a_unix_socket(sightglass, closing, tmp_path):
    upstream = Origin(path=str(tmp_path / "out.sock"))
    closing.append(upstream)
    proxy = sightglass(upstream)
    assert ask_through(proxy, upstream).one("Host") == b"localhost"
    ask_through(proxy, upstream)
    assert len(upstream.peers) == 1, "a unix socket is kept alive like any connection"


def test_it_listens_on_ipv6(sightglass, origin):
    proxy = sightglass(origin, listen=["[::1]:0"])
    request = ask_through(proxy, origin)
    assert request.one("X-Forwarded-For").strip(b'"[]') == b"::1"


def test_it_asks_an_upstream_on_ipv6(sightglass, closing):
    upstream = Origin(family=socket.AF_INET6)
    closing.append(upstream)
    proxy = sightglass(upstream)
    ask_through(proxy, upstream)


def test_a_port_alone_means_all_interfaces_of_both_families(sightglass, origin):
    proxy = sightglass(origin, listen=[":0"])
    port = int(proxy.addresses[0].rsplit(":", 1)[1])
    for host in ("127.0.0.1", "::1"):
        proxy.addresses = [f"[{host}]:{port}"]
        ask_through(proxy, origin)


def test_an_ipv4_client_of_a_listener_for_both_families_keeps_its_own_address(sightglass, origin):
    proxy = sightglass(origin, listen=[":0"])
    port = proxy.address(0)[1]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(build_request(b"GET", b"/x", host=b"localhost"))
        peer, request = origin.next_request()
        peer.respond(body=b"through")
        assert request.one("X-Forwarded-For") == b"127.0.0.1"
        assert client.recv(4096)
    assert proxy.access_log(path="/x")["client_ip"] == "127.0.0.1"


def test_several_listeners_serve_side_by_side(sightglass, origin, tmp_path):
    proxy = sightglass(origin, listen=["127.0.0.1:0", "[::1]:0", f"unix:{tmp_path}/in.sock"])
    for index in range(3):
        ask_through(proxy, origin, index)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_each_number_of_workers_serves_every_connection(sightglass, serving, workers, tmp_path):
    proxy = sightglass(
        serving(), workers=workers, listen=["127.0.0.1:0", f"unix:{tmp_path}/in.sock"]
    )
    for index in (0, 1):
        clients = [proxy.connect(index) for _ in range(16)]
        for number, client in enumerate(clients):
            assert client.get(b"/%d" % number).body == b"/%d" % number


def test_a_name_is_resolved(sightglass, origin):
    proxy = sightglass(f"http://localhost:{origin.port}")
    ask_through(proxy, origin)


def test_a_name_with_an_address_that_refuses_still_leads_there_by_another(sightglass, closing):
    """localhost is ::1 and 127.0.0.1 in most places; the upstream listens on one of them."""
    upstream = Origin()
    closing.append(upstream)
    proxy = sightglass(f"http://localhost:{upstream.port}")
    for _ in range(3):
        ask_through(proxy, upstream)


def test_an_upstream_that_comes_back_is_found_again(sightglass, closing):
    upstream = Origin()
    port = upstream.port
    proxy = sightglass(upstream)
    ask_through(proxy, upstream)
    upstream.close()
    assert proxy.connect().get().status == 502
    back = Origin(port=port)
    closing.append(back)
    ask_through(proxy, back)


def test_a_client_on_a_unix_socket_has_forwarding_fields_too(sightglass, origin, tmp_path):
    proxy = sightglass(origin, listen=[f"unix:{tmp_path}/in.sock"])
    client = proxy.connect()
    client.send(build_request(b"GET", b"/", b"X-Forwarded-For: 6.6.6.6", host=b"localhost"))
    peer, request = origin.next_request()
    assert request.one("X-Forwarded-Proto") == b"http"
    assert b"6.6.6.6" not in request.raw
    peer.respond()
    client.read_response()
