"""TLS to upstreams that works: with whom, as whom, in which version, resumed, and how an answer
ends. What is refused is in test_upstream_tls_refusals.py."""

import json
import ssl
import time

import pytest

from harness.certificates import Certificate
from harness.messages import LAST_CHUNK, build, build_request, build_response, chunk
from harness.tls_wire import VERSIONS
from harness.tunnel import HANDSHAKE, SWITCHING
from harness.wire import until

KEPT = b"x" * 100_000


def tls_of(proxy):
    return proxy.inspector.json("/api/upstreams")["items"][0]["tls"]


def failures_of(proxy):
    return proxy.inspector.json("/api/upstreams")["items"][0]["failures"]


def ids(version):
    return version.name


# With whom


@pytest.mark.parametrize("version", VERSIONS, ids=ids)
def test_requests_follow_one_another_on_a_connection(
    sightglass, secure_serving, authority, version
):
    origin = secure_serving(
        authority.server(version=version),
        lambda request: build_response(200, body=request.target + request.body),
    )
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    for number in range(5):
        assert client.get(b"/%d" % number).body == b"/%d" % number
        body = bytes([number]) * (number * 10_000)
        assert client.ask(b"POST", b"/", body=body).body == b"/" + body
    assert (origin.opened, origin.handshakes) == (1, 1)
    assert tls_of(proxy)["version"] == version.name.replace("_", ".")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_nginx_sees_our_version_name_and_certificate(
    sightglass, secure_nginx, authority, certificate, version
):
    own = authority.issue()
    nginx = secure_nginx(
        certificate,
        f"ssl_protocols {version}",
        f"ssl_client_certificate {authority.ca.certificate}",
        "ssl_verify_client on",
    )
    proxy = sightglass(
        nginx, tls={**authority.settings, **own.settings, "server_name": "localhost"}
    )
    client = proxy.connect()
    answers = [client.get(b"/tls") for _ in range(3)]
    assert {seen.body for seen in answers} == {
        b"%s . localhost %04X" % (version.encode(), own.serial)
    }
    assert len({seen.one("X-Connection") for seen in answers}) == 1
    body = nginx.write("file.bin", bytes(range(256)) * 4096)
    assert client.get(b"/file.bin").body == body


def test_nginx_answers_itself_where_it_wants_a_certificate(
    sightglass, secure_nginx, authority, certificate
):
    """Without ending TLS: then the answer is the upstream's own."""
    nginx = secure_nginx(
        certificate,
        f"ssl_client_certificate {authority.ca.certificate}",
        "ssl_verify_client on",
    )
    answer = sightglass(nginx, tls=authority.settings).connect().get(b"/tls")
    assert answer.status == 400 and b"No required SSL certificate was sent" in answer.body


def test_a_server_that_insists_on_http_1_1_gets_it(sightglass, openssl_server, authority):
    url = openssl_server("-alpn", "http/1.1", "-www")
    answer = sightglass(url, tls=authority.settings).connect().get(b"/")
    assert answer.status == 200 and b"s_server -accept" in answer.body


@pytest.mark.parametrize(
    "host, server_name, asked",
    [
        ("localhost", None, "localhost"),
        ("127.0.0.1", None, None),
        ("127.0.0.1", "localhost", "localhost"),
        ("localhost", "127.0.0.1", None),
    ],
)
def test_the_name_is_the_urls_host_or_the_one_that_is_said(
    sightglass, secure_serving, authority, host, server_name, asked
):
    """It is asked for by SNI, where it is no address."""
    names = []
    context = authority.server()
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    origin = secure_serving(context)
    tls = dict(authority.settings)
    if server_name is not None:
        tls["server_name"] = server_name
    proxy = sightglass(origin.url.replace("127.0.0.1", host), tls=tls)
    assert proxy.connect().get(b"/x").body == b"/x"
    assert names == [asked]
    assert origin.requests[0].one("Host") == b"sightglass.test"


# As whom


@pytest.mark.parametrize("version", VERSIONS, ids=ids)
def test_our_certificate_is_shown_to_who_wants_it(
    sightglass, secure_serving, authority, version
):
    own = authority.issue()
    origin = secure_serving(authority.server(version=version, wants=authority))
    proxy = sightglass(origin, tls={**authority.settings, **own.settings})
    assert proxy.connect().get(b"/x").body == b"/x"
    assert origin.requests[0].peer.peer_serial == own.serial


def test_our_certificate_is_shown_to_nobody_who_does_not_ask(
    sightglass, secure_serving, authority
):
    origin = secure_serving(authority.server())
    tls = {**authority.settings, **authority.issue().settings}
    assert sightglass(origin, tls=tls).connect().get(b"/x").body == b"/x"
    assert origin.requests[0].peer.peer_serial is None


# Resumed


@pytest.mark.parametrize("version", VERSIONS, ids=ids)
def test_sessions_are_resumed_and_counted(sightglass, secure_serving, authority, version):
    def answer_and_leave(request):
        request.peer.send(build_response(200, b"Connection: close", body=b"once"))
        request.peer.say_farewell()

    own = authority.issue()
    origin = secure_serving(
        authority.server(version=version, wants=authority), answer_and_leave
    )
    proxy = sightglass(origin, tls={**authority.settings, **own.settings})
    client = proxy.connect()
    for _ in range(4):
        assert client.get(b"/x").body == b"once"
    assert (origin.handshakes, origin.resumed) == (4, 3)
    assert {request.peer.peer_serial for request in origin.requests} == {own.serial}
    assert (tls_of(proxy)["handshakes"], tls_of(proxy)["resumed"]) == (4, 3)


def test_a_session_of_another_certificate_is_not_resumed(
    sightglass, secure_serving, authority, tmp_path
):
    """It would be the one who began it."""

    def answer_and_leave(request):
        request.peer.send(build_response(200, b"Connection: close", body=b"once"))
        request.peer.say_farewell()

    first, second = authority.issue(), authority.issue()
    origin = secure_serving(authority.server(wants=authority), answer_and_leave)
    files = Certificate(tmp_path, "own")
    files.copy(first)
    proxy = sightglass(origin, tls={**authority.settings, **files.settings})
    client = proxy.connect()
    assert client.get(b"/x").body == client.get(b"/x").body == b"once"
    assert (origin.handshakes, origin.resumed) == (2, 1)
    files.copy(second)
    proxy.stderr.wait_for(lambda line: "its TLS files are read anew" in line, "the renewal")
    assert client.get(b"/x").body == client.get(b"/x").body == b"once"
    assert (origin.handshakes, origin.resumed) == (4, 2)
    serials = [request.peer.peer_serial for request in origin.requests]
    assert serials == [first.serial] * 2 + [second.serial] * 2


# Handshakes that do not end


@pytest.fixture
def hasty(sightglass, secure_origin, authority):
    """A proxy with half a second to connect, and its upstream."""
    origin = secure_origin(authority.server())
    return sightglass(
        origin, tls=authority.settings, upstream_timeouts={"connect": "500ms"}
    ), origin


def expect_timeout(proxy, client, began):
    response = client.read_response()
    assert response.status == 504
    assert json.loads(response.body)["detail"].endswith(
        ": no end of the handshake within 500 ms (timeouts.connect)"
    )
    assert 0.4 < time.monotonic() - began < 5
    assert failures_of(proxy) == {"connect_timeout": 1}


def test_a_server_that_says_nothing(hasty):
    proxy, origin = hasty
    client = proxy.connect()
    began = time.monotonic()
    client.request()
    peer = origin.accept_plain()
    expect_timeout(proxy, client, began)
    peer.read_to_end()
    assert peer.received[:1] == b"\x16", "our greeting, and then the end"


def test_a_server_that_drips(hasty):
    """Each byte of its greeting is a sign of life, and none is an excuse."""
    proxy, origin = hasty
    client = proxy.connect()
    began = time.monotonic()
    client.request()
    peer = origin.accept_plain()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = origin.context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(peer.read_some())
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    for byte in outgoing.read():
        if not peer.try_send(bytes([byte])):
            break
        time.sleep(0.01)  # some hundred bytes: far longer than there is
    expect_timeout(proxy, client, began)


@pytest.mark.parametrize("part", ["nothing", "half of its greeting"])
@pytest.mark.parametrize("how", ["resets", "closes"])
def test_a_server_that_leaves_within_the_handshake(
    sightglass, secure_origin, authority, part, how
):
    origin = secure_origin(authority.server())
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    client.request()
    peer = origin.accept_plain()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(peer.read_some())
    if part != "nothing":
        server = origin.context.wrap_bio(incoming, outgoing, server_side=True)
        with pytest.raises(ssl.SSLWantReadError):
            server.do_handshake()
        peer.send(outgoing.read()[:500])
    getattr(peer, how.removesuffix("s"))()
    response = client.read_response()
    assert response.status == 502
    assert json.loads(response.body)["detail"] == (
        f"upstream api: TLS with 127.0.0.1:{origin.port}: it "
        + {
            "resets": "broke the connection within the handshake: connection reset by peer",
            "closes": "closed the connection within the handshake",
        }[how]
    )
    assert failures_of(proxy) == {"tls": 1}


# Answers that are cut off, and answers that only end


@pytest.fixture
def played(sightglass, secure_origin, authority):
    """A proxy, its client that has asked, and the upstream's end that has read it."""
    origin = secure_origin(authority.server())
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: played")
    peer = origin.accept()
    peer.read_request()
    return proxy, client, peer


def error_of(proxy):
    record = proxy.inspector.record("played", "upstream_failed")
    assert proxy.access_log(request_id="played")["error"] == record["error"]
    return record["error"]


def test_a_reset_before_the_answer_is_a_502(played):
    proxy, client, peer = played
    peer.reset()
    response = client.read_response()
    assert response.status == 502
    assert json.loads(response.body)["detail"] == error_of(proxy) == (
        "upstream api broke the connection before it answered: connection reset by peer"
    )


@pytest.mark.parametrize("bytes_sent", [1, 4096, 100_000])
def test_a_reset_within_the_answer_reaches_the_client(played, bytes_sent):
    proxy, client, peer = played
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 200000"]))
    peer.send(KEPT[:bytes_sent])
    assert client.read_head().status == 200
    assert client.read_exactly(bytes_sent) == KEPT[:bytes_sent]
    peer.reset()
    assert client.expect_end() == "reset"
    assert error_of(proxy) == (
        "upstream api broke the connection within its answer: connection reset by peer"
    )


@pytest.mark.parametrize("version", VERSIONS, ids=ids)
def test_a_body_that_a_farewell_ends_is_complete(
    sightglass, secure_origin, authority, version
):
    origin = secure_origin(authority.server(version=version))
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: whole")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", []) + KEPT)
    peer.say_farewell()
    assert client.read_response().body == KEPT
    record = proxy.inspector.record("whole", "complete")
    assert record["error"] in ("", None) and record["response_size_bytes"] == len(KEPT)


@pytest.mark.parametrize("version", VERSIONS, ids=ids)
def test_a_body_that_ends_without_a_farewell_never_looks_complete(
    sightglass, secure_origin, authority, version
):
    origin = secure_origin(authority.server(version=version))
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    client.request(b"GET", b"/", b"X-Request-ID: played")
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", []) + KEPT)
    head = client.read_head()
    assert head.members("Transfer-Encoding") == [b"chunked"]
    peer.half_close()  # of the socket beneath
    client.read_to_end()
    assert client.ending == "reset"
    assert not client.received.endswith(LAST_CHUNK)
    assert error_of(proxy) == (
        "upstream api closed the connection within its answer, "
        "without the farewell of TLS (close_notify)"
    )


@pytest.mark.parametrize(
    "answer",
    [
        build(b"HTTP/1.1 200 OK", [b"Content-Length: 8"]) + b"half",
        build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]) + chunk(b"half"),
    ],
    ids=["a length", "chunks"],
)
def test_a_farewell_does_not_complete_what_has_a_length(played, answer):
    proxy, client, peer = played
    peer.send(answer)
    client.read_head()
    client.read_until(b"half")
    peer.say_farewell()
    client.read_to_end()
    assert client.ending == "reset"
    assert error_of(proxy) == "upstream api closed the connection within its answer"


def test_a_whole_answer_needs_no_farewell(played):
    proxy, client, peer = played
    peer.send(build_response(200, body=KEPT))
    peer.half_close()
    assert client.read_response().body == KEPT
    proxy.inspector.record("played", "complete")


@pytest.mark.parametrize("farewell", [True, False])
def test_an_idle_connection_that_its_server_ends_is_replaced(
    sightglass, secure_origin, authority, farewell
):
    origin = secure_origin(authority.server())
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    for _ in range(3):
        client.request()
        peer = origin.accept()
        peer.serve(body=b"fine")
        assert client.read_response().body == b"fine"
        if farewell:
            peer.say_farewell()
        peer.close()
    assert failures_of(proxy) == {}


# Tunnels


def test_a_websocket_goes_through_to_an_upstream_over_tls(
    sightglass, secure_origin, authority
):
    origin = secure_origin(authority.server())
    proxy = sightglass(origin, tls=authority.settings)
    client = proxy.connect()
    client.send(build_request(b"GET", b"/ws", *HANDSHAKE))
    peer = origin.accept()
    peer.read_request_head()
    peer.send(SWITCHING + b"first words")
    assert client.read_head().status == 101
    assert client.read_exactly(11) == b"first words"
    client.send(KEPT)
    assert peer.read_exactly(len(KEPT)) == KEPT
    peer.send(b"bye")
    peer.say_farewell()
    assert client.read_to_end() == b"bye"
    assert client.ending == "fin"
