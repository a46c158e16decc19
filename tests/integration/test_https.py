"""HTTPS: what clients meet on a listener that has a certificate."""

import asyncio
import contextlib
import json
import os
import random
import signal
import ssl
import subprocess
import threading

import pytest

from harness.inspector_client import Inspector
from harness.messages import LAST_CHUNK, build, build_request, build_response, chunk
from harness.process import run
from harness.tls_client import connect_tls
from harness.tls_wire import CUT, VERSIONS
from harness.tunnel import HANDSHAKE, SWITCHING
from harness.websocket_origin import connect

MIB = 1 << 20


def tls_config(certificate, **more):
    return {"tls": certificate.settings, **more}


@pytest.fixture
def https(sightglass, origin, certificate):
    """One process with a certificate, in front of an upstream that the test plays."""
    return sightglass(origin, config=tls_config(certificate))


@pytest.fixture
def context(authority):
    return authority.client()


def said(proxy, *words):
    """The first line of the log that has all of these words, waited for."""
    return proxy.stderr.wait_for(
        lambda line: all(word in line for word in words) and line, f"line with {words}"
    )


# Requests


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_requests_follow_one_another_on_a_connection(
    sightglass, serving, authority, certificate, version
):
    upstream = serving(lambda request: build_response(200, body=request.target + request.body))
    proxy = sightglass(upstream, config=tls_config(certificate))
    client = connect_tls(proxy, authority.client(version))
    assert client.sock.version() == version.name.replace("_", ".")
    for number in range(5):
        assert client.get(b"/%d" % number).body == b"/%d" % number
        body = bytes([number]) * (number * 10_000)
        assert client.ask(b"POST", b"/", body=body).body == b"/" + body
    assert upstream.opened == 1


@pytest.mark.parametrize("workers", [1, 3])
def test_many_clients_are_served_side_by_side(
    sightglass, serving, certificate, context, workers
):
    proxy = sightglass(serving(), workers=workers, config=tls_config(certificate))
    clients = [connect_tls(proxy, context) for _ in range(24)]
    for number, client in enumerate(clients):
        client.request(b"GET", b"/%d" % number)
    for number, client in enumerate(clients):
        assert client.read_response().body == b"/%d" % number


def test_bytes_may_come_one_record_each(https, origin, context):
    client = connect_tls(https, context)
    client.send_byte_by_byte(build_request(b"POST", b"/slow", body=b"drips"))
    peer, request = origin.next_request()
    assert request.body == b"drips"
    peer.respond(body=b"drop")
    assert client.read_response().body == b"drop"


def test_requests_may_come_in_one_record(https, origin, context):
    client = connect_tls(https, context)
    client.send(b"".join(build_request(b"GET", b"/%d" % number) for number in range(3)))
    for number in range(3):
        peer, request = origin.next_request()
        assert request.target == b"/%d" % number
        peer.respond(body=request.target)
        assert client.read_response().body == b"/%d" % number


def test_curl_is_content(sightglass, serving, authority, certificate):
    """It offers HTTP/2 first, where it can."""
    proxy = sightglass(serving(), config=tls_config(certificate))
    for host in ("localhost", "127.0.0.1"):
        result = subprocess.run(
            ["curl", "-sS", "--cacert", authority.ca.certificate, "-w", " %{http_version}",
             f"https://{host}:{proxy.port}/seen", f"https://{host}:{proxy.port}/again"],
            capture_output=True,
            text=True,
            env={**os.environ, "no_proxy": "*"},
        )  # fmt: skip
        assert (result.stdout, result.stderr) == ("/seen 1.1/again 1.1", "")


def test_an_absolute_target_of_https_is_taken(https, origin, context):
    client = connect_tls(https, context)
    client.send(build(b"GET https://a/x HTTP/1.1", [b"Host: a:443"]))
    origin.accept().serve(body=b"fine")
    assert client.read_response().body == b"fine"


# What the others learn of it


def test_upstream_and_record_learn_that_it_was_https(https, origin, context):
    client = connect_tls(https, context)
    client.request(b"GET", b"/", b"X-Request-ID: secret", b"X-Forwarded-Proto: http")
    request = origin.accept().serve(body=b"fine")
    client.read_response()
    assert request.one("X-Forwarded-Proto") == b"https"
    assert secure_inspector(https, context).record("secret")["scheme"] == "https"


def test_a_unix_listener_stays_plain(sightglass, origin, certificate, context, tmp_path):
    listen = ["127.0.0.1:0", f"unix:{tmp_path}/in.sock"]
    proxy = sightglass(origin, listen=listen, config=tls_config(certificate))
    client = proxy.connect(1)
    client.request(b"GET", b"/", b"X-Request-ID: plain")
    peer, request = origin.next_request()
    peer.respond(body=b"fine")
    assert client.read_response().body == b"fine"
    assert request.one("X-Forwarded-Proto") == b"http"
    assert secure_inspector(proxy, context).record("plain")["scheme"] == "http"


# The inspector


def secure_inspector(proxy, context, index=0):
    return Inspector("localhost", proxy.address(index)[1], context=context)


def test_the_inspector_and_its_panel_answer_over_https(https, context):
    inspector = secure_inspector(https, context)
    assert inspector.json("/api/requests")["items"] == []
    panel = inspector.get("/", Accept="text/html")
    assert panel.status == 200 and b"<html" in panel.body
    said(https, f"inspector: https://127.0.0.1:{https.port}/_inspector/")


def test_its_own_origin_is_the_one_of_https(https, context):
    inspector = secure_inspector(https, context)
    own = f"//localhost:{https.port}"
    clear = "/api/requests"
    assert inspector.ask("DELETE", clear, {"Origin": "https:" + own}).status in (200, 204)
    assert inspector.ask("DELETE", clear, {"Origin": "http:" + own}).status == 403


def test_the_cookie_is_for_https_alone(sightglass, origin, certificate, context):
    proxy = sightglass(origin, "--inspector-token", "t0ken", config=tls_config(certificate))
    answer = secure_inspector(proxy, context).get("/?token=t0ken")
    assert answer.status in (302, 303, 307)
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_a_listener_of_the_inspectors_own_has_the_certificate_too(
    sightglass, origin, certificate, context
):
    proxy = sightglass(
        origin, "--inspector-listen", "127.0.0.1:0", listeners=2, config=tls_config(certificate)
    )
    assert secure_inspector(proxy, context, 1).get("/healthz").status == 200


# The handshake


def ask_once(proxy, context, session=None):
    """One request on a connection of its own; what is needed to resume its session."""
    client = connect_tls(proxy, context, session=session)
    assert client.get(b"/x").body == b"/x"  # the tickets of TLS 1.3 have come before
    reused, session = client.sock.session_reused, client.sock.session
    client.sock.unwrap()  # OpenSSL holds the session for spoilt where nobody said farewell
    client.close()
    return reused, session


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_session_is_resumed_whichever_worker_it_meets(
    sightglass, serving, authority, certificate, version, workers
):
    proxy = sightglass(serving(), workers=workers, config=tls_config(certificate))
    context = authority.client(version)
    reused, session = ask_once(proxy, context)
    assert not reused
    for _ in range(6):
        reused, session = ask_once(proxy, context, session)
        assert reused


@pytest.mark.parametrize(
    "offered, chosen",
    [
        (["http/1.1"], "http/1.1"),
        (["h2", "http/1.1"], "http/1.1"),
        (["http/1.0", "http/1.1", "h3"], "http/1.1"),
        (None, None),
    ],
)
def test_http_1_1_is_chosen_from_what_is_offered(
    sightglass, serving, authority, certificate, offered, chosen
):
    proxy = sightglass(serving(), config=tls_config(certificate))
    client = connect_tls(proxy, authority.client(protocols=offered))
    assert client.sock.selected_alpn_protocol() == chosen
    assert client.get(b"/x").body == b"/x"


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_who_wants_http_2_alone_is_told_in_the_handshake(https, authority, version):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect_tls(https, authority.client(version, ["h2"]))
    said(https, "client 127.0.0.1: TLS: the peer offers protocols by ALPN")


def test_a_client_that_does_not_trust_us_is_named_in_the_log(https):
    with pytest.raises(ssl.SSLCertVerificationError):
        connect_tls(https, ssl.create_default_context(cafile=None))
    said(https, "client 127.0.0.1: TLS: the peer refused the handshake", "unknown CA")


def greeting(context):
    """A client's first message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("part", ["nothing", "half of the greeting", "the greeting"])
def test_a_handshake_that_is_never_finished_has_an_end(
    sightglass, origin, certificate, context, part
):
    proxy = sightglass(origin, config=tls_config(certificate, timeouts={"header": "300ms"}))
    client = proxy.connect()
    hello = greeting(context)
    client.send(
        {"nothing": b"", "half of the greeting": hello[:100], "the greeting": hello}[part]
    )
    client.read_to_end()  # the deadline is far below timeouts.keep_alive
    assert client.ending == "fin"


def test_a_handshake_that_drips_has_an_end_all_the_same(sightglass, origin, certificate, context):
    proxy = sightglass(origin, config=tls_config(certificate, timeouts={"header": "500ms"}))
    client = proxy.connect()
    hello = greeting(context)
    pause = threading.Event()
    for position in range(len(hello) - 1):
        if not client.try_send(hello[position : position + 1]):
            break
        pause.wait(0.02)
    client.read_to_end()


def test_an_idle_client_has_the_time_of_a_plain_one(sightglass, origin, certificate, context):
    """And not that of a handshake."""
    proxy = sightglass(
        origin,
        config=tls_config(certificate, timeouts={"header": "10s", "keep_alive": "300ms"}),
    )
    assert connect_tls(proxy, context).expect_end() == "fin"


PLAIN = (
    "plain HTTP came to a listener of HTTPS; a URL that begins with https:// would be right"
)


@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE", b"OPTIONS", b"PRI", b"X"])
def test_who_speaks_plain_http_is_told_in_plain_http(https, origin, context, method):
    client = https.connect()
    client.request(method, b"/private")
    answer = client.read_response()
    assert answer.status == 400 and answer.one("Content-Type") == b"application/problem+json"
    assert json.loads(answer.body)["detail"] == PLAIN
    assert answer.members("Connection") == [b"close"]
    client.half_close()
    assert client.expect_end() == "fin"
    line = https.access_log(status=400)
    assert line["error"] == PLAIN and line["request_id"] == answer.request_id
    record = secure_inspector(https, context).record(answer.request_id)
    assert (record["status"], record["scheme"], record["error"]) == (400, "http", PLAIN)
    assert not origin.waiting()
    client = connect_tls(https, context)
    client.request()
    origin.accept().serve(body=b"fine")
    assert client.read_response().body == b"fine"


def test_plain_http_may_come_byte_by_byte_or_with_much_behind_it(https):
    client = https.connect()
    client.send_byte_by_byte(build_request(b"GET", b"/slow"))
    assert client.read_response().status == 400
    client = https.connect()
    client.send(build_request(b"POST", b"/", b"Content-Length: %d" % MIB))
    client.try_send(bytes(MIB))
    assert client.read_response().status == 400


def test_plain_http_of_one_too_many_is_told_the_same(sightglass, origin, certificate, context):
    proxy = sightglass(origin, config=tls_config(certificate, limits={"connections": 1}))
    first = connect_tls(proxy, context)
    second = proxy.connect()
    second.request()
    assert second.read_response().status == 400
    first.request()
    origin.accept().serve(body=b"fine")
    assert first.read_response().body == b"fine"


@pytest.mark.parametrize("words", [bytes(20), b"get / http\r\n\r\n", b"\xff" * 20])
def test_who_speaks_neither_is_left(https, words):
    client = https.connect()
    client.send(words)
    assert b"HTTP/1.1" not in client.read_to_end()
    said(https, "client 127.0.0.1: TLS: the peer speaks no TLS")


def test_who_leaves_before_a_word_is_not_worth_a_line(https, context):
    """As a kubelet's TCP probe does."""
    https.connect().close()
    assert secure_inspector(https, context).get("/healthz").status == 200  # one worker
    assert not [line for line in https.stderr.lines if "TLS" in line]


@pytest.mark.parametrize("seed", range(12))
def test_garbage_ends_its_own_connection_and_nothing_else(https, origin, context, seed):
    chance = random.Random(seed)
    hello = bytearray(greeting(context))
    for _ in range(chance.randrange(1, 8)):
        hello[chance.randrange(len(hello))] = chance.randrange(256)
    for data in (
        chance.randbytes(1000),
        b"\x16\x03\x01" + chance.randbytes(1000),
        b"\x17\x03\x03\x40\x00" + chance.randbytes(0x4000),
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x80\x2e\x01\x03\x01" + chance.randbytes(100),
        bytes(hello) + chance.randbytes(200),
    ):
        client = https.connect()
        client.try_send(data)
        with contextlib.suppress(OSError):
            client.half_close()
        client.read_to_end()
    client = connect_tls(https, context)
    os.write(client.sock.fileno(), b"\x17\x03\x03\x00\x40" + chance.randbytes(0x40))
    with contextlib.suppress(ssl.SSLError):
        client.read_to_end()
    assert https.alive()
    client = connect_tls(https, context)
    client.request()
    origin.next_request()[0].respond(body=b"fine")
    assert client.read_response().body == b"fine"


# Ends


def test_the_connections_end_is_told_with_a_farewell(https, origin, context):
    client = connect_tls(https, context)
    client.request(b"GET", b"/", b"Connection: close")
    origin.accept().serve(body=b"last")
    assert client.read_response().body == b"last"
    assert client.expect_end() == "fin"


def test_a_body_that_the_end_delimits_ends_with_a_farewell(https, origin, context):
    client = connect_tls(https, context)
    client.send(build(b"GET / HTTP/1.0", [b"Host: a"]))
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]))
    peer.send(chunk(b"x" * 100_000) + LAST_CHUNK)
    response = client.read_response()
    assert response.body == b"x" * 100_000  # and the reader saw that it ended well


def test_an_answer_that_breaks_off_never_looks_whole(https, origin, context):
    client = connect_tls(https, context)
    client.send(build(b"GET / HTTP/1.0", [b"Host: a"]))
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"]) + chunk(b"half"))
    client.read_head()
    assert client.read_exactly(4) == b"half"
    peer.reset()
    assert client.expect_end() in ("reset", CUT)


@pytest.mark.parametrize("farewell", [True, False])
def test_a_client_that_leaves_cancels_its_exchange(https, origin, context, farewell):
    client = connect_tls(https, context)
    client.request(b"GET", b"/", b"X-Request-ID: left")
    peer = origin.accept()
    peer.read_request()
    if farewell:
        client.say_farewell()
    else:
        client.half_close()  # of the socket beneath
    peer.read_to_end()
    line = https.access_log(request_id="left")
    assert line["state"] == "client_aborted"
    assert ("before it had its answer" if farewell else "close_notify") in line["error"]


def test_one_connection_too_many_gets_its_503_over_tls(
    sightglass, origin, certificate, context
):
    proxy = sightglass(origin, config=tls_config(certificate, limits={"connections": 1}))
    first = connect_tls(proxy, context)
    second = connect_tls(proxy, context)
    response = second.read_response()
    assert response.status == 503 and response.has("Retry-After")
    assert b"limits.connections" in response.body
    assert second.expect_end() == "fin"
    first.request()
    origin.accept().serve(body=b"fine")
    assert first.read_response().body == b"fine"


# Draining


def test_draining_lets_answers_finish_and_handshakes_go(https, origin, context):
    client = connect_tls(https, context)
    client.request()
    peer = origin.accept()
    peer.read_request()
    peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: 8"]) + b"half")
    client.read_head()
    assert client.read_exactly(4) == b"half"
    within = https.connect()
    within.send(greeting(context)[:100])
    silent = https.connect()
    idle = connect_tls(https, context)
    https.signal(signal.SIGTERM)
    for other in (within, silent, idle):
        assert other.expect_end() == "fin"
    assert https.alive()
    peer.send(b"rest")
    assert client.read_exactly(4) == b"rest"
    assert client.expect_end() == "fin"
    assert https.wait() == 0


# Much


def pattern(size):
    return random.Random(7).randbytes(MIB) * (size // MIB)


def measured(proxy, function):
    """By how much the process grew at most meanwhile, in KiB."""
    proxy.forget_peak_memory()
    before = proxy.memory_kib()
    function()
    if os.environ.get("SIGHTGLASS_SANITIZED") == "1":
        return 0  # it has memory of its own
    return proxy.peak_memory_kib() - before


def in_background(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


HELD_KIB = 12 << 10  # the capture's 4 MiB among it


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_large_answer_in_bounded_memory(sightglass, origin, authority, certificate, version):
    proxy = sightglass(origin, "--capture-memory", "4MiB", config=tls_config(certificate))
    client = connect_tls(proxy, authority.client(version))
    body = pattern(50 * MIB)
    received = bytearray()

    def download():
        client.request()
        peer = origin.accept()
        peer.read_request()
        peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % len(body)]))
        sender = in_background(peer.sock.sendall, body)
        client.read_head()
        client.count_to(len(body), received.extend)
        sender.join()

    assert measured(proxy, download) < HELD_KIB
    assert received == body


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_large_request_in_bounded_memory(sightglass, origin, authority, certificate, version):
    proxy = sightglass(origin, "--capture-memory", "4MiB", config=tls_config(certificate))
    client = connect_tls(proxy, authority.client(version))
    body = pattern(50 * MIB)
    received = bytearray()

    def upload():
        client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % len(body)))
        sender = in_background(client.send, body)
        peer = origin.accept()
        peer.read_request_head()
        peer.count_to(len(body), received.extend)
        sender.join()
        peer.respond(body=b"done")

    assert measured(proxy, upload) < HELD_KIB
    assert client.read_response().body == b"done"
    assert received == body


def test_a_client_that_stops_reading_stops_the_upstream(https, origin, context):
    total = 256 * MIB
    client = connect_tls(https, context, receive_buffer=1 << 16)
    client.request()
    peer = origin.accept()
    peer.read_request()

    def push():
        nonlocal sent
        peer.send(build(b"HTTP/1.1 200 OK", [b"Content-Length: %d" % total]))
        client.read_head()
        sent = peer.push_until_stalled(total)

    sent = 0
    assert measured(https, push) < 8 << 10
    assert sent < total, "the client reads nothing, and the upstream was never stopped"
    client.count_to(sent)


def test_an_upstream_that_stops_reading_stops_the_client(
    sightglass, small_buffers, certificate, context
):
    total = 64 * MIB
    proxy = sightglass(small_buffers, config=tls_config(certificate))
    client = connect_tls(proxy, context)
    client.send(build_request(b"POST", b"/up", b"Content-Length: %d" % total))
    peer = small_buffers.accept()
    peer.read_request_head()
    sent = 0

    def push():
        nonlocal sent
        client.sock.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while sent < total:
                client.send(bytes(1 << 16))
                sent += 1 << 16

    assert measured(proxy, push) < 8 << 10
    assert sent < total, "the upstream reads nothing, and the client was never stopped"
    peer.count_to(sent)


@pytest.mark.slow
def test_idle_clients_take_little(sightglass, serving, certificate, context):
    proxy = sightglass(serving(), config=tls_config(certificate))
    assert connect_tls(proxy, context).get().status == 200
    before = proxy.memory_kib()
    count = 300
    for _ in range(count):
        assert connect_tls(proxy, context).get().status == 200
    assert proxy.memory_kib() - before < count * 24


# Tunnels


def test_a_websocket_works_over_tls(sightglass, websocket_origin, certificate, context):
    proxy = sightglass(websocket_origin, config=tls_config(certificate))
    big = random.Random(1).randbytes(MIB)

    async def talk():
        async with connect(
            f"wss://localhost:{proxy.port}/chat",
            ssl=context,
            max_size=1 << 24,
            extra_headers={"X-Request-ID": "chat"},
        ) as socket:
            for message in ("hello", "", "ümlaut ✓", b"\x00\x01", big):
                await socket.send(message)
                assert await socket.recv() == message
            await (await socket.ping())
        return True

    assert asyncio.run(asyncio.wait_for(talk(), 30))
    line = proxy.access_log(request_id="chat")
    assert (line["status"], line["state"]) == (101, "tunnel") and not line["error"]
    assert line["request_bytes"] > len(big) and line["response_bytes"] > len(big)


def test_an_end_on_one_side_of_a_tunnel_ends_the_other(https, origin, context):
    client = connect_tls(https, context)
    client.send(build_request(b"GET", b"/ws", *HANDSHAKE))
    peer = origin.accept()
    peer.read_request_head()
    peer.send(SWITCHING + b"first words")
    assert client.read_head().status == 101
    assert client.read_exactly(11) == b"first words"
    client.send(b"hello")
    assert peer.read_exactly(5) == b"hello"
    peer.send(b"bye")
    peer.close()
    assert client.read_to_end() == b"bye"
    assert client.ending == "fin"


# --check


def test_check_prints_the_files_and_counts_their_memory(tmp_path, certificate):
    def check(**settings):
        config = tmp_path / "check.json"
        config.write_text(
            json.dumps(
                {
                    "limits": {"connections": 1000},
                    "upstreams": [{"url": "http://127.0.0.1:9"}],
                    **settings,
                }
            )
        )
        return run("--check", "--config", str(config))

    result = check(**tls_config(certificate))
    assert result.returncode == 0, result.stderr
    assert f"certificate: {certificate.certificate}" in result.stdout
    assert f"key: {certificate.key}" in result.stdout
    words = "can take with these settings: "
    plain, secured = (
        float(text.partition(words)[2].partition(" MiB")[0])
        for text in (check().stdout, result.stdout)
    )
    assert secured >= plain + 1000 * 64 / 1024
