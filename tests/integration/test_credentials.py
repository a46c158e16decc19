"""Credentials that the proxy puts into requests: from files that change, for the methods they are
for, never over a client's own, and never after their end."""

import base64
import concurrent.futures
import contextlib
import json
import threading
import time

import pytest

from harness.certificates import Certificate
from harness.credentials import Mounted, claims_of, jwt
from harness.kubernetes import KubernetesApi
from harness.messages import build_response
from harness.process import run
from harness.wire import until


LIVES_S = 3  # less what has passed of this second: from 2 s to 3 s


def detail(response):
    return json.loads(response.body)["detail"]


@pytest.fixture
def token(tmp_path):
    return Mounted(tmp_path / "secret", token="first\n")


@pytest.fixture
def bearer(token):
    return {"bearer_file": str(token.folder / "token")}


def authorization(upstream):
    return upstream.requests[-1].all("Authorization")


def test_requests_bear_the_token(sightglass, serving, bearer):
    upstream = serving()
    client = sightglass(upstream, credential=bearer).connect()
    for method in (b"GET", b"POST", b"DELETE"):
        client.request(method, b"/", body=b"" if method == b"POST" else None)
        assert client.read_response(method).status == 200
        assert authorization(upstream) == [b"Bearer first"]
    assert upstream.opened == 1


def test_a_token_that_is_swapped_is_read_again(sightglass, serving, bearer, token):
    upstream = serving()
    client = sightglass(upstream, credential=bearer).connect()
    assert client.get(b"/").status == 200
    assert authorization(upstream) == [b"Bearer first"]
    token.write(token="second\n")

    def renewed():
        assert client.get(b"/").status == 200
        return authorization(upstream) == [b"Bearer second"]

    until(renewed, "the second token")
    assert upstream.opened == 2, "no connection of the first token was used again"


def test_what_is_no_token_leaves_the_one_before(sightglass, serving, bearer, token):
    upstream = serving()
    proxy = sightglass(upstream, credential=bearer)
    token.write(token="two words\n")
    proxy.stderr.wait_for(
        lambda line: "its credential cannot be renewed" in line and "holds a space" in line,
        "a line that says why",
    )
    assert proxy.connect().get(b"/").status == 200
    assert authorization(upstream) == [b"Bearer first"]
    token.write(token="third\n")
    proxy.stderr.wait_for(lambda line: "its credential is good again" in line, "an all-clear")
    assert "two words" not in proxy.stderr.text()


def test_only_the_named_methods_bear_it(sightglass, serving, bearer):
    upstream = serving()
    proxy = sightglass(upstream, credential={**bearer, "use_for": ["GET", "HEAD"]})
    client = proxy.connect()
    assert client.get(b"/").status == 200
    assert authorization(upstream) == [b"Bearer first"]
    client.request(b"POST", b"/", body=b"x")
    assert client.read_response(b"POST").status == 200
    assert authorization(upstream) == []
    assert upstream.opened == 2, "they share no connection"
    assert client.get(b"/").status == 200
    assert authorization(upstream) == [b"Bearer first"]
    assert upstream.opened == 2


def test_a_clients_own_stays(sightglass, serving, bearer):
    upstream = serving()
    client = sightglass(upstream, credential=bearer).connect()
    assert client.get(b"/", b"authorization: Basic own").status == 200
    assert authorization(upstream) == [b"Basic own"]


def test_a_clients_own_is_replaced_where_that_is_wanted(sightglass, serving, bearer):
    upstream = serving()
    client = sightglass(upstream, credential={**bearer, "replace": True}).connect()
    assert client.get(b"/", b"authorization: Basic own").status == 200
    assert authorization(upstream) == [b"Bearer first"]


def test_a_field_of_any_name(sightglass, serving, tmp_path):
    (tmp_path / "key").write_text("a value with spaces\n")
    upstream = serving()
    proxy = sightglass(
        upstream, credential={"header": "X-Key", "header_file": str(tmp_path / "key")}
    )
    client = proxy.connect()
    assert client.get(b"/", b"Authorization: Basic own").status == 200
    assert upstream.requests[-1].all("X-Key") == [b"a value with spaces"]
    assert authorization(upstream) == [b"Basic own"]
    assert client.get(b"/", b"x-key: mine").status == 200
    assert upstream.requests[-1].all("X-Key") == [b"mine"]


def test_another_upstream_never_sees_it(sightglass, serving, bearer):
    upstream, other = serving(), serving()
    config = {
        "upstreams": [{"name": "other", "url": other.url}],
        "routes": [{"prefix": "/other", "upstream": "other"}],
    }
    client = sightglass(upstream, config=config, credential=bearer).connect()
    assert client.get(b"/").status == 200
    assert client.get(b"/other").status == 200
    assert authorization(upstream) == [b"Bearer first"]
    assert authorization(other) == []


def test_it_is_shown_nowhere(sightglass, serving, bearer, token):
    token.write(token="s3cr3t-of-the-upstream\n")
    upstream = serving()
    proxy = sightglass(upstream, "--log-level", "debug", credential=bearer)
    assert proxy.connect().get(b"/", b"X-Request-ID: shown").status == 200
    assert authorization(upstream) == [b"Bearer s3cr3t-of-the-upstream"]
    proxy.inspector.record("shown")
    shown = [proxy.inspector.get(path).body for path in ("/", "/api/requests", "/api/requests/shown")]
    shown += [proxy.stderr.text().encode(), proxy.stdout.text().encode()]
    shown.append(run("--check", *proxy.arguments[1:]).stdout.encode())
    assert not any(b"s3cr3t" in text or b"Bearer" in text for text in shown)


def test_a_retry_bears_it_too(sightglass, origin, bearer):
    client = sightglass(origin, credential=bearer).connect()
    client.request(b"GET", b"/first")
    first, _ = origin.next_request()
    first.respond()
    assert client.read_response().status == 200
    client.request(b"GET", b"/again")
    assert first.read_request().one("Authorization") == b"Bearer first"
    first.close()
    second = origin.accept()
    assert second.serve().one("Authorization") == b"Bearer first"
    assert client.read_response().status == 200


def test_one_that_has_ended_is_not_sent(sightglass, serving, bearer, token):
    token.write(token=jwt(exp=1000))
    upstream = serving()
    proxy = sightglass(upstream, credential={**bearer, "use_for": ["GET"]})
    client = proxy.connect()
    refused = client.get(b"/", b"X-Request-ID: ended")
    assert refused.status == 502
    assert detail(refused).startswith("upstream api: the credential of bearer_file ")
    assert "/secret/token ended at 1970-01-01T00:16:40Z: " in detail(refused)
    line = proxy.access_log(request_id="ended")
    assert (line["flags"], line["state"], line["attempts"]) == ("UF", "upstream_failed", 0)
    assert upstream.requests == []
    # Who does not need it is served.
    assert client.get(b"/", b"Authorization: Basic own").status == 200
    client.request(b"POST", b"/", body=b"x")
    assert client.read_response(b"POST").status == 200
    token.write(token=jwt(exp=4102444800))
    until(lambda: client.get(b"/").status == 200, "the next token")


def test_tokens_that_end_every_2_s_are_replaced_in_time(sightglass, serving, bearer, token):
    bad = []

    def answer(request):
        if claims_of(request.one("Authorization"))["exp"] <= time.time():
            bad.append(request)
        return build_response(200)

    def renew(stopped):
        while not stopped.wait(1):
            token.write(token=jwt(exp=int(time.time()) + LIVES_S))

    def ask(proxy, stopped):
        client, asked = proxy.connect(), 0
        while not stopped.is_set():
            assert client.get(b"/").status == 200
            asked += 1
        return asked

    token.write(token=jwt(exp=int(time.time()) + LIVES_S))
    upstream = serving(answer)
    proxy = sightglass(upstream, workers=2, credential={**bearer, "safety_margin": "300ms"})
    stopped = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        renewer = pool.submit(renew, stopped)
        askers = [pool.submit(ask, proxy, stopped) for _ in range(4)]
        time.sleep(6)
        stopped.set()
        renewer.result()
        asked = sum(asker.result() for asker in askers)
    assert asked > 100 and bad == []
    tokens = {request.one("Authorization") for request in upstream.requests}
    assert len(tokens) >= 5
    assert upstream.opened < asked, "connections were kept in between"


def test_within_the_margin_each_request_has_a_connection_of_its_own(
    sightglass, serving, bearer, token
):
    token.write(token=jwt(exp=int(time.time()) + 30))
    upstream = serving()
    client = sightglass(upstream, credential=bearer).connect()
    for _ in range(3):
        assert client.get(b"/").status == 200
    assert upstream.opened == 3


def test_in_clear_text_to_another_machine_it_is_warned_of(sightglass, bearer):
    proxy = sightglass("http://upstream.invalid:80", credential=bearer)
    proxy.stderr.wait_for(
        lambda line: "its credential goes to upstream.invalid" in line and "clear text" in line,
        "a warning",
    )


def test_to_this_machine_it_is_not(sightglass, serving, bearer):
    assert "clear text" not in sightglass(serving(), credential=bearer).stderr.text()


def test_what_is_in_effect_can_be_used_as_a_file(sightglass, serving, bearer, tmp_path):
    proxy = sightglass(serving(), credential={**bearer, "use_for": ["GET"], "safety_margin": "5s"})
    shown = run("--check", *proxy.arguments[1:])
    assert shown.returncode == 0, shown.stderr
    assert "use_for: [GET]" in shown.stdout and "safety_margin: 5s" in shown.stdout
    (tmp_path / "effective.yaml").write_text(shown.stdout)
    again = run("--check", "--config", str(tmp_path / "effective.yaml"))
    assert again.returncode == 0, again.stderr
    assert again.stdout == shown.stdout


# Client certificates


@pytest.fixture
def mutual(sightglass, authority):
    api = KubernetesApi(authority, client_certificate=True)
    yield api
    with contextlib.suppress(OSError):
        api.close()


def test_connections_of_the_certificate_before_are_not_used_again(
    sightglass, authority, mutual, tmp_path
):
    files = Certificate(tmp_path, "client")
    files.copy(authority.issue())
    proxy = sightglass(mutual.url, tls={**authority.settings, **files.settings})
    client = proxy.connect()
    for _ in range(2):
        assert client.get(b"/api/v1/pods").status == 200
    assert mutual.opened == 1
    files.copy(authority.issue())
    proxy.stderr.wait_for(lambda line: "its TLS files are read anew" in line, "the renewal")
    for _ in range(2):
        assert client.get(b"/api/v1/pods").status == 200
    assert mutual.opened == 2


def test_connections_are_not_kept_when_the_certificate_is_about_to_end(
    sightglass, authority, mutual
):
    tls = {**authority.settings, **authority.issue(lives_s=86400).settings}
    proxy = sightglass(mutual.url, tls=tls, credential={"safety_margin": "24h"})
    client = proxy.connect()
    for _ in range(3):
        assert client.get(b"/api/v1/pods").status == 200
    assert mutual.opened == 3


def test_the_inspector_says_which_kind_it_is_until_when_and_what_is_wrong(
    sightglass, origin, tmp_path
):
    ends = int(time.time()) + 3600
    payload = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).rstrip(b"=").decode()
    file = tmp_path / "token"
    file.write_text(f"eyJhbGciOiJub25lIn0.{payload}.x")
    proxy = sightglass(origin, credential={"bearer_file": str(file)})

    def shown():
        return proxy.inspector.json("/api/upstreams")["items"][0]["credential"]

    assert shown() == {"kind": "bearer", "expires_at": ends, "error": None}
    file.write_text("two words")
    until(lambda: shown()["error"], "what is wrong with the file")
    assert str(file) in shown()["error"]
    assert (shown()["kind"], shown()["expires_at"]) == ("bearer", ends)
