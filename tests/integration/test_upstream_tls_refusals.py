"""TLS to upstreams that does not come about: what is wrong, said with upstream, step, file and
setting, and never a connection that is unverified or shows nobody."""

import json
import ssl
import time

import pytest

from harness.certificates import Authority, Certificate
from harness.process import run, write_config
from harness.tls_wire import VERSIONS
from harness.wire import until


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Another CA."""
    return Authority(tmp_path_factory.mktemp("stranger"))


def at_localhost(origin):
    return origin.url.replace("127.0.0.1", "localhost")


def refusal(proxy, status=502):
    """The sentence of the answer, which is that of the log and of the record, too."""
    response = proxy.connect().get(b"/x", b"X-Request-ID: refused")
    assert response.status == status, response.body
    detail = json.loads(response.body)["detail"]
    line = proxy.access_log(request_id="refused")
    assert (line["error"], line["flags"]) == (detail, "UF" if status == 502 else "UF,UT")
    assert proxy.inspector.record("refused", None)["error"] == detail
    return detail


def expect_refusal(proxy, origin, reason, where=None):
    where = where or origin.url.partition("//")[2]
    assert refusal(proxy) == f"upstream api: TLS with {where}: {reason}"
    assert origin.requests == [], "nothing went out"


def date(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


# Whom we trust


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_server_that_our_ca_did_not_sign(
    sightglass, secure_serving, authority, stranger, version
):
    origin = secure_serving(authority.server(version=version))
    expect_refusal(
        sightglass(origin, tls=stranger.settings),
        origin,
        "certificate verify failed: unable to get local issuer certificate (of 127.0.0.1); "
        f'no way leads from it to the CA "{stranger.ca.certificate}" (tls.ca)',
    )
    until(lambda: origin.refused, "what the server heard of it")
    assert "unknown ca" in str(origin.refused[0])


def test_a_server_that_none_of_the_systems_cas_signed(sightglass, secure_serving, authority):
    origin = secure_serving(authority.server())
    expect_refusal(
        sightglass(origin),
        origin,
        "certificate verify failed: unable to get local issuer certificate (of 127.0.0.1); "
        "no way leads from it to one of the system's CAs; there is no tls.ca",
    )


def test_the_systems_cas_can_be_named_by_the_environment(sightglass, secure_serving, authority):
    origin = secure_serving(authority.server())
    proxy = sightglass(origin, env={"SSL_CERT_FILE": str(authority.ca.certificate)})
    assert proxy.connect().get(b"/x").body == b"/x"


def test_a_server_whose_certificate_has_expired(sightglass, secure_serving, authority):
    expired = authority.issue_expired()
    origin = secure_serving(authority.server(expired))
    expect_refusal(
        sightglass(origin, tls=authority.settings),
        origin,
        f"certificate verify failed: the certificate has expired at {date(expired.ends)} "
        "(of 127.0.0.1)",
    )


def test_not_to_verify_has_to_be_said(sightglass, secure_serving, authority, stranger):
    """Then anybody will do, whatever is wrong with them; else nobody will."""
    wrong = stranger.issue(names="DNS:elsewhere.test", lives_s=-1)
    origin = secure_serving(stranger.server(wrong))
    assert refusal(sightglass(origin, tls=authority.settings)).startswith(
        "upstream api: TLS with 127.0.0.1"
    )
    assert refusal(sightglass(origin, tls={**authority.settings, "verify": True}))
    assert origin.requests == [] and origin.handshakes == 0
    for tls in ({"verify": False}, {**authority.settings, "verify": False}):
        assert sightglass(origin, tls=tls).connect().get(b"/x").body == b"/x"


# Its name


def test_a_name_that_is_not_the_urls_host(sightglass, secure_serving, authority):
    origin = secure_serving(authority.server(authority.issue(names="DNS:api.internal")))
    expect_refusal(
        sightglass(at_localhost(origin), tls=authority.settings),
        origin,
        "the certificate is for api.internal, not for localhost; "
        "tls.server_name says which name it has to bear",
        where=f"localhost:{origin.port}",
    )


def test_an_address_that_the_certificate_does_not_bear(sightglass, secure_serving, authority):
    origin = secure_serving(authority.server(authority.issue(names="DNS:localhost,IP:10.0.0.1")))
    expect_refusal(
        sightglass(origin, tls=authority.settings),
        origin,
        "the certificate is for localhost, 10.0.0.1, not for 127.0.0.1; "
        "tls.server_name says which name it has to bear",
    )


def test_a_server_name_that_is_not_the_certificates(sightglass, secure_serving, authority):
    origin = secure_serving(authority.server())
    expect_refusal(
        sightglass(origin, tls={**authority.settings, "server_name": "api.internal"}),
        origin,
        "the certificate is for localhost, 127.0.0.1, ::1, not for api.internal; "
        "tls.server_name says which name it has to bear",
    )


# Who we are


@pytest.mark.parametrize(
    "version, alert",
    zip(VERSIONS, ("handshake failure", "certificate required")),
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_server_that_wants_a_certificate_where_there_is_none(
    sightglass, secure_serving, authority, version, alert
):
    origin = secure_serving(authority.server(version=version, wants=authority))
    proxy = sightglass(origin, tls=authority.settings)
    reason = (
        "the peer wants a client certificate, and none is given by tls.certificate "
        f"(its TLS alert: {alert})"
    )
    if version is ssl.TLSVersion.TLSv1_2:
        expect_refusal(proxy, origin, reason)
    else:  # whose client has done its part before the server looks at it
        assert refusal(proxy) == f"upstream api ended TLS before it answered: {reason}"
    assert origin.requests == []


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_server_that_does_not_take_our_certificate(
    sightglass, secure_serving, authority, stranger, version
):
    own = stranger.issue()
    origin = secure_serving(authority.server(version=version, wants=authority))
    detail = refusal(sightglass(origin, tls={**authority.settings, **own.settings}))
    assert detail.endswith(
        f': the peer does not take the client certificate "{own.certificate}" '
        "(tls.certificate) (its TLS alert: unknown CA)"
    )
    assert origin.requests == []


def test_an_expired_certificate_of_our_own_stops_the_start(tmp_path, authority):
    expired = authority.issue_expired()
    first = {
        "name": "api",
        "url": "https://127.0.0.1:9",
        "tls": {**authority.settings, **expired.settings},
    }
    config = write_config(tmp_path / "bad.yaml", {"upstreams": [first]})
    result = run("--config", config, "--listen", "127.0.0.1:0")
    assert result.returncode == 2
    assert (
        f'upstreams[0].tls.certificate: the certificate "{expired.certificate}" expired at '
        f"{date(expired.ends)}; give one that is valid" in result.stderr
    )


def test_a_certificate_that_expires_while_we_run_is_never_left_out(
    sightglass, secure_serving, authority
):
    own = authority.issue(lives_s=4)
    origin = secure_serving(authority.server(wants=authority))
    tls = {**authority.settings, **own.settings}
    proxy = sightglass(origin, tls=tls, credential={"safety_margin": "1s"})
    client = proxy.connect()
    until(lambda: client.get(b"/x").status == 502, "the certificate's end")
    assert time.time() > own.ends - 1
    before = (len(origin.requests), origin.handshakes)
    assert refusal(proxy) == (
        f"upstream api: TLS with 127.0.0.1:{origin.port}: the client certificate "
        f'"{own.certificate}" (tls.certificate) expired at {date(own.ends)}; '
        "give one that is valid"
    )
    assert (len(origin.requests), origin.handshakes) == before > (0, 0)
    assert not any("expired" in str(failure) for failure in origin.refused), "it was not shown"


def test_no_connection_outlives_the_certificate_it_was_opened_with(
    sightglass, secure_serving, authority, tmp_path
):
    """Though the proxy's own file is renewed in between: the server looks at each one's end."""
    bad = []

    def answer(request):
        ends = ssl.cert_time_to_seconds(request.peer.sock.getpeercert()["notAfter"])
        if time.time() >= ends:
            bad.append(request)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    files = Certificate(tmp_path, "own")
    files.copy(authority.issue(lives_s=4))
    origin = secure_serving(authority.server(wants=authority), answer)
    tls = {**authority.settings, **files.settings}
    proxy = sightglass(origin, tls=tls, credential={"safety_margin": "2s"})
    client = proxy.connect()
    first = files.ends
    while time.time() < first - 2:
        assert client.get(b"/x").status == 200
    kept = origin.handshakes
    assert kept <= 2, "it was kept until the margin"
    asked = len(origin.requests)
    assert client.get(b"/x").status == 200 and client.get(b"/x").status == 200
    assert origin.handshakes == kept + 2, "within it, each request has one of its own"
    files.copy(authority.issue())
    proxy.stderr.wait_for(lambda line: "its TLS files are read anew" in line, "the renewal")
    until(lambda: time.time() > first, "the first one's end")
    for _ in range(3):
        assert client.get(b"/x").status == 200
    assert bad == [] and len(origin.requests) > asked > 10


# What is agreed on


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_server_that_speaks_older_versions_alone(sightglass, secure_serving, authority):
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    origin = secure_serving(context)
    expect_refusal(
        sightglass(origin, tls=authority.settings),
        origin,
        "the peer speaks another version of TLS than 1.2 and 1.3 (its TLS alert: "
        "protocol version)",
    )


def test_a_server_that_speaks_no_tls(sightglass, nginx, authority):
    proxy = sightglass(nginx.url.replace("http://", "https://"), tls=authority.settings)
    where = f"127.0.0.1:{nginx.port}"
    assert refusal(proxy) == f"upstream api: TLS with {where}: the peer speaks no TLS"


def test_a_server_that_insists_on_http_2(sightglass, openssl_server, authority):
    url = openssl_server("-alpn", "h2")
    assert refusal(sightglass(url, tls=authority.settings)) == (
        f"upstream api: TLS with {url.partition('//')[2]}: the peer refused the handshake "
        "(its TLS alert: no application protocol)"
    )
