"""The curl command of a captured request, run by a real shell: what comes to the upstream is what
came the first time, whatever was in it, and nothing else happens."""

import gzip
import json
import os
import shutil
import subprocess
import time

import pytest

from harness.messages import HOST, build, build_response
from harness.serving import ServingOrigin
from harness.wire import DEADLINE_S, until

# What the proxy adds, or names anew for each request.
OF_THE_PROXY = {
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"via",
    b"traceparent",
    b"x-request-id",
}
# What curl says in its own way.
OF_CURL = {b"content-length", b"transfer-encoding", b"expect"}


@pytest.fixture(scope="module")
def between(shared_sightglass):
    """A proxy in front of an upstream that writes down what it gets."""
    upstream = ServingOrigin(lambda request: build_response(200, body=b"ok"))
    proxy = shared_sightglass(upstream)
    proxy.upstream = upstream
    yield proxy
    upstream.close()


def run(command, folder, shell="sh"):
    """In an empty folder, whose listing shows whether something else ran."""
    folder = folder / "empty"
    folder.mkdir(exist_ok=True)
    script = command.encode()
    # What an interactive shell does with '!' it does with lines that it reads.
    is_read = len(script) > 100_000 or shell.endswith(" -i")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        shell.split() if is_read else [shell, "-c", script],
        input=script if is_read else None,
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, (done.stderr, command)
    assert os.listdir(folder) == [], "the command did more than to send a request"
    return done.stdout


def host_of(proxy):
    return b"127.0.0.1:%d" % proxy.port


def send(proxy, method, target, fields, body=None):
    """Sends exactly these fields, beside Host and framing; returns what the upstream got, and the
    command."""
    request_id = f"curl-{time.monotonic_ns()}"
    lines = [b"Host: " + host_of(proxy), *fields, b"X-Request-ID: " + request_id.encode()]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    client = proxy.connect()
    client.send(build(b"%s %s HTTP/1.1" % (method, target), lines, body or b""))
    client.read_response(method)
    client.close()
    proxy.inspector.record(request_id)
    answer = proxy.inspector.get(f"/api/requests/{request_id}/curl")
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return proxy.upstream.requests[-1], answer.body.decode("utf-8")


def again(proxy, command, folder, shell="sh"):
    before = len(proxy.upstream.requests)
    run(command, folder, shell)
    assert len(proxy.upstream.requests) == before + 1
    return proxy.upstream.requests[-1]


def end_to_end(request):
    """The fields that have to be the same, in their order."""
    return [
        (name, value)
        for name, value in request.fields
        if name.lower() not in OF_THE_PROXY | OF_CURL and name.lower() != b"host"
    ]


def expect_same(first, second):
    assert second.start_line == first.start_line
    assert second.all("Host") == first.all("Host")
    assert end_to_end(second) == end_to_end(first)
    assert second.body == first.body


NAUGHTY = b"""it's "$(touch ran)" `touch ran` !! !x ${HOME} $HOME * ? [a-z] ~ # \\ \\' ; & | < > %s %n -"""
JSON = json.dumps({"text": "it's\n$(touch ran)\t\"é😀\"", "path": "C:\\x"}, ensure_ascii=False,
                  indent=2).encode()

TARGETS = [
    b"/",
    b"/a?b=c&d=e",
    b"/$(touch%20ran)/`touch`/'x'?a='b'&c=$(touch${IFS}ran)",
    b"/!!/!x?~",
    b"/a[1-3]/{b,c}?d={e}&f[]=g&h[i]=j",
    b"/a/../b/./c/%2e%2e/d",
    b"/..",
    b"//double//slashes/",
    b"/?",
    b"/a%0ab%00c%27%22%20?x=%0a%0d%20",
    b'/"<>^`{|}\\?"<>^`{|}\\',
    b"/*?*=*",
    b"/-X?-H=--data",
    b"/" + b"long/" * 800,
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: repr(target[:40]))
def test_targets_stay_byte_for_byte(between, tmp_path, target):
    first, command = send(between, b"GET", target, [b"Accept: */*", b"User-Agent: test"])
    assert first.target == target
    expect_same(first, again(between, command, tmp_path))


FIELDS = {
    "none": [],
    "curl's own": [b"Accept: application/json", b"User-Agent: a/1", b"Content-Type: text/plain"],
    "empty": [b"Accept:", b"User-Agent:", b"X-Empty:", b"Content-Type:"],
    "duplicates": [b"X-A: 2", b"Accept: a", b"X-A: 1", b"Accept: b", b"X-A: 2"],
    "naughty": [b"X-Naughty: " + NAUGHTY, b"User-Agent: " + NAUGHTY],
    "leading": [b"X-A: -X", b"X-B: @/etc/passwd", b"X-C: --data", b"-X-D: -", b"X-E: ;", b"X-F: :"],
    "names": [b"!#$%&'*+-.^_`|~: odd", b"'': quotes", b"`id`: x", b"$IFS: y", b"*: z"],
    "bytes": [b"X-Latin: caf\xe9 it's", b"X-Unicode: \xf0\x9f\x98\x80", b"X-Tab: a\tb",
              b"X-C1: \xc2\x9b31m", b"X-Cut: \xc3"],
    "coded": [b"Accept-Encoding: gzip, br"],
    "browser": [b'sec-ch-ua: "Chromium";v="118", "Not=A?Brand";v="99"', b"Accept-Language: de",
                b"If-None-Match: W/\"x'y\"", b"Range: bytes=0-10", b"Referer: http://x/?a=b'c"],
    "named by Connection": [b"Connection: close"],
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_fields_stay_in_order_with_their_duplicates(between, tmp_path, method, fields):
    body = b"x" if method == b"POST" else None
    first, command = send(between, method, b"/fields", fields, body)
    expect_same(first, again(between, command, tmp_path))


BODIES = {
    "nothing": b"",
    "json": JSON,
    "naughty": NAUGHTY,
    "file": b"@/etc/passwd",
    "file that is not there": b"@nowhere",
    "option": b"--data=x",
    "dash": b"-",
    "quotes": b"'" * 50,
    "line ends": b"\n\na\n\n",
    "carriage returns": b"a\r\nb\r\n",
    "form": b"a=b&c=%27d%27&e=f+g",
    "nul": b"\0",
    "nul and text": b"-n %s %% \\ \\n '\0' 0\x007",
    "every byte": bytes(range(256)) * 2,
    "escape": b"\x1b]0;title\x07 text",
    "latin 1": b"caf\xe9",
    "cut character": "é".encode()[:1],
    "unicode": "é😀\u2028\u202e".encode(),
    "long text": ("it's " + "é" * 100 + "\n").encode() * 700,
    "long bytes": os.urandom(100_000),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_stay_byte_for_byte(between, tmp_path, body):
    first, command = send(between, b"POST", b"/body", [b"Content-Type: application/json"], body)
    assert first.body == body
    second = again(between, command, tmp_path)
    expect_same(first, second)
    assert second.one("Content-Length") == b"%d" % len(body)
    assert not second.has("Expect")


@pytest.mark.parametrize("shell", ["dash", "bash", "bash -i", "busybox", "zsh", "ksh"])
def test_other_shells_read_it_the_same_way(between, tmp_path, shell):
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"no {shell} here")
    body = NAUGHTY + bytes(range(256))
    fields = [b"X-Naughty: " + NAUGHTY, b"X-Latin: \xe9'"]
    first, command = send(between, b"PUT", b"/a[1]'$(touch%20ran)'", fields, body)
    if shell == "busybox":
        shell, command = "sh", f"exec busybox sh <<'END-OF-COMMAND'\n{command}END-OF-COMMAND\n"
    expect_same(first, again(between, command, tmp_path, shell))


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE", b"PATCH", b"PUT", b"OPTIONS",
                                    b"PROPFIND", b"get", b"it's`|!$"])
def test_methods(between, tmp_path, method):
    first, command = send(between, method, b"/method", [b"Accept: */*"])
    expect_same(first, again(between, command, tmp_path))
    if method != b"HEAD":
        first, command = send(between, method, b"/method", [b"Accept: */*"], b"a body")
        expect_same(first, again(between, command, tmp_path))


def test_options_of_the_server_itself(between, tmp_path):
    first, command = send(between, b"OPTIONS", b"*", [])
    assert first.target == b"*"
    expect_same(first, again(between, command, tmp_path))


def test_chunks_become_a_length_and_the_connections_fields_go(between, tmp_path):
    lines = [b"Host: " + host_of(between), b"X-Request-ID: chunked", b"Connection: X-Hop",
             b"X-Hop: 1", b"TE: trailers", b"Transfer-Encoding: chunked", b"X-End: 2"]
    client = between.connect()
    client.send(build(b"POST /chunked HTTP/1.1", lines, b"3\r\nit'\r\n2\r\ns\n\r\n0\r\nX-T: 1\r\n\r\n"))
    client.read_response()
    between.inspector.record("chunked")
    command = between.inspector.get("/api/requests/chunked/curl").body.decode()
    assert command.startswith("# The trailers are left out")
    assert "X-Hop" not in command and "TE:" not in command and "Transfer" not in command
    first, second = between.upstream.requests[-1], again(between, command, tmp_path)
    assert second.body == first.body == b"it's\n" and second.one("Content-Length") == b"5"
    assert end_to_end(second) == [(b"X-End", b"2")]


def test_version_1_0_and_another_host(between, tmp_path):
    client = between.connect()
    client.send(build(b"GET /old HTTP/1.0", [b"Host: Some.Where:80", b"X-Request-ID: old"]))
    client.read_response()
    between.inspector.record("old")
    command = between.inspector.get("/api/requests/old/curl").body.decode()
    assert "'http://Some.Where:80/old'" in command and "--http1.0" in command
    first = between.upstream.requests[-1]
    connect = f" --connect-to ::127.0.0.1:{between.port}"
    second = again(between, command.replace(" \\\n", connect + " \\\n", 1), tmp_path)
    expect_same(first, second)
    assert second.one("Host") == b"Some.Where:80"


def test_what_is_secret_is_not_in_it_and_is_told(between):
    fields = [b"Authorization: Bearer s3cret", b"Cookie: a=s3cret; b=s3cret", b"X-API-Key: s3cret",
              b"Referer: http://x/?token=s3cret"]
    _, command = send(between, b"GET", b"/secret?token=s3cret&b=c", fields)
    assert "s3cret" not in command
    assert command.startswith(
        "# Redacted, so not as it was sent: the query, Authorization, Cookie, X-API-Key, Referer.\n"
    )
    assert "-H 'Authorization: [redacted]'" in command
    assert "/secret?token=[redacted]&b=c'" in command and "--globoff" in command


def test_a_coded_body_is_sent_as_it_was(between, tmp_path):
    coded = gzip.compress(b"a text that was coded " * 50)
    first, command = send(between, b"POST", b"/coded", [b"Content-Encoding: gzip"], coded)
    assert "#" not in command
    expect_same(first, again(between, command, tmp_path))


def test_a_coded_body_with_a_secret_is_sent_decoded(between, tmp_path):
    coded = gzip.compress(b'{"password": "s3cret"}')
    fields = [b"Content-Encoding: gzip", b"Content-Type: application/json"]
    _, command = send(between, b"POST", b"/coded", fields, coded)
    assert command.startswith(
        "# Redacted, so not as it was sent: the body.\n"
        "# The body is decoded, and Content-Encoding is left out: gzip.\n"
    )
    second = again(between, command, tmp_path)
    assert second.body == b'{"password": "[redacted]"}' and not second.has("Content-Encoding")


def test_a_coding_that_is_not_known_is_not_shown(between):
    _, command = send(between, b"POST", b"/coded", [b"Content-Encoding: secret"], b"s3cret")
    assert command.startswith("# The body: its coding is none of") and "s3cret" not in command


def test_a_body_that_was_cut_is_told(sightglass, serving, tmp_path):
    upstream = serving()
    proxy = sightglass(upstream, config={"inspector": {"capture": {"body": "1KiB"}}})
    client = proxy.connect()
    client.ask(b"POST", b"/cut", b"X-Request-ID: cut", body=b"x" * 5000)
    proxy.inspector.record("cut")
    command = proxy.inspector.get("/api/requests/cut/curl").body.decode()
    assert command.startswith("# The body is cut: 1024 of 5000 bytes were kept.\n")
    command = command.replace(HOST.decode(), f"127.0.0.1:{proxy.port}")
    run(command, tmp_path)
    assert upstream.requests[-1].body == b"x" * 1024


def test_a_websocket_handshake_is_told(sightglass, websocket_origin):
    proxy = sightglass(websocket_origin)
    client = proxy.connect()
    client.send(build(b"GET /ws HTTP/1.1", [
        b"Host: " + host_of(proxy), b"X-Request-ID: ws", b"Connection: Upgrade",
        b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]))
    until(lambda: proxy.inspector.get("/api/requests/ws").status == 200, "the record")
    command = proxy.inspector.get("/api/requests/ws/curl").body.decode()
    assert command.startswith("# A WebSocket handshake")
    assert "Upgrade:" not in command and "Sec-WebSocket-Key" in command
    client.close()


def test_a_request_that_was_refused_is_shown_as_it_came(between):
    client = between.connect()
    client.send(b"GET /a#$(touch\x07 HTTP/1.1\r\nHost: x\r\nX-Request-ID: refused\r\n\r\n")
    assert client.read_response().status == 400
    listed = until(lambda: between.inspector.list(status=400, limit=1), "a refused request")
    command = between.inspector.get(f"/api/requests/seq:{listed[0]['seq']}/curl")
    assert command.status in (200, 409)
    assert b"\x07" not in command.body


def test_a_record_that_is_not_there_is_a_404(between):
    assert between.inspector.get("/api/requests/nobody/curl").status == 404
    assert between.inspector.get("/api/requests/nobody/curl?x=1").status == 400
